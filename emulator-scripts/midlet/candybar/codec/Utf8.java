package candybar.codec;

import java.io.UnsupportedEncodingException;

/** Text as UTF-8, which every phone of MIDP 2.0 knows. */
public final class Utf8 {
    private static final String NAME = "UTF-8";

    private Utf8() {
    }

    /** The octets of a text. */
    public static byte[] encode(String text) {
        try {
            return text.getBytes(NAME);
        } catch (UnsupportedEncodingException e) {
            throw new RuntimeException(e.getMessage());
        }
    }

    /** The text of octets. */
    public static String decode(byte[] octets) {
        return decode(octets, 0, octets.length);
    }

    /** The text of some of the octets. */
    public static String decode(byte[] octets, int from, int length) {
        try {
            return new String(octets, from, length, NAME);
        } catch (UnsupportedEncodingException e) {
            throw new RuntimeException(e.getMessage());
        }
    }
}
