package candybar.syncml;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

import javax.microedition.io.Connector;
import javax.microedition.io.HttpConnection;

/** SyncML over HTTP: a message is the body of a POST, the answer that of its response (HTTP Binding 1.1). */
public final class HttpTransport implements Transport {
    private static final String TYPE = "application/vnd.syncml+wbxml";
    /** Octets of an answer; a server has to keep to the phone's MaxMsgSize. */
    private static final int MAX_ANSWER = 1 << 20;

    private final String userAgent;

    /** The phone shows itself to the server by this name. */
    public HttpTransport(String userAgent) {
        this.userAgent = userAgent;
    }

    public byte[] exchange(String url, byte[] message) throws IOException {
        HttpConnection connection = (HttpConnection) Connector.open(url, Connector.READ_WRITE, true);
        try {
            connection.setRequestMethod(HttpConnection.POST);
            connection.setRequestProperty("Content-Type", TYPE);
            connection.setRequestProperty("Accept", TYPE);
            connection.setRequestProperty("User-Agent", userAgent);
            connection.setRequestProperty("Content-Length", Integer.toString(message.length));
            OutputStream out = connection.openOutputStream();
            try {
                out.write(message);
            } finally {
                out.close();
            }
            int status = connection.getResponseCode();
            if (status != HttpConnection.HTTP_OK) {
                throw new IOException("the server answered with HTTP " + status);
            }
            InputStream in = connection.openInputStream();
            try {
                return all(in);
            } finally {
                in.close();
            }
        } finally {
            connection.close();
        }
    }

    private static byte[] all(InputStream in) throws IOException {
        ByteArrayOutputStream octets = new ByteArrayOutputStream();
        byte[] buffer = new byte[1024];
        int length = in.read(buffer);
        while (length >= 0) {
            octets.write(buffer, 0, length);
            if (octets.size() > MAX_ANSWER) {
                throw new IOException("the answer is too large");
            }
            length = in.read(buffer);
        }
        return octets.toByteArray();
    }
}
