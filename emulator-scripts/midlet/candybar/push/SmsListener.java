package candybar.push;

import java.io.IOException;

import javax.microedition.io.Connector;
import javax.microedition.io.PushRegistry;
import javax.wireless.messaging.BinaryMessage;
import javax.wireless.messaging.Message;
import javax.wireless.messaging.MessageConnection;

/** Takes short messages on a port, in a thread of its own, and hands the notifications in them on. */
public final class SmsListener implements Runnable {
    private final String address;
    private final String midlet;
    private final Receiver receiver;
    private volatile boolean closed;
    private MessageConnection connection;

    /** Who is told. Calls come from the listener's thread. */
    public interface Receiver {
        /** A notification came; whether it is to be believed is for the receiver to say. */
        void received(Notification notification);

        /** Something else came, or nothing can come. */
        void failed(String why);
    }

    /** A listener on a port, for the MIDlet of that class name. */
    public SmsListener(int port, String midlet, Receiver receiver) {
        this.address = "sms://:" + port;
        this.midlet = midlet;
        this.receiver = receiver;
    }

    /** Opens the port and begins. From now on the phone starts the MIDlet for messages that come while it does not run. */
    public void start() throws IOException {
        register();
        connection = (MessageConnection) Connector.open(address);
        new Thread(this).start();
    }

    /** The phone started the MIDlet because of a message. */
    public static boolean wasWoken() {
        String[] woken = PushRegistry.listConnections(true);
        return woken != null && woken.length > 0;
    }

    private void register() throws IOException {
        String[] known = PushRegistry.listConnections(false);
        for (int i = 0; known != null && i < known.length; i++) {
            if (known[i].equals(address)) {
                return;
            }
        }
        try {
            PushRegistry.registerConnection(address, midlet, "*");
        } catch (ClassNotFoundException e) {
            throw new IOException("the phone does not know " + midlet);
        }
    }

    /** Ends it. */
    public void close() {
        closed = true;
        try {
            connection.close();
        } catch (IOException e) {
            receiver.failed("the port does not close: " + e.getMessage());
        }
    }

    public void run() {
        while (!closed) {
            try {
                take(connection.receive());
            } catch (PushException e) {
                receiver.failed(e.getMessage());
            } catch (IOException e) {
                if (!closed) {
                    closed = true;
                    receiver.failed("no more messages: " + e.getMessage());
                }
            }
        }
    }

    private void take(Message message) throws PushException {
        if (!(message instanceof BinaryMessage)) {
            receiver.failed("a text came");
            return;
        }
        WspPush push = WspPush.read(((BinaryMessage) message).getPayloadData());
        Notification notification = Notification.of(push);
        if (notification == null) {
            receiver.failed("a push of type " + push.type());
        } else {
            receiver.received(notification);
        }
    }
}
