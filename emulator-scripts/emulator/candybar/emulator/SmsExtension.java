package candybar.emulator;

import java.io.IOException;
import java.util.Map;

import org.microemu.microedition.ImplFactory;
import org.microemu.microedition.ImplementationInitialization;
import org.microemu.microedition.io.PushRegistryDelegate;

/**
 * Gives MicroEmulator what it lacks: sms:// and a PushRegistry. Named by --impl. What arrives at a UDP port is a short message
 * that the radio delivers, as candybar's loopback gateway sends it.
 */
public final class SmsExtension implements ImplementationInitialization {
    public void registerImplementation(Map parameters) {
        try {
            Radio radio = Radio.instance();
            ImplFactory.registerGCF("sms", new SmsConnector(radio));
            ImplFactory.register(PushRegistryDelegate.class, new Registry(radio));
        } catch (IOException e) {
            throw new IllegalStateException(e.getMessage());
        }
    }

    public void notifyMIDletStart() {
    }

    public void notifyMIDletDestroyed() {
    }
}
