/* A shop on Tomcat: `ready port N`, then every request to it is answered with a price. */
import java.io.IOException;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;

import org.apache.catalina.Context;
import org.apache.catalina.startup.Tomcat;

public final class Shop {
    public static void main(String[] args) throws Exception {
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(args[0]);
        tomcat.setHostname("127.0.0.1");
        tomcat.setPort(0);
        tomcat.getConnector().setProperty("address", "127.0.0.1");
        Context context = tomcat.addContext("", null);
        Tomcat.addServlet(context, "price", new PriceServlet());
        context.addServletMappingDecoded("/*", "price");
        tomcat.start();
        System.out.println("ready port " + tomcat.getConnector().getLocalPort());
        while (System.in.read() >= 0) {
            // Until the other side has enough.
        }
    }
}

final class PriceServlet extends HttpServlet {
    private static final long serialVersionUID = 1;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        response.getWriter().print("a lamp is " + price("lamp") + " EUR");
    }

    private String price(String article) {
        return article.isEmpty() ? "nothing" : "1299.00";
    }
}
