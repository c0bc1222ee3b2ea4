package javax.wireless.messaging;

/** A message of text (JSR 120). */
public interface TextMessage extends Message {
    /** Its text; null if there is none. */
    String getPayloadText();

    /** Sets its text. */
    void setPayloadText(String data);
}
