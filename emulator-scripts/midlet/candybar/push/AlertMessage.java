package candybar.push;

import candybar.codec.Base64;
import candybar.codec.Proof;
import candybar.wbxml.Element;
import candybar.wbxml.Tags;
import candybar.wbxml.WbxmlException;
import candybar.wbxml.WbxmlReader;

/**
 * The form of SyncML 1.0 and 1.1 (Sync Protocol 1.1, section 8): a message with an Alert for each datastore. The server's
 * credentials stand in its header, as in any message.
 */
final class AlertMessage extends Notification {
    private static final int FIRST = 206;
    private static final int LAST = 210;

    private final String session;
    private final Element credentials;

    private AlertMessage(String server, String session, Element credentials) {
        super(server);
        this.session = session;
        this.credentials = credentials;
    }

    static Notification read(byte[] octets) throws PushException {
        Element message;
        try {
            message = WbxmlReader.read(octets);
        } catch (WbxmlException e) {
            throw new PushException("a notification cannot be read: " + e.getMessage());
        }
        Element header = message.find(Tags.SYNC_HDR);
        Element body = message.find(Tags.SYNC_BODY);
        if (message.tag() != Tags.SYNCML || header == null || body == null) {
            throw new PushException("a notification is no SyncML message");
        }
        AlertMessage read = new AlertMessage(header.text(Tags.SOURCE, Tags.LOC_URI),
                header.text(Tags.SESSION_ID), header.find(Tags.CRED));
        for (int i = 0; i < body.size(); i++) {
            Element alert = body.child(i);
            if (alert.tag() == Tags.ALERT) {
                int code = alert.number(Tags.DATA, 0);
                if (code < FIRST || code > LAST) {
                    throw new PushException("a notification asks with Alert " + code);
                }
                read.wanted(alert, code);
            }
        }
        if (read.syncs().size() == 0) {
            throw new PushException("a notification asks for nothing");
        }
        return read;
    }

    /** The server's datastore stands in Source; some servers name the phone's in Target alone. */
    private void wanted(Element alert, int code) {
        for (int i = 0; i < alert.size(); i++) {
            Element item = alert.child(i);
            if (item.tag() == Tags.ITEM) {
                String source = item.text(Tags.SOURCE, Tags.LOC_URI);
                want(code, source.length() > 0 ? source : item.text(Tags.TARGET, Tags.LOC_URI));
            }
        }
    }

    public String form() {
        return "syncml-1.1";
    }

    public String session() {
        return session;
    }

    public boolean isSignedWith(String password, byte[] nonce) {
        if (credentials == null || !credentials.text(Tags.META, Tags.TYPE).equals("syncml:auth-md5")) {
            return false;
        }
        byte[] digest = Base64.decode(credentials.text(Tags.DATA));
        return Proof.same(digest, Proof.of(server(), password, nonce));
    }
}
