package javax.wireless.messaging;

/** A message of octets (JSR 120). */
public interface BinaryMessage extends Message {
    /** Its octets; null if there are none. */
    byte[] getPayloadData();

    /** Sets its octets. */
    void setPayloadData(byte[] data);
}
