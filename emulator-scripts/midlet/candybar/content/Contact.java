package candybar.content;

import candybar.codec.Utf8;
import candybar.store.Item;

/** A contact as the phone shows it. */
public final class Contact {
    /** Media type of contacts. */
    public static final String TYPE = "text/x-vcard";
    /** Its version. */
    public static final String VERSION = "2.1";
    /** What the phone holds of a contact. */
    public static final String[] FIELDS = {
        "BEGIN", "END", "VERSION", "N", "FN", "TEL", "EMAIL", "ADR", "ORG", "TITLE", "URL", "BDAY", "NOTE", "PHOTO"
    };

    private Contact() {
    }

    /** A new one. */
    public static byte[] make(String family, String given, String number) {
        String text = "BEGIN:VCARD\r\nVERSION:2.1\r\nEND:VCARD\r\n";
        text = Lines.with(text, "N", family + ";" + given);
        return Utf8.encode(number.length() == 0 ? text : Lines.with(text, "TEL;CELL", number));
    }

    /** Its name, as a line. */
    public static String name(Item item) {
        String name = Lines.value(item.text(), "N");
        String whole = (Lines.part(name, 1) + " " + Lines.part(name, 0)).trim();
        return whole.length() > 0 ? whole : Lines.value(item.text(), "FN");
    }

    /** Its first number. */
    public static String number(Item item) {
        return Lines.value(item.text(), "TEL");
    }

    /** It with another number. */
    public static byte[] withNumber(Item item, String number) {
        return Utf8.encode(Lines.with(item.text(), "TEL", number));
    }

    /** It with another note. */
    public static byte[] withNote(Item item, String note) {
        return Utf8.encode(Lines.with(item.text(), "NOTE", note));
    }
}
