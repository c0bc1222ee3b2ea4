package candybar.syncml;

import java.io.ByteArrayOutputStream;

/** An object of the server that comes in chunks (Sync Protocol 1.1, section 2.10). */
final class Chunks {
    /** Add or Replace, and the address that the chunks share. */
    final int tag;
    final String address;
    /** LUID of the folder, as {@link Incoming} has it. */
    final int parent;
    final String type;
    final boolean base64;
    private final int size;
    private final ByteArrayOutputStream octets = new ByteArrayOutputStream();

    Chunks(int tag, String address, int parent, String type, boolean base64, int size) {
        this.tag = tag;
        this.address = address;
        this.parent = parent;
        this.type = type;
        this.base64 = base64;
        this.size = size;
    }

    boolean continues(int tag, String address) {
        return this.tag == tag && this.address.equals(address);
    }

    void add(byte[] more) {
        octets.write(more, 0, more.length);
    }

    int length() {
        return octets.size();
    }

    /** It is as long as was announced. */
    boolean isWhole() {
        return octets.size() == size;
    }

    byte[] toByteArray() {
        return octets.toByteArray();
    }
}
