// A class that is given the class-file version of a Java still to come.
package agents;

public final class Future {
    private Future() {
    }
}
