/* A shop on Tomcat: `ready port N`, then every request to /price is answered with a price, by a servlet of the application's
   class loader; to /web/stock with what is there, by a servlet of a web application's, from its WEB-INF/classes; and to any
   other place with Tomcat's own page for what is not found. Arguments: Tomcat's folder, the web application's. */
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
        // A connection is for as long as its client wants it.
        tomcat.getConnector().setProperty("maxKeepAliveRequests", "-1");
        Context shop = tomcat.addContext("", null);
        Tomcat.addServlet(shop, "price", new PriceServlet());
        shop.addServletMappingDecoded("/price", "price");
        Context web = tomcat.addContext("/web", args[1]);
        // By its name: only the web application has it.
        Tomcat.addServlet(web, "stock", "web.StockServlet");
        web.addServletMappingDecoded("/stock", "stock");
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
