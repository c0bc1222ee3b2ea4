package candybar.codec;

/** The digest with which either side shows that it knows a password (SyncML Representation Protocol 1.1, section 5.3). */
public final class Proof {
    private Proof() {
    }

    /** MD5 of base64 of MD5 of "name:password", a colon, and the nonce's octets. */
    public static byte[] of(String name, String password, byte[] nonce) {
        return Md5.digest(joined(Utf8.encode(secret(name, password) + ":"), nonce));
    }

    /** Base64 of MD5 of "name:password". */
    public static String secret(String name, String password) {
        return Base64.encode(Md5.digest(Utf8.encode(name + ":" + password)));
    }

    /** One after the other. */
    public static byte[] joined(byte[] first, byte[] second) {
        byte[] all = new byte[first.length + second.length];
        System.arraycopy(first, 0, all, 0, first.length);
        System.arraycopy(second, 0, all, first.length, second.length);
        return all;
    }

    /** Both are the same; how long that takes tells nothing of where they differ. */
    public static boolean same(byte[] one, byte[] other) {
        int difference = one.length ^ other.length;
        for (int i = 0; i < Math.min(one.length, other.length); i++) {
            difference |= one[i] ^ other[i];
        }
        return difference == 0;
    }
}
