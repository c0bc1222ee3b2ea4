package candybar.store;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Vector;

import javax.microedition.rms.InvalidRecordIDException;
import javax.microedition.rms.RecordEnumeration;
import javax.microedition.rms.RecordStore;
import javax.microedition.rms.RecordStoreException;
import javax.microedition.rms.RecordStoreFullException;

/** The items of a datastore, each a record of a record store. Screens and sessions use it at the same time. */
public final class Items {
    private final RecordStore records;

    /** Opens the record store, and makes it if there is none. */
    public Items(String name) throws StoreException {
        try {
            records = RecordStore.openRecordStore("candybar-" + name, true);
        } catch (RecordStoreException e) {
            throw fault("cannot open the memory for " + name, e);
        }
    }

    /** Every item, deleted ones included, in the order of their LUIDs. */
    public synchronized Vector all() throws StoreException {
        Vector items = new Vector();
        try {
            RecordEnumeration found = records.enumerateRecords(null, null, false);
            while (found.hasNextElement()) {
                Item item = find(found.nextRecordId());
                int at = items.size();
                while (at > 0 && ((Item) items.elementAt(at - 1)).luid > item.luid) {
                    at--;
                }
                items.insertElementAt(item, at);
            }
            found.destroy();
        } catch (RecordStoreException e) {
            throw fault("cannot list", e);
        }
        return items;
    }

    /** Every item that the user has. */
    public synchronized Vector present() throws StoreException {
        Vector items = all();
        for (int i = items.size() - 1; i >= 0; i--) {
            if (((Item) items.elementAt(i)).state == Item.DELETED) {
                items.removeElementAt(i);
            }
        }
        return items;
    }

    /** The item, or null. */
    public synchronized Item find(int luid) throws StoreException {
        try {
            byte[] record = records.getRecord(luid);
            DataInputStream in = new DataInputStream(new ByteArrayInputStream(record));
            int state = in.readByte();
            int edit = in.readInt();
            int parent = in.readInt();
            String type = in.readUTF();
            byte[] body = new byte[in.available()];
            in.readFully(body);
            return new Item(luid, state, edit, parent, type, body);
        } catch (InvalidRecordIDException e) {
            return null;
        } catch (RecordStoreException e) {
            throw fault("cannot read " + luid, e);
        } catch (IOException e) {
            throw fault("a record is broken: " + luid, e);
        }
    }

    /** The user makes an item in a folder, or in none. Gives its LUID. */
    public int add(int parent, String type, byte[] body) throws StoreException {
        return insert(Item.ADDED, parent, type, body);
    }

    /** The user changes an item. */
    public synchronized void edit(int luid, byte[] body) throws StoreException {
        Item item = find(luid);
        if (item != null) {
            int state = item.state == Item.ADDED ? Item.ADDED : Item.CHANGED;
            save(new Item(luid, state, item.edit + 1, item.parent, item.type, body));
        }
    }

    /** The user deletes an item. What the server never had goes at once. */
    public synchronized void delete(int luid) throws StoreException {
        Item item = find(luid);
        if (item != null && item.state == Item.ADDED) {
            forget(luid);
        } else if (item != null) {
            save(new Item(luid, Item.DELETED, item.edit + 1, item.parent, item.type, new byte[0]));
        }
    }

    /** The server makes an item in a folder, or in none. Gives its LUID. */
    public int receive(int parent, String type, byte[] body) throws StoreException {
        return insert(Item.CLEAN, parent, type, body);
    }

    /** The server changes an item; false if there is none. A parent of -1 leaves it in its folder. */
    public synchronized boolean change(int luid, int parent, String type, byte[] body) throws StoreException {
        Item item = find(luid);
        if (item == null) {
            return false;
        }
        String kept = type.length() == 0 ? item.type : type;
        int place = parent < 0 ? item.parent : parent;
        save(new Item(luid, Item.CLEAN, item.edit, place, kept, body));
        return true;
    }

    /** The server moves an item into another folder; false if there is none. */
    public synchronized boolean move(int luid, int parent) throws StoreException {
        Item item = find(luid);
        if (item == null) {
            return false;
        }
        save(new Item(luid, item.state, item.edit, parent, item.type, item.body));
        return true;
    }

    /** The server has this edit of the item now. */
    public synchronized void confirm(int luid, int edit) throws StoreException {
        Item item = find(luid);
        if (item == null || item.edit != edit) {
            return;
        }
        if (item.state == Item.DELETED) {
            forget(luid);
        } else {
            save(new Item(luid, Item.CLEAN, edit, item.parent, item.type, item.body));
        }
    }

    /** It is gone, for both sides; false if it was not there. */
    public synchronized boolean forget(int luid) throws StoreException {
        try {
            records.deleteRecord(luid);
            return true;
        } catch (InvalidRecordIDException e) {
            return false;
        } catch (RecordStoreException e) {
            throw fault("cannot delete " + luid, e);
        }
    }

    /** All are gone. */
    public synchronized void clear() throws StoreException {
        Vector items = all();
        for (int i = 0; i < items.size(); i++) {
            forget(((Item) items.elementAt(i)).luid);
        }
    }

    private synchronized int insert(int state, int parent, String type, byte[] body)
            throws StoreException {
        byte[] record = record(new Item(0, state, 0, parent, type, body));
        try {
            return records.addRecord(record, 0, record.length);
        } catch (RecordStoreException e) {
            throw fault("cannot add an item", e);
        }
    }

    private void save(Item item) throws StoreException {
        byte[] record = record(item);
        try {
            records.setRecord(item.luid, record, 0, record.length);
        } catch (RecordStoreException e) {
            throw fault("cannot change " + item.luid, e);
        }
    }

    private static byte[] record(Item item) throws StoreException {
        ByteArrayOutputStream octets = new ByteArrayOutputStream(item.body.length + 64);
        DataOutputStream out = new DataOutputStream(octets);
        try {
            out.writeByte(item.state);
            out.writeInt(item.edit);
            out.writeInt(item.parent);
            out.writeUTF(item.type);
            out.write(item.body);
        } catch (IOException e) {
            throw fault("cannot make a record", e);
        }
        return octets.toByteArray();
    }

    private static StoreException fault(String what, Exception why) {
        return new StoreException(what + ": " + why, why instanceof RecordStoreFullException);
    }
}
