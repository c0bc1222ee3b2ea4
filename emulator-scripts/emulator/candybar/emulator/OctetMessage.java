package candybar.emulator;

import java.util.Date;

import javax.wireless.messaging.BinaryMessage;

/** A message of octets. */
final class OctetMessage implements BinaryMessage {
    private String address;
    private byte[] data;

    OctetMessage(String address, byte[] data) {
        this.address = address;
        this.data = data;
    }

    public String getAddress() {
        return address;
    }

    public void setAddress(String address) {
        this.address = address;
    }

    public Date getTimestamp() {
        return null;
    }

    public byte[] getPayloadData() {
        return data;
    }

    public void setPayloadData(byte[] data) {
        this.data = data;
    }
}
