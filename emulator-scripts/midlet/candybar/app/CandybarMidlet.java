package candybar.app;

import javax.microedition.lcdui.AlertType;
import javax.microedition.lcdui.Display;
import javax.microedition.midlet.MIDlet;
import javax.microedition.midlet.MIDletStateChangeException;

import candybar.push.SmsListener;
import candybar.store.StoreException;
import candybar.ui.Screens;

/** The MIDlet: screens for people, or a script for tests. */
public final class CandybarMidlet extends MIDlet {
    private Organiser organiser;
    private SmsListener listener;

    protected void startApp() throws MIDletStateChangeException {
        if (organiser != null) {
            return;
        }
        try {
            organiser = new Organiser(this);
        } catch (StoreException e) {
            throw new MIDletStateChangeException(e.getMessage());
        }
        if (Script.isThere(organiser.settings())) {
            new Thread(new Script(this, organiser)).start();
        } else {
            showScreens();
        }
    }

    private void showScreens() {
        Screens screens = new Screens(Display.getDisplay(this), organiser, new Runnable() {
            public void run() {
                quit();
            }
        });
        screens.home();
        Settings settings = organiser.settings();
        listener = new SmsListener(settings.port(), getClass().getName(), new Alarm(organiser, screens));
        try {
            listener.start();
        } catch (Exception e) {
            // Phones refuse with a SecurityException of their own. The program works without notifications.
            listener = null;
            screens.tell("No notifications", "Synchronise by hand. " + e.getMessage(), AlertType.INFO);
        }
        if (settings.attribute("Sync").equals("start")) {
            screens.sync(organiser.names());
        }
    }

    protected void pauseApp() {
    }

    protected void destroyApp(boolean unconditional) {
        if (listener != null) {
            listener.close();
            listener = null;
        }
    }

    /** Ends it. */
    void quit() {
        destroyApp(true);
        notifyDestroyed();
    }
}
