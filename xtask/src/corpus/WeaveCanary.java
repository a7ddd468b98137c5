// A class that no verifier may let pass, once link.rs has made `areturn` of `echo` an `ireturn`: if it links, nothing was
// verified, and all that linked beside it says nothing.
package java.lang;

final class WeaveCanary {
    private WeaveCanary() {}

    static Object echo(Object it) { return it; }
}
