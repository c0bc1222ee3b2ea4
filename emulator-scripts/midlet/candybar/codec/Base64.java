package candybar.codec;

/** Base64 (RFC 4648, section 4). */
public final class Base64 {
    private static final String ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    private Base64() {
    }

    /** The octets as text, without line breaks. */
    public static String encode(byte[] octets) {
        StringBuffer text = new StringBuffer((octets.length + 2) / 3 * 4);
        for (int at = 0; at < octets.length; at += 3) {
            int left = octets.length - at;
            int bits = (octets[at] & 0xff) << 16;
            if (left > 1) {
                bits |= (octets[at + 1] & 0xff) << 8;
            }
            if (left > 2) {
                bits |= octets[at + 2] & 0xff;
            }
            text.append(ALPHABET.charAt(bits >> 18));
            text.append(ALPHABET.charAt(bits >> 12 & 63));
            text.append(left > 1 ? ALPHABET.charAt(bits >> 6 & 63) : '=');
            text.append(left > 2 ? ALPHABET.charAt(bits & 63) : '=');
        }
        return text.toString();
    }

    /** The octets of a text; what is not of the alphabet is passed over. */
    public static byte[] decode(String text) {
        int length = 0;
        for (int i = 0; i < text.length(); i++) {
            if (ALPHABET.indexOf(text.charAt(i)) >= 0) {
                length++;
            }
        }
        byte[] octets = new byte[length * 3 / 4];
        int bits = 0;
        int held = 0;
        int at = 0;
        for (int i = 0; i < text.length(); i++) {
            int value = ALPHABET.indexOf(text.charAt(i));
            if (value < 0) {
                continue;
            }
            bits = bits << 6 | value;
            held += 6;
            if (held >= 8) {
                held -= 8;
                octets[at++] = (byte) (bits >> held);
            }
        }
        return octets;
    }
}
