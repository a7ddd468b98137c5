/* In the web application's WEB-INF/classes, and nowhere else. */
package web;

import java.io.IOException;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;

public final class StockServlet extends HttpServlet {
    private static final long serialVersionUID = 1;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        String loader = getClass().getClassLoader().getClass().getSimpleName();
        response.getWriter().print("7 lamps are left, says " + loader);
    }
}
