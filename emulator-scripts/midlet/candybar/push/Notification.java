package candybar.push;

import java.util.Vector;

import candybar.codec.Base64;
import candybar.codec.Md5;
import candybar.codec.Utf8;

/** Package #0: the server asks for a sync (OMA DS 1.2, server alerted notification). */
public final class Notification {
    /** The user is to be asked first. */
    public static final int ASK_USER = 3;

    private static final int DIGEST = 16;
    private static final int HEADER = 8;
    private static final int SYNC = 5;
    /** 1.2, ten bits at the beginning. */
    private static final int VERSION = 12;

    private final byte[] octets;
    private final String server;
    private final Vector syncs = new Vector();

    /** A datastore that is to be synchronised. */
    public static final class Wanted {
        private final int code;
        private final String datastore;

        Wanted(int code, String datastore) {
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

    private Notification(byte[] octets) throws PushException {
        this.octets = octets;
        need(DIGEST + HEADER);
        int version = octet(16) << 2 | octet(17) >> 6;
        if (version != VERSION) {
            throw new PushException("a notification of version " + version);
        }
        int length = octet(23);
        int at = DIGEST + HEADER + length;
        need(at + 1);
        server = Utf8.decode(octets, DIGEST + HEADER, length);
        int count = octet(at) >> 4;
        at++;
        for (int i = 0; i < count; i++) {
            need(at + SYNC);
            int code = 200 + (octet(at) >> 4);
            int uri = octet(at + 4);
            need(at + SYNC + uri);
            syncs.addElement(new Wanted(code, plain(Utf8.decode(octets, at + SYNC, uri))));
            at += SYNC + uri;
        }
    }

    /** Reads one. */
    public static Notification read(byte[] octets) throws PushException {
        return new Notification(octets);
    }

    /** Who asks. */
    public String server() {
        return server;
    }

    /** How the user is told: 0 not said, 1 not at all, 2 by a note, 3 by a question. */
    public int userMode() {
        return octet(17) >> 4 & 3;
    }

    /** The id that the session has to have. */
    public int session() {
        return octet(21) << 8 | octet(22);
    }

    /** The {@link Wanted} datastores; none: all. */
    public Vector syncs() {
        return syncs;
    }

    /** Whoever made it knows the password, and used this nonce. */
    public boolean isSignedWith(String password, byte[] nonce) {
        byte[] secret = Md5.digest(Utf8.encode(server + ":" + password));
        byte[] rest = new byte[octets.length - DIGEST];
        System.arraycopy(octets, DIGEST, rest, 0, rest.length);
        byte[] head = Utf8.encode(Base64.encode(secret) + ":");
        byte[] tail = Utf8.encode(":" + Base64.encode(Md5.digest(rest)));
        byte[] all = new byte[head.length + nonce.length + tail.length];
        System.arraycopy(head, 0, all, 0, head.length);
        System.arraycopy(nonce, 0, all, head.length, nonce.length);
        System.arraycopy(tail, 0, all, head.length + nonce.length, tail.length);
        byte[] digest = Md5.digest(all);
        int difference = 0;
        for (int i = 0; i < DIGEST; i++) {
            difference |= digest[i] ^ octets[i];
        }
        return difference == 0;
    }

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

    private int octet(int at) {
        return octets[at] & 0xFF;
    }

    private void need(int length) throws PushException {
        if (octets.length < length) {
            throw new PushException("a notification is cut");
        }
    }
}
