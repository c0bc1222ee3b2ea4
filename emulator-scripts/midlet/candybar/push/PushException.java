package candybar.push;

import java.io.IOException;

/** A push that is none, or that nobody has signed. */
public final class PushException extends IOException {
    PushException(String what) {
        super(what);
    }
}
