package candybar.syncml;

/** Kinds of sync, by their Alert codes (Sync Protocol 1.1, section 11.2). */
public final class Mode {
    public static final int TWO_WAY = 200;
    public static final int SLOW = 201;
    public static final int ONE_WAY_FROM_CLIENT = 202;
    public static final int REFRESH_FROM_CLIENT = 203;
    public static final int ONE_WAY_FROM_SERVER = 204;
    public static final int REFRESH_FROM_SERVER = 205;

    /** Ends this session; the next one resumes it. */
    static final int SUSPEND = 224;
    /** Goes on with the session before. */
    static final int RESUME = 225;

    private static final int BY_SERVER_TWO_WAY = 206;
    private static final int BY_SERVER_LAST = 210;

    private Mode() {
    }

    /** The kind that a phone begins when the server asks for one by a code of 206 to 210. */
    public static int asked(int code) {
        if (code == BY_SERVER_TWO_WAY) {
            return TWO_WAY;
        }
        return code > BY_SERVER_TWO_WAY && code <= BY_SERVER_LAST ? code - 5 : code;
    }

    /** The phone sends every item, whatever the server knows. */
    static boolean sendsAll(int mode) {
        return mode == SLOW || mode == REFRESH_FROM_CLIENT;
    }

    /** The phone sends something. */
    static boolean sends(int mode) {
        return mode != ONE_WAY_FROM_SERVER && mode != REFRESH_FROM_SERVER;
    }
}
