package candybar.emulator;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.LinkedList;

/**
 * The phone's radio: a UDP socket on loopback whose datagrams are short messages. There is one for each phone, which is each
 * process. It is on before the MIDlet runs, and keeps what comes until somebody takes it.
 *
 * <p>The property candybar.udp names the UDP port; 0, or nothing, takes a free one. Which one it is stands on standard
 * output.
 */
final class Radio implements Runnable {
    private static final int MOST_OCTETS = 64 << 10;
    /** Messages that the phone keeps; a phone whose memory is full takes no more. */
    private static final int MOST_MESSAGES = 200;

    private static Radio instance;

    private final DatagramSocket socket;
    private final LinkedList<byte[]> messages = new LinkedList<byte[]>();
    /** How many came so far. */
    private long arrived;

    private Radio() throws IOException {
        int port = Integer.getInteger("candybar.udp", 0).intValue();
        socket = new DatagramSocket(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), port));
        System.out.println("{\"event\":\"radio\",\"udp\":" + socket.getLocalPort() + "}");
        Thread thread = new Thread(this, "radio");
        thread.setDaemon(true);
        thread.start();
    }

    /** The phone's radio; it is switched on by the first who asks. */
    static synchronized Radio instance() throws IOException {
        if (instance == null) {
            instance = new Radio();
        }
        return instance;
    }

    public void run() {
        byte[] buffer = new byte[MOST_OCTETS];
        while (true) {
            DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
            try {
                socket.receive(packet);
            } catch (IOException e) {
                System.err.println("the radio is off: " + e.getMessage());
                return;
            }
            byte[] message = Arrays.copyOf(packet.getData(), packet.getLength());
            synchronized (this) {
                if (messages.size() < MOST_MESSAGES) {
                    messages.add(message);
                    arrived++;
                }
                notifyAll();
            }
        }
    }

    /** A message waits. */
    synchronized boolean hasMessage() {
        return !messages.isEmpty();
    }

    /** Waits until more than that many messages came, and leaves them there. Gives how many came. */
    synchronized long await(long seen) throws InterruptedException {
        while (arrived <= seen) {
            wait();
        }
        return arrived;
    }

    /** The next message; waits for it. Null if the connection was closed meanwhile. */
    synchronized byte[] take(SmsConnection connection) throws InterruptedException {
        while (messages.isEmpty() && !connection.isClosed()) {
            wait();
        }
        return connection.isClosed() ? null : messages.removeFirst();
    }

    /** Wakes whoever waits. */
    synchronized void wake() {
        notifyAll();
    }
}
