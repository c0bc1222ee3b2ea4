package candybar.store;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Enumeration;
import java.util.Hashtable;
import java.util.Vector;

import javax.microedition.rms.RecordEnumeration;
import javax.microedition.rms.RecordStore;
import javax.microedition.rms.RecordStoreException;

/** What the phone notes beside its items: anchors, nonces, Maps that are not confirmed, settings. Names and texts. */
public final class Ledger {
    private final RecordStore records;
    /** Name to number of record. */
    private final Hashtable places = new Hashtable();
    /** Name to text. */
    private final Hashtable texts = new Hashtable();

    /** Opens the record store and reads it. */
    public Ledger() throws StoreException {
        try {
            records = RecordStore.openRecordStore("candybar-ledger", true);
            RecordEnumeration found = records.enumerateRecords(null, null, false);
            while (found.hasNextElement()) {
                int place = found.nextRecordId();
                byte[] record = records.getRecord(place);
                DataInputStream in = new DataInputStream(new ByteArrayInputStream(record));
                String name = in.readUTF();
                places.put(name, new Integer(place));
                texts.put(name, in.readUTF());
            }
            found.destroy();
        } catch (RecordStoreException e) {
            throw new StoreException("cannot open the ledger: " + e, false);
        } catch (IOException e) {
            throw new StoreException("the ledger is broken: " + e, false);
        }
    }

    /** The text of that name, or "". */
    public synchronized String text(String name) {
        Object text = texts.get(name);
        return text == null ? "" : (String) text;
    }

    /** Notes a text; "" takes the name away. */
    public synchronized void note(String name, String text) throws StoreException {
        if (text.equals(text(name))) {
            return;
        }
        Integer place = (Integer) places.get(name);
        try {
            if (text.length() == 0) {
                records.deleteRecord(place.intValue());
                places.remove(name);
                texts.remove(name);
                return;
            }
            ByteArrayOutputStream octets = new ByteArrayOutputStream();
            DataOutputStream out = new DataOutputStream(octets);
            out.writeUTF(name);
            out.writeUTF(text);
            byte[] record = octets.toByteArray();
            if (place == null) {
                places.put(name, new Integer(records.addRecord(record, 0, record.length)));
            } else {
                records.setRecord(place.intValue(), record, 0, record.length);
            }
            texts.put(name, text);
        } catch (RecordStoreException e) {
            throw new StoreException("cannot note " + name + ": " + e, false);
        } catch (IOException e) {
            throw new StoreException("cannot note " + name + ": " + e, false);
        }
    }

    /** All names that begin so. */
    public synchronized Vector names(String beginning) {
        Vector names = new Vector();
        Enumeration keys = texts.keys();
        while (keys.hasMoreElements()) {
            String name = (String) keys.nextElement();
            if (name.startsWith(beginning)) {
                names.addElement(name);
            }
        }
        return names;
    }
}
