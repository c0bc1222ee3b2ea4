package candybar.emulator;

import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

import javax.microedition.io.ConnectionNotFoundException;

import org.microemu.microedition.Implementation;
import org.microemu.microedition.io.PushRegistryDelegate;

/**
 * The phone's push registry (MIDP 2.0): which MIDlet is started for which connection. It is kept beside the phone's record
 * stores, so that {@link Phone} knows it while nothing runs.
 */
final class Registry implements PushRegistryDelegate, Implementation {
    private final Radio radio;
    private final Properties midlets = new Properties();
    private final File file = file();

    Registry(Radio radio) throws IOException {
        this.radio = radio;
        if (file.exists()) {
            try (InputStream in = new FileInputStream(file)) {
                midlets.load(in);
            }
        }
    }

    /** A MIDlet is registered on this phone. */
    static boolean isUsed() {
        return file().exists();
    }

    private static File file() {
        return new File(new File(System.getProperty("user.home"), ".microemulator"), "push-registry");
    }

    public synchronized void registerConnection(String connection, String midlet, String filter)
            throws IOException {
        if (midlets.containsKey(connection)) {
            throw new IOException(connection + " is registered already");
        }
        midlets.setProperty(connection, midlet + " " + filter);
        save();
    }

    public synchronized boolean unregisterConnection(String connection) {
        if (midlets.remove(connection) == null) {
            return false;
        }
        try {
            save();
        } catch (IOException e) {
            System.err.println("the push registry cannot be saved: " + e.getMessage());
        }
        return true;
    }

    public synchronized String[] listConnections(boolean available) {
        List<String> names = new ArrayList<String>();
        if (!available || radio.hasMessage()) {
            names.addAll(midlets.stringPropertyNames());
        }
        return names.toArray(new String[0]);
    }

    public synchronized String getMIDlet(String connection) {
        return part(connection, 0);
    }

    public synchronized String getFilter(String connection) {
        return part(connection, 1);
    }

    public long registerAlarm(String midlet, long time) throws ConnectionNotFoundException {
        throw new ConnectionNotFoundException("the emulated phone has no alarms");
    }

    private String part(String connection, int index) {
        String entry = midlets.getProperty(connection);
        return entry == null ? null : entry.split(" ", 2)[index];
    }

    private void save() throws IOException {
        File folder = file.getParentFile();
        if (!folder.isDirectory() && !folder.mkdirs()) {
            throw new IOException("cannot make " + folder);
        }
        try (OutputStream out = new FileOutputStream(file)) {
            midlets.store(out, null);
        }
    }
}
