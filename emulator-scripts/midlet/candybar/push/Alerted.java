package candybar.push;

import candybar.codec.Base64;
import candybar.codec.Md5;
import candybar.codec.Proof;
import candybar.codec.Utf8;

/** The form of OMA DS 1.2 (server alerted notification): a digest, a header of bits, and the datastores. */
final class Alerted extends Notification {
    private static final int DIGEST = 16;
    private static final int HEADER = 8;
    private static final int SYNC = 5;
    /** 1.2, ten bits at the beginning. */
    private static final int VERSION = 12;

    private final byte[] octets;

    private Alerted(byte[] octets, String server) {
        super(server);
        this.octets = octets;
    }

    static Notification read(byte[] octets) throws PushException {
        need(octets, DIGEST + HEADER);
        int version = octet(octets, 16) << 2 | octet(octets, 17) >> 6;
        if (version != VERSION) {
            throw new PushException("a notification of version " + version);
        }
        int length = octet(octets, 23);
        int at = DIGEST + HEADER + length;
        need(octets, at + 1);
        Alerted read = new Alerted(octets, Utf8.decode(octets, DIGEST + HEADER, length));
        int count = octet(octets, at) >> 4;
        at++;
        for (int i = 0; i < count; i++) {
            need(octets, at + SYNC);
            int uri = octet(octets, at + 4);
            need(octets, at + SYNC + uri);
            read.want(200 + (octet(octets, at) >> 4), Utf8.decode(octets, at + SYNC, uri));
            at += SYNC + uri;
        }
        return read;
    }

    public String form() {
        return "san";
    }

    public String session() {
        return Integer.toString(octet(octets, 21) << 8 | octet(octets, 22));
    }

    public boolean isSignedWith(String password, byte[] nonce) {
        byte[] rest = new byte[octets.length - DIGEST];
        System.arraycopy(octets, DIGEST, rest, 0, rest.length);
        byte[] head = Proof.joined(Utf8.encode(Proof.secret(server(), password) + ":"), nonce);
        byte[] tail = Utf8.encode(":" + Base64.encode(Md5.digest(rest)));
        byte[] digest = new byte[DIGEST];
        System.arraycopy(octets, 0, digest, 0, DIGEST);
        return Proof.same(digest, Md5.digest(Proof.joined(head, tail)));
    }

    private static int octet(byte[] octets, int at) {
        return octets[at] & 0xFF;
    }

    private static void need(byte[] octets, int length) throws PushException {
        if (octets.length < length) {
            throw new PushException("a notification is cut");
        }
    }
}
