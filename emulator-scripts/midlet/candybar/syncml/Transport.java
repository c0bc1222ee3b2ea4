package candybar.syncml;

import java.io.IOException;

/** A way to the server. */
public interface Transport {
    /** Sends a message and gives the answer. */
    byte[] exchange(String url, byte[] message) throws IOException;
}
