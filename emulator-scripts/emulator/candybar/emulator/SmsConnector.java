package candybar.emulator;

import java.io.IOException;

import javax.microedition.io.Connection;
import javax.microedition.io.ConnectionNotFoundException;

import org.microemu.microedition.io.ConnectorAdapter;

/** Opens sms://:PORT. Any port is the phone's only one, for the emulated network has one way to it. */
final class SmsConnector extends ConnectorAdapter {
    private static final String SERVER = "sms://:";

    private final Radio radio;

    SmsConnector(Radio radio) {
        this.radio = radio;
    }

    @Override
    public Connection open(String name, int mode, boolean timeouts) throws IOException {
        if (!name.startsWith(SERVER)) {
            throw new ConnectionNotFoundException("the emulated phone takes short messages and sends none");
        }
        return new SmsConnection(radio, name);
    }
}
