// A class that a test puts on the boot class path.
package agents;

public final class OnBoot {
    private OnBoot() {
    }
}
