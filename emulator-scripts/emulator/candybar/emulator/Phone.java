package candybar.emulator;

import org.microemu.app.Headless;
import org.microemu.app.Main;

/**
 * A phone that is switched on: starts MicroEmulator, without a screen or (candybar.window) with one. With candybar.wait it waits
 * first, as a phone does whose MIDlet does not run: it starts the MIDlet when a short message comes.
 */
public final class Phone {
    private Phone() {
    }

    /** Takes MicroEmulator's arguments. */
    public static void main(String[] arguments) throws Exception {
        Radio radio = Radio.instance();
        if (Boolean.getBoolean("candybar.wait")) {
            if (!Registry.isUsed()) {
                System.err.println("no MIDlet of this phone is in its push registry: run it once before");
                System.exit(1);
            }
            System.out.println("{\"event\":\"asleep\"}");
            radio.await(0);
        }
        if (Boolean.getBoolean("candybar.window")) {
            Main.main(arguments);
        } else {
            Headless.main(arguments);
        }
    }
}
