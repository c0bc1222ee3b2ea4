package candybar.content;

import java.util.Vector;

import candybar.store.Item;
import candybar.store.Items;
import candybar.store.StoreException;
import candybar.syncml.Datastore;

/** The mail: messages in folders. The phone changes flags, never a message. */
public final class MailDatastore extends Datastore {
    private static final String FOLDER = "application/vnd.omads-folder+xml";

    /** The datastore over these items. */
    public MailDatastore(String name, Items items) {
        super(name, MailObject.TYPE, MailObject.VERSION, new String[0], items);
    }

    public String folderType() {
        return FOLDER;
    }

    public byte[] changed(byte[] held, byte[] received) {
        return new MailObject(received).over(new MailObject(held));
    }

    public byte[] sent(byte[] held) {
        return new MailObject(held).flags();
    }

    /** Mails of a folder's role, such as inbox, newest first. What is in no folder counts as inbox. */
    public static Vector mails(Items items, String role) throws StoreException {
        int folder = folder(items, role);
        Vector found = new Vector();
        Vector all = items.present();
        for (int i = 0; i < all.size(); i++) {
            Item item = (Item) all.elementAt(i);
            boolean inNone = item.parent() == 0 && role.equals("inbox");
            if (item.type().equals(MailObject.TYPE) && (inNone || folder != 0 && item.parent() == folder)) {
                insert(found, item);
            }
        }
        return found;
    }

    private static void insert(Vector mails, Item item) {
        String received = new MailObject(item.body()).received();
        int at = 0;
        while (at < mails.size()) {
            Item other = (Item) mails.elementAt(at);
            if (new MailObject(other.body()).received().compareTo(received) <= 0) {
                break;
            }
            at++;
        }
        mails.insertElementAt(item, at);
    }

    /** LUID of the folder of a role; 0 if the server named none. */
    public static int folder(Items items, String role) throws StoreException {
        Vector all = items.present();
        for (int i = 0; i < all.size(); i++) {
            Item item = (Item) all.elementAt(i);
            if (item.type().equals(FOLDER) && item.text().indexOf("<role>" + role + "</role>") >= 0) {
                return item.luid();
            }
        }
        return 0;
    }
}
