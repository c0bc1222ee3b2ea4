package candybar.push;

import java.util.Vector;

/** Package #0: the server asks for a sync. What a phone gets depends on the version that it speaks. */
public abstract class Notification {
    /** The server that asks. */
    private final String server;
    private final Vector syncs = new Vector();

    /** A datastore that is to be synchronised. */
    public static final class Wanted {
        private final int code;
        private final String datastore;

        private Wanted(int code, String datastore) {
            this.code = code;
            this.datastore = datastore;
        }

        /** Alert code, 206 to 210. */
        public int code() {
            return code;
        }

        /** Its name, without what does not matter: "./", slashes, case. */
        public String datastore() {
            return datastore;
        }
    }

    Notification(String server) {
        this.server = server;
    }

    /** What a push carries; null if it is no notification. */
    static Notification of(WspPush push) throws PushException {
        if (push.type() == WspPush.DS_NOTIFICATION) {
            return Alerted.read(push.body());
        }
        return push.type() == WspPush.SYNCML ? AlertMessage.read(push.body()) : null;
    }

    void want(int code, String address) {
        syncs.addElement(new Wanted(code, plain(address)));
    }

    /** Who asks. */
    public final String server() {
        return server;
    }

    /** The {@link Wanted} datastores; none: all. */
    public final Vector syncs() {
        return syncs;
    }

    /** The form that it has: san, or syncml-1.1. */
    public abstract String form();

    /** The id that the session has to have. */
    public abstract String session();

    /** Whoever made it knows the password, and used this nonce. */
    public abstract boolean isSignedWith(String password, byte[] nonce);

    private static String plain(String uri) {
        String name = uri.trim().toLowerCase();
        int query = name.indexOf('?');
        if (query >= 0) {
            name = name.substring(0, query);
        }
        if (name.startsWith("./")) {
            name = name.substring(2);
        }
        while (name.startsWith("/")) {
            name = name.substring(1);
        }
        while (name.endsWith("/")) {
            name = name.substring(0, name.length() - 1);
        }
        return name;
    }
}
