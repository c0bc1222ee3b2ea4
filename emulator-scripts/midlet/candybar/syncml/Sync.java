package candybar.syncml;

import java.util.Hashtable;
import java.util.Vector;

import candybar.store.Item;
import candybar.store.Ledger;
import candybar.store.StoreException;

/** A datastore's part in a session: what is asked, what goes out, what came of it. */
public final class Sync {
    final Datastore datastore;
    /** Kind of sync; the server may make it a slow one. */
    int mode;
    /** It goes on with the one before, as far as the server can. */
    boolean resumed;
    /** The server could not resume it: its own Alert says what becomes of it. */
    boolean anew;
    /** LUIDs that the server has confirmed, here and before the sync was interrupted. */
    Vector confirmed = new Vector();
    /** The server takes part. */
    boolean accepted;
    /** Status that refused it; 0: none. */
    int refused;
    /** The anchor of this session, of either side. */
    String next = "";
    String serverNext = "";
    /** Octets of the largest object that the server takes; 0: it says nothing. */
    int maxObject;
    /** What is still to be sent; items, oldest first. */
    Vector waiting = new Vector();
    /** Octets of the first one in waiting that were sent. */
    int offset;
    /** LUID to the edit that was sent. */
    final Hashtable sent = new Hashtable();
    /** The Sync command was sent; every datastore has at least one. */
    boolean begun;
    /** The object of the server whose chunks are coming, or null. */
    Chunks chunks;

    int uploaded;
    int added;
    int replaced;
    int deleted;
    int failed;

    /** A sync of a datastore in that mode. */
    public Sync(Datastore datastore, int mode) {
        this.datastore = datastore;
        this.mode = mode;
    }

    /** It goes on with one that was interrupted. */
    public boolean resumed() {
        return resumed;
    }

    /** The datastore's name. */
    public String name() {
        return datastore.name();
    }

    /** The kind that it became. */
    public int mode() {
        return mode;
    }

    /** The Status with which the server refused the datastore; 0 if it did not. */
    public int refused() {
        return refused;
    }

    /** Items of the phone that the server took. */
    public int uploaded() {
        return uploaded;
    }

    /** Items that are new on the phone. */
    public int added() {
        return added;
    }

    /** Items that the server changed on the phone. */
    public int replaced() {
        return replaced;
    }

    /** Items that the server deleted on the phone. */
    public int deleted() {
        return deleted;
    }

    /** Items that one of both sides did not take. */
    public int failed() {
        return failed;
    }

    /** The kind that is asked for; goes on with a sync that did not end if it was meant to do the same. */
    void resume(Interruption kept) {
        boolean same = mode == Mode.TWO_WAY || mode == kept.mode && mode != Mode.SLOW;
        if (same) {
            resumed = true;
            mode = kept.mode;
            next = kept.next;
            confirmed = kept.confirmed;
        }
    }

    /** The server cannot go on with it. */
    void beginAnew() {
        anew = resumed;
        resumed = false;
        confirmed = new Vector();
    }

    /** The server has an item, or will never take it. */
    void confirm(int luid) {
        if (Mode.sendsAll(mode)) {
            confirmed.addElement(Integer.toString(luid));
        }
    }

    String last(Ledger ledger) {
        return ledger.text("anchor." + name());
    }

    String serverLast(Ledger ledger) {
        return ledger.text("server-anchor." + name());
    }

    /** The session is over and right: the next one goes on from here. */
    void commit(Ledger ledger) throws StoreException {
        ledger.note("anchor." + name(), next);
        ledger.note("server-anchor." + name(), serverNext);
        Interruption.forget(ledger, name());
    }

    /** Looks up what the phone has to send. */
    void collect() throws StoreException {
        waiting = new Vector();
        if (!Mode.sends(mode)) {
            return;
        }
        Vector items = datastore.items().all();
        for (int i = 0; i < items.size(); i++) {
            Item item = (Item) items.elementAt(i);
            boolean deleted = item.state() == Item.DELETED;
            boolean clean = item.state() == Item.CLEAN;
            boolean known = resumed && confirmed.contains(Integer.toString(item.luid()));
            if (Mode.sendsAll(mode) && !known ? !deleted : !clean) {
                waiting.addElement(item);
            } else if (deleted) {
                datastore.items().forget(item.luid());
            }
        }
    }
}
