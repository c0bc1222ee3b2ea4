package candybar.wbxml;

import java.io.IOException;

/** Octets that are no WBXML, or more of it than this phone takes. */
public final class WbxmlException extends IOException {
    /** What is wrong, and after how many octets. */
    public WbxmlException(String what, int at) {
        super(what + " at octet " + at);
    }
}
