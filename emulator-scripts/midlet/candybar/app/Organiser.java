package candybar.app;

import java.io.IOException;
import java.util.Hashtable;
import java.util.Vector;

import javax.microedition.midlet.MIDlet;

import candybar.content.Contact;
import candybar.content.Event;
import candybar.content.MailDatastore;
import candybar.push.Notification;
import candybar.store.Items;
import candybar.store.Ledger;
import candybar.store.StoreException;
import candybar.syncml.Credentials;
import candybar.syncml.Datastore;
import candybar.syncml.HttpTransport;
import candybar.syncml.Mode;
import candybar.syncml.Progress;
import candybar.syncml.Session;
import candybar.syncml.Sync;

/** The phone behind the screens: its datastores, its settings, and synchronising them. */
public final class Organiser {
    public static final String CONTACTS = "contacts";
    public static final String CALENDAR = "calendar";
    public static final String MAIL = "mail";

    private static final String USER_AGENT = "candybar-MIDlet/1.0 Profile/MIDP-2.0 Configuration/CLDC-1.1";

    private final Ledger ledger;
    private final Settings settings;
    private final Mailbox mailbox;
    /** Datastores in their order, and by name. */
    private final Vector datastores = new Vector();
    private final Hashtable byName = new Hashtable();

    Organiser(MIDlet midlet) throws StoreException {
        ledger = new Ledger();
        settings = new Settings(midlet, ledger);
        add(new Datastore(CONTACTS, Contact.TYPE, Contact.VERSION, Contact.FIELDS, new Items(CONTACTS)));
        add(new Datastore(CALENDAR, Event.TYPE, Event.VERSION, Event.FIELDS, new Items(CALENDAR)));
        Items mail = new Items(MAIL);
        add(new MailDatastore(MAIL, mail));
        mailbox = new Mailbox(mail, settings);
    }

    private void add(Datastore datastore) {
        datastores.addElement(datastore);
        byName.put(datastore.name(), datastore);
    }

    /** Its settings. */
    public Settings settings() {
        return settings;
    }

    /** Its mail. */
    public Mailbox mailbox() {
        return mailbox;
    }

    /** The items of a datastore. */
    public Items items(String datastore) {
        return ((Datastore) byName.get(datastore)).items();
    }

    /** Names of all datastores. */
    public Vector names() {
        Vector names = new Vector();
        for (int i = 0; i < datastores.size(); i++) {
            names.addElement(((Datastore) datastores.elementAt(i)).name());
        }
        return names;
    }

    /**
     * Synchronises datastores, all in the same mode.
     *
     * @return a {@link Sync} for each; null if the session was suspended
     */
    public Vector sync(Vector names, int mode, Progress progress) throws IOException {
        Vector syncs = new Vector();
        for (int i = 0; i < names.size(); i++) {
            Datastore datastore = (Datastore) byName.get(names.elementAt(i));
            if (datastore == null) {
                throw new IOException("there is no datastore " + names.elementAt(i));
            }
            syncs.addElement(new Sync(datastore, mode));
        }
        String id = Long.toString(System.currentTimeMillis() / 1000 % 1000000);
        return run(syncs, id, progress) ? syncs : null;
    }

    /** Synchronises what a notification asks for, as {@link #sync}. What this phone does not have is passed over. */
    public Vector follow(Notification notification, Progress progress) throws IOException {
        Vector syncs = new Vector();
        Vector wanted = notification.syncs();
        for (int i = 0; i < wanted.size(); i++) {
            Notification.Wanted one = (Notification.Wanted) wanted.elementAt(i);
            Datastore datastore = (Datastore) byName.get(one.datastore());
            if (datastore != null) {
                syncs.addElement(new Sync(datastore, Mode.asked(one.code())));
            }
        }
        if (wanted.size() == 0) {
            for (int i = 0; i < datastores.size(); i++) {
                syncs.addElement(new Sync((Datastore) datastores.elementAt(i), Mode.TWO_WAY));
            }
        }
        if (syncs.size() == 0) {
            throw new IOException("the notification is about nothing that is here");
        }
        return run(syncs, notification.session(), progress) ? syncs : null;
    }

    /** The notification is from a server that knows the account's password. */
    public boolean believes(Notification notification) throws IOException {
        return Credentials.isSigned(notification, settings.text(Settings.PASSWORD), ledger);
    }

    private synchronized boolean run(Vector syncs, String id, Progress progress) throws IOException {
        HttpTransport transport = new HttpTransport(USER_AGENT);
        return new Session(settings.account(), ledger, transport, progress, datastores, syncs).run(id);
    }
}
