package candybar.wbxml;

import java.util.Vector;

import candybar.codec.Utf8;

/** An element as it was read: its tag, the elements in it, its text or octets. */
public final class Element {
    private static final byte[] NOTHING = new byte[0];

    private final int tag;
    private final Vector children = new Vector();
    private byte[] data = NOTHING;

    Element(int tag) {
        this.tag = tag;
    }

    void add(Element child) {
        children.addElement(child);
    }

    void add(byte[] more) {
        if (data.length == 0) {
            data = more;
            return;
        }
        byte[] joined = new byte[data.length + more.length];
        System.arraycopy(data, 0, joined, 0, data.length);
        System.arraycopy(more, 0, joined, data.length, more.length);
        data = joined;
    }

    /** Its tag, one of {@link Tags}. */
    public int tag() {
        return tag;
    }

    /** How many elements it has. */
    public int size() {
        return children.size();
    }

    /** One of its elements. */
    public Element child(int index) {
        return (Element) children.elementAt(index);
    }

    /** The first element with that tag, or null. */
    public Element find(int wanted) {
        for (int i = 0; i < children.size(); i++) {
            if (child(i).tag == wanted) {
                return child(i);
            }
        }
        return null;
    }

    /** The element at the end of a path of two tags, or null. */
    public Element find(int outer, int inner) {
        Element found = find(outer);
        return found == null ? null : found.find(inner);
    }

    /** Its octets. */
    public byte[] octets() {
        return data;
    }

    /** Its text. */
    public String text() {
        return Utf8.decode(data);
    }

    /** The text of the first element with that tag, or "". */
    public String text(int wanted) {
        Element found = find(wanted);
        return found == null ? "" : found.text();
    }

    /** The text at the end of a path of two tags, or "". */
    public String text(int outer, int inner) {
        Element found = find(outer, inner);
        return found == null ? "" : found.text();
    }

    /** The number that is the text of an element, or the other value. */
    public int number(int wanted, int otherwise) {
        return number(text(wanted), otherwise);
    }

    /** The number of a text, or the other value. */
    public static int number(String text, int otherwise) {
        try {
            return Integer.parseInt(text.trim());
        } catch (NumberFormatException e) {
            return otherwise;
        }
    }
}
