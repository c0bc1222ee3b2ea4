package candybar.app;

import java.io.IOException;
import java.util.Vector;

import javax.microedition.lcdui.AlertType;

import candybar.push.Notification;
import candybar.push.SmsListener;
import candybar.syncml.Progress;
import candybar.syncml.Sync;
import candybar.ui.Screens;

/** Follows notifications while people use the phone, and tells them what came. */
final class Alarm implements SmsListener.Receiver, Progress {
    private final Organiser organiser;
    private final Screens screens;

    Alarm(Organiser organiser, Screens screens) {
        this.organiser = organiser;
        this.screens = screens;
    }

    public void received(Notification notification) {
        try {
            if (!organiser.believes(notification)) {
                return;
            }
            Vector syncs = organiser.follow(notification, this);
            int received = 0;
            for (int i = 0; i < syncs.size(); i++) {
                Sync sync = (Sync) syncs.elementAt(i);
                received += sync.added() + sync.replaced() + sync.deleted();
            }
            if (received > 0) {
                screens.home();
                screens.tell("candybar", received == 1 ? "1 change came" : received + " changes came", AlertType.ALARM);
            }
        } catch (IOException e) {
            screens.tell("The server called", "but: " + e.getMessage(), AlertType.WARNING);
        }
    }

    public void failed(String why) {
        // Other messages at this port are none of this program's business.
    }

    public void step(String what) {
        // The user did not begin it, and sees its end.
    }

    public boolean goesOn(int messages) {
        return true;
    }
}
