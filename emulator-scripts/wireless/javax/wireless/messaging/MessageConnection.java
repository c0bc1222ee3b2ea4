package javax.wireless.messaging;

import java.io.IOException;
import java.io.InterruptedIOException;

import javax.microedition.io.Connection;

/** A connection for messages: sms://:PORT takes them, sms://NUMBER:PORT sends them (JSR 120). */
public interface MessageConnection extends Connection {
    /** Type of a {@link TextMessage}. */
    String TEXT_MESSAGE = "text";
    /** Type of a {@link BinaryMessage}. */
    String BINARY_MESSAGE = "binary";

    /** Makes a message of a type. */
    Message newMessage(String type);

    /** Makes a message of a type to an address. */
    Message newMessage(String type, String address);

    /** Sends a message. */
    void send(Message message) throws IOException, InterruptedIOException;

    /** The next message; waits for it. */
    Message receive() throws IOException, InterruptedIOException;

    /** Who is told of messages; null: nobody. */
    void setMessageListener(MessageListener listener) throws IOException;

    /** How many short messages a message would take. */
    int numberOfSegments(Message message);
}
