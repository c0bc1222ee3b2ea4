package candybar.ui;

import java.io.IOException;
import java.util.Vector;

import javax.microedition.lcdui.Command;
import javax.microedition.lcdui.CommandListener;
import javax.microedition.lcdui.Displayable;
import javax.microedition.lcdui.Form;
import javax.microedition.lcdui.Gauge;
import javax.microedition.lcdui.StringItem;

import candybar.syncml.Mode;
import candybar.syncml.Progress;
import candybar.syncml.Sync;

/** A sync that the user began: how it goes, then what it did. */
final class SyncScreen extends Form implements CommandListener, Runnable, Progress {
    private static final Command STOP = new Command("Stop", Command.STOP, 1);

    private final Screens screens;
    private final Vector names;
    private volatile boolean stopped;
    private final Gauge gauge = new Gauge("", false, Gauge.INDEFINITE, Gauge.CONTINUOUS_RUNNING);

    SyncScreen(Screens screens, Vector names) {
        super("Synchronising");
        this.screens = screens;
        this.names = names;
        append(gauge);
        addCommand(STOP);
        setCommandListener(this);
    }

    public void step(String what) {
        gauge.setLabel(what);
    }

    public boolean goesOn(int messages) {
        return !stopped;
    }

    public void run() {
        try {
            Vector syncs = screens.organiser().sync(names, Mode.TWO_WAY, this);
            deleteAll();
            for (int i = 0; syncs != null && i < syncs.size(); i++) {
                Sync sync = (Sync) syncs.elementAt(i);
                append(new StringItem(sync.name(), summary(sync)));
            }
            if (syncs == null) {
                append(new StringItem(null, "The next synchronisation goes on from here."));
            }
            setTitle(syncs == null ? "Stopped" : "Done");
        } catch (IOException e) {
            deleteAll();
            setTitle("That went wrong");
            append(new StringItem(null, e.getMessage() == null ? e.toString() : e.getMessage()));
        }
        removeCommand(STOP);
        addCommand(Screens.BACK);
    }

    /** What a sync did with a datastore, for people. */
    static String summary(Sync sync) {
        if (sync.refused() != 0) {
            return sync.refused() == 404 ? "the server has none" : "refused with Status " + sync.refused();
        }
        int received = sync.added() + sync.replaced() + sync.deleted();
        String text = sync.uploaded() + " sent, " + received + " received";
        return sync.failed() == 0 ? text : text + ", " + sync.failed() + " failed";
    }

    public void commandAction(Command command, Displayable screen) {
        if (command == STOP) {
            stopped = true;
            return;
        }
        screens.home();
    }
}
