package candybar.store;

import java.io.IOException;

/** The phone's memory does not take or give what it should. */
public final class StoreException extends IOException {
    private final boolean full;

    StoreException(String what, boolean full) {
        super(what);
        this.full = full;
    }

    /** There is no room left. */
    public boolean isFull() {
        return full;
    }
}
