package candybar.syncml;

import java.io.IOException;

/** The server does not go on with the session, or with a datastore. */
public final class SyncException extends IOException {
    private final int status;

    SyncException(int status, String what) {
        super(what);
        this.status = status;
    }

    /** The Status of the server; 0 if there is none. */
    public int status() {
        return status;
    }
}
