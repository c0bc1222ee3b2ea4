package candybar.app;

import java.util.Random;

import javax.microedition.midlet.MIDlet;

import candybar.store.Ledger;
import candybar.store.StoreException;
import candybar.syncml.Account;

/** What the user typed, and where that is nothing, attributes of the JAD. */
public final class Settings {
    public static final String URL = "URL";
    public static final String USER = "User";
    public static final String PASSWORD = "Password";
    public static final String PORT = "Port";
    /** Own mail address. */
    public static final String MAIL = "Mail";

    private static final String DEVICE = "Device";
    private static final int MAX_MESSAGE = 16000;
    private static final int MAX_OBJECT = 400000;
    private static final int PORT_OF_PUSH = 2948;

    private final MIDlet midlet;
    private final Ledger ledger;

    Settings(MIDlet midlet, Ledger ledger) {
        this.midlet = midlet;
        this.ledger = ledger;
    }

    /** A setting, or "". */
    public String text(String name) {
        String typed = ledger.text("setting." + name);
        return typed.length() > 0 ? typed : attribute(name);
    }

    /** Keeps what the user typed. */
    public void type(String name, String text) throws StoreException {
        ledger.note("setting." + name, text.trim());
    }

    /** Attribute Candybar-NAME of the JAD, or "". */
    String attribute(String name) {
        String value = midlet.getAppProperty("Candybar-" + name);
        return value == null ? "" : value.trim();
    }

    private int number(String name, int otherwise) {
        try {
            return Integer.parseInt(text(name));
        } catch (NumberFormatException e) {
            return otherwise;
        }
    }

    /** Port that notifications come to. */
    public int port() {
        return number(PORT, PORT_OF_PUSH);
    }

    /** The account, as it is set now. */
    Account account() throws StoreException {
        return new Account(text(URL), text(USER), text(PASSWORD), device(), number("MaxMsgSize", MAX_MESSAGE),
                number("MaxObjSize", MAX_OBJECT));
    }

    /** The phone's id; made up once, for a MIDlet cannot ask for the IMEI. */
    private String device() throws StoreException {
        if (text(DEVICE).length() == 0) {
            long number = Math.abs(new Random().nextLong());
            type(DEVICE, "candybar-midlet-" + Long.toString(number));
        }
        return text(DEVICE);
    }
}
