package javax.wireless.messaging;

/** Is told of messages (JSR 120). */
public interface MessageListener {
    /** A message waits; it is to be received from another thread. */
    void notifyIncomingMessage(MessageConnection connection);
}
