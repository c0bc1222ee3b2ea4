package candybar.push;

/**
 * A WAP push as it comes in a short message (WAP-230-WSP, section 8): transaction id, 06, length of the headers, content
 * type, headers, body.
 */
public final class WspPush {
    /** A notification of OMA DS 1.2. */
    public static final int DS_NOTIFICATION = 0x4E;
    /** A SyncML message in WBXML: a notification of the versions before. */
    public static final int SYNCML = 0x0303;
    /** A content type that stands as text, or a code of its own kind. */
    public static final int OTHER = -1;

    private static final int PUSH = 0x06;
    private static final int CONFIRMED_PUSH = 0x07;
    private static final String DS_NOTIFICATION_TEXT = "application/vnd.syncml.ds.notification";
    private static final String SYNCML_TEXT = "application/vnd.syncml+wbxml";

    private final byte[] octets;
    private int at;
    private int type = OTHER;
    private byte[] body;

    private WspPush(byte[] octets) {
        this.octets = octets;
    }

    /** Reads a push. */
    public static WspPush read(byte[] octets) throws PushException {
        WspPush push = new WspPush(octets);
        push.read();
        return push;
    }

    /** The code of its content type, or {@link #OTHER}. */
    public int type() {
        return type;
    }

    /** What it carries. */
    public byte[] body() {
        return body;
    }

    private void read() throws PushException {
        octet();
        int pdu = octet();
        if (pdu != PUSH && pdu != CONFIRMED_PUSH) {
            throw new PushException("this is no push");
        }
        int length = number();
        int end = at + length;
        if (length > octets.length - at) {
            throw new PushException("the headers are cut");
        }
        contentType();
        body = new byte[octets.length - end];
        System.arraycopy(octets, end, body, 0, body.length);
    }

    private void contentType() throws PushException {
        int first = octet();
        if (first >= 0x80) {
            type = first & 0x7F;
        } else if (first >= 0x20) {
            at--;
            text();
        } else {
            if (first == 0x1F) {
                number();
            }
            int media = octet();
            if (media >= 0x80) {
                type = media & 0x7F;
            } else if (media >= 0x20) {
                at--;
                text();
            } else if (media <= 2) {
                // A long integer, with its length.
                type = 0;
                for (int i = 0; i < media; i++) {
                    type = type << 8 | octet();
                }
            }
        }
    }

    private void text() throws PushException {
        StringBuffer text = new StringBuffer();
        int octet = octet();
        while (octet != 0) {
            text.append((char) octet);
            octet = octet();
        }
        String name = text.toString().toLowerCase();
        if (name.equals(DS_NOTIFICATION_TEXT)) {
            type = DS_NOTIFICATION;
        } else if (name.equals(SYNCML_TEXT)) {
            type = SYNCML;
        }
    }

    private int octet() throws PushException {
        if (at >= octets.length) {
            throw new PushException("the push is cut");
        }
        return octets[at++] & 0xFF;
    }

    private int number() throws PushException {
        int value = 0;
        for (int i = 0; i < 4; i++) {
            int octet = octet();
            value = value << 7 | octet & 0x7F;
            if (octet < 0x80) {
                return value;
            }
        }
        throw new PushException("a number is too large");
    }
}
