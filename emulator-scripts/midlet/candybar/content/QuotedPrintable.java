package candybar.content;

import java.io.ByteArrayOutputStream;

import candybar.codec.Utf8;

/** Quoted-printable (RFC 2045, section 6.7). */
public final class QuotedPrintable {
    private static final String HEX = "0123456789ABCDEF";

    private QuotedPrintable() {
    }

    /** The octets on one line. */
    public static String encode(byte[] octets) {
        StringBuffer text = new StringBuffer();
        for (int i = 0; i < octets.length; i++) {
            int octet = octets[i] & 0xFF;
            if (octet >= ' ' && octet <= '~' && octet != '=') {
                text.append((char) octet);
            } else {
                text.append('=').append(HEX.charAt(octet >> 4)).append(HEX.charAt(octet & 15));
            }
        }
        return text.toString();
    }

    /** The octets of a text. Soft line breaks go; what is wrong stays as it is. */
    public static byte[] decode(String text) {
        byte[] octets = Utf8.encode(text);
        ByteArrayOutputStream out = new ByteArrayOutputStream(octets.length);
        for (int i = 0; i < octets.length; i++) {
            int high = digit(octets, i + 1);
            int low = digit(octets, i + 2);
            if (octets[i] != '=') {
                out.write(octets[i]);
            } else if (high >= 0 && low >= 0) {
                out.write(high << 4 | low);
                i += 2;
            } else if (is(octets, i + 1, '\n')) {
                i++;
            } else if (is(octets, i + 1, '\r') && is(octets, i + 2, '\n')) {
                i += 2;
            } else {
                out.write('=');
            }
        }
        return out.toByteArray();
    }

    private static int digit(byte[] octets, int at) {
        return at < octets.length ? HEX.indexOf(Character.toUpperCase((char) octets[at])) : -1;
    }

    private static boolean is(byte[] octets, int at, char wanted) {
        return at < octets.length && octets[at] == wanted;
    }
}
