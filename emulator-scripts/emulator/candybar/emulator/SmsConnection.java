package candybar.emulator;

import java.io.IOException;
import java.io.InterruptedIOException;

import javax.wireless.messaging.Message;
import javax.wireless.messaging.MessageConnection;
import javax.wireless.messaging.MessageListener;

/** A connection of JSR 120 on the emulated radio. It takes; it cannot send. */
final class SmsConnection implements MessageConnection, Runnable {
    private final Radio radio;
    private final String address;
    private MessageListener listener;
    private volatile boolean closed;

    SmsConnection(Radio radio, String address) {
        this.radio = radio;
        this.address = address;
    }

    boolean isClosed() {
        return closed;
    }

    public Message newMessage(String type) {
        return newMessage(type, null);
    }

    public Message newMessage(String type, String to) {
        if (!BINARY_MESSAGE.equals(type)) {
            throw new IllegalArgumentException("only messages of octets");
        }
        return new OctetMessage(to, null);
    }

    public void send(Message message) throws IOException {
        throw new IOException("the emulated phone sends no short messages");
    }

    public Message receive() throws IOException {
        try {
            byte[] octets = radio.take(this);
            if (octets == null) {
                throw new IOException("the connection is closed");
            }
            return new OctetMessage(address, octets);
        } catch (InterruptedException e) {
            throw new InterruptedIOException("interrupted");
        }
    }

    public synchronized void setMessageListener(MessageListener wanted) {
        boolean first = listener == null && wanted != null;
        listener = wanted;
        if (first) {
            Thread thread = new Thread(this, "sms listener");
            thread.setDaemon(true);
            thread.start();
        }
    }

    /** Tells the listener of every message. */
    public void run() {
        try {
            long told = 0;
            while (!closed) {
                long arrived = radio.await(told);
                MessageListener who = listener;
                for (; told < arrived && who != null; told++) {
                    who.notifyIncomingMessage(this);
                }
                told = arrived;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    public int numberOfSegments(Message message) {
        return 1;
    }

    public void close() {
        closed = true;
        radio.wake();
    }
}
