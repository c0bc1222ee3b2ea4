package candybar.syncml;

import java.util.Random;

import candybar.codec.Base64;
import candybar.codec.Md5;
import candybar.codec.Proof;
import candybar.codec.Utf8;
import candybar.push.Notification;
import candybar.store.Ledger;
import candybar.store.StoreException;
import candybar.wbxml.Element;
import candybar.wbxml.Tags;
import candybar.wbxml.WbxmlWriter;

/**
 * How the phone shows who it is, what the server asks for that (Sync Protocol 1.1, section 3), and how the server shows that a
 * notification is from it.
 */
public final class Credentials {
    private static final String MD5 = "syncml:auth-md5";
    private static final String BASIC = "syncml:auth-basic";
    private static final String NONCE = "nonce";
    /** What the server has to use in notifications: since the last session, and since one that may have been cut. */
    private static final String SERVER_NONCE = "server-nonce";
    private static final String OFFERED_NONCE = "server-nonce.offered";
    /** A notification came with such a nonce: this server uses them. */
    private static final String NONCES_USED = "server-nonce.used";

    private final Account account;
    private final Ledger ledger;
    private String type = MD5;

    Credentials(Account account, Ledger ledger) {
        this.account = account;
        this.ledger = ledger;
    }

    /** The nonce, in base64, that the server is given for its next notification, once in a session. */
    String nonceForServer() throws StoreException {
        if (ledger.text(OFFERED_NONCE).length() == 0) {
            String seed = account.password + System.currentTimeMillis() + account.device + new Random().nextLong();
            ledger.note(OFFERED_NONCE, Base64.encode(Md5.digest(Utf8.encode(seed))));
        }
        return ledger.text(OFFERED_NONCE);
    }

    /** The session ended well: the server has the nonce. */
    void ended() throws StoreException {
        String offered = ledger.text(OFFERED_NONCE);
        if (offered.length() > 0) {
            ledger.note(SERVER_NONCE, offered);
            ledger.note(OFFERED_NONCE, "");
        }
    }

    /**
     * A notification is from the server: it is signed with the password and a nonce that the server was given. Servers that
     * take none sign without; that is believed until a nonce was used. One that is not signed at all never is.
     */
    public static boolean isSigned(Notification notification, String password, Ledger ledger) throws StoreException {
        String[] nonces = { ledger.text(SERVER_NONCE), ledger.text(OFFERED_NONCE) };
        for (int i = 0; i < nonces.length; i++) {
            if (nonces[i].length() > 0 && notification.isSignedWith(password, Base64.decode(nonces[i]))) {
                ledger.note(NONCES_USED, "yes");
                return true;
            }
        }
        return ledger.text(NONCES_USED).length() == 0 && notification.isSignedWith(password, new byte[0]);
    }

    /** Writes Cred. */
    void write(WbxmlWriter out) {
        String data;
        if (type.equals(BASIC)) {
            data = Base64.encode(Utf8.encode(account.user + ":" + account.password));
        } else {
            byte[] nonce = Base64.decode(ledger.text(NONCE));
            data = Base64.encode(Proof.of(account.user, account.password, nonce));
        }
        out.open(Tags.CRED);
        out.open(Tags.META);
        out.text(Tags.FORMAT, "b64");
        out.text(Tags.TYPE, type);
        out.close();
        out.text(Tags.DATA, data);
        out.close();
    }

    /** Takes a challenge: what is to be shown next time. */
    void challenge(Element chal) throws StoreException {
        Element meta = chal.find(Tags.META);
        if (meta == null) {
            return;
        }
        if (meta.text(Tags.TYPE).equals(BASIC)) {
            type = BASIC;
            return;
        }
        type = MD5;
        Element nonce = meta.find(Tags.NEXT_NONCE);
        if (nonce != null) {
            ledger.note(NONCE, nonce.text());
        }
    }
}
