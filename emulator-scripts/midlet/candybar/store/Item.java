package candybar.store;

import candybar.codec.Utf8;

/** An item of the phone. Its LUID is its number in the record store, which RMS gives only once. */
public final class Item {
    /** The server has it as it is here. */
    public static final int CLEAN = 0;
    /** It is new here. */
    public static final int ADDED = 1;
    /** The user changed it. */
    public static final int CHANGED = 2;
    /** The user deleted it; the server does not know yet. */
    public static final int DELETED = 3;

    final int luid;
    final int state;
    /** Counts edits, so that an edit during a session is not taken for sent. */
    final int edit;
    /** LUID of its folder; 0: none. */
    final int parent;
    final String type;
    final byte[] body;

    Item(int luid, int state, int edit, int parent, String type, byte[] body) {
        this.luid = luid;
        this.state = state;
        this.edit = edit;
        this.parent = parent;
        this.type = type;
        this.body = body;
    }

    /** The phone's id of it. */
    public int luid() {
        return luid;
    }

    /** What the server does not know of it. */
    public int state() {
        return state;
    }

    /** Which of its edits this is. */
    public int edit() {
        return edit;
    }

    /** LUID of the folder that it is in; 0: none. */
    public int parent() {
        return parent;
    }

    /** Its media type. */
    public String type() {
        return type;
    }

    /** Its octets. */
    public byte[] body() {
        return body;
    }

    /** Its octets as text. */
    public String text() {
        return Utf8.decode(body);
    }
}
