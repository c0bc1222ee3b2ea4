package candybar.syncml;

import candybar.store.Items;

/** A datastore of the phone: its name here and on the server, what its items are, and how two versions become one. */
public class Datastore {
    private final String name;
    private final String type;
    private final String version;
    private final String[] fields;
    private final Items items;

    /** A datastore; without fields it holds whatever an item has. */
    public Datastore(String name, String type, String version, String[] fields, Items items) {
        this.name = name;
        this.type = type;
        this.version = version;
        this.fields = fields;
        this.items = items;
    }

    /** Its name, which is its address on the server as well. */
    public String name() {
        return name;
    }

    /** Media type of its items. */
    public String type() {
        return type;
    }

    /** Version of that type. */
    public String version() {
        return version;
    }

    /** The properties that it holds; empty: all. */
    public String[] fields() {
        return fields;
    }

    /** Its items. */
    public Items items() {
        return items;
    }

    /** What the phone keeps when the server sends a change of an item. */
    public byte[] changed(byte[] held, byte[] received) {
        return received;
    }

    /** What goes to the server for an edit of an item that it has. */
    public byte[] sent(byte[] held) {
        return held;
    }

    /** Media type of its folders; "": it has none. */
    public String folderType() {
        return "";
    }
}
