package candybar.app;

import javax.microedition.midlet.MIDlet;
import javax.microedition.midlet.MIDletStateChangeException;

import candybar.store.StoreException;

/** The MIDlet: screens for people, or a script for tests. */
public final class CandybarMidlet extends MIDlet {
    private Organiser organiser;

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
        }
    }

    protected void pauseApp() {
    }

    protected void destroyApp(boolean unconditional) {
    }

    /** Ends it. */
    void quit() {
        destroyApp(true);
        notifyDestroyed();
    }
}
