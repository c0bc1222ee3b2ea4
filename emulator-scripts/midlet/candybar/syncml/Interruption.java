package candybar.syncml;

import java.util.Vector;

import candybar.store.Ledger;
import candybar.store.StoreException;

/**
 * What the phone keeps of a datastore's sync that did not end (OMA DS 1.2, suspend and resume): its kind, its anchor, and in
 * a sync that sends every item, those that the server has confirmed.
 */
final class Interruption {
    /** Octets of a text in the ledger, at most; with more items the next session begins anew. */
    private static final int MAX_TEXT = 60000;

    /** The kind that it had become. */
    final int mode;
    /** The phone's anchor of that session. */
    final String next;
    /** LUIDs that the server has confirmed. */
    final Vector confirmed = new Vector();

    private Interruption(int mode, String next) {
        this.mode = mode;
        this.next = next;
    }

    private static String name(String datastore) {
        return "interrupted." + datastore;
    }

    /** What was kept of a datastore, or null. */
    static Interruption of(Ledger ledger, String datastore) {
        String text = ledger.text(name(datastore));
        if (text.length() == 0) {
            return null;
        }
        Vector words = words(text);
        Interruption kept = new Interruption(Integer.parseInt((String) words.elementAt(0)), (String) words.elementAt(1));
        for (int i = 2; i < words.size(); i++) {
            kept.confirmed.addElement(words.elementAt(i));
        }
        return kept;
    }

    /** Keeps a sync that does not end. One in the middle of the server's object is begun anew: half of it is lost. */
    static void keep(Ledger ledger, Sync sync) throws StoreException {
        StringBuffer text = new StringBuffer();
        text.append(sync.mode).append(' ').append(sync.next);
        for (int i = 0; i < sync.confirmed.size(); i++) {
            text.append(' ').append(sync.confirmed.elementAt(i));
        }
        boolean lost = sync.chunks != null || text.length() > MAX_TEXT;
        ledger.note(name(sync.name()), lost ? "" : text.toString());
    }

    /** The sync has ended, or begins anew. */
    static void forget(Ledger ledger, String datastore) throws StoreException {
        ledger.note(name(datastore), "");
    }

    private static Vector words(String text) {
        Vector words = new Vector();
        int from = 0;
        while (from <= text.length()) {
            int space = text.indexOf(' ', from);
            int end = space < 0 ? text.length() : space;
            words.addElement(text.substring(from, end));
            from = end + 1;
        }
        return words;
    }
}
