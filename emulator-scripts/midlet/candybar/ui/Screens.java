package candybar.ui;

import java.io.IOException;
import java.util.Vector;

import javax.microedition.lcdui.Alert;
import javax.microedition.lcdui.AlertType;
import javax.microedition.lcdui.Command;
import javax.microedition.lcdui.Display;
import javax.microedition.lcdui.Displayable;

import candybar.app.Organiser;
import candybar.store.Item;

/** Which screen is shown, and what the screens share. */
public final class Screens {
    /** Leads back to the screen before. */
    static final Command BACK = new Command("Back", Command.BACK, 9);

    private final Display display;
    private final Organiser organiser;
    private final Runnable exit;

    /** Screens on a display. The last thing that the user can do is to exit. */
    public Screens(Display display, Organiser organiser, Runnable exit) {
        this.display = display;
        this.organiser = organiser;
        this.exit = exit;
    }

    Organiser organiser() {
        return organiser;
    }

    /** The first screen. */
    public void home() {
        show(new HomeScreen(this));
    }

    void list(String datastore) {
        if (datastore.equals(Organiser.MAIL)) {
            show(new MailList(this));
        } else {
            show(new ItemList(this, datastore));
        }
    }

    void open(String datastore, Item item) {
        if (datastore.equals(Organiser.CONTACTS)) {
            show(new ContactForm(this, item));
        } else {
            show(new EventForm(this, item));
        }
    }

    void settings() {
        show(new SettingsForm(this));
    }

    /** Synchronises, and shows how it goes. */
    public void sync(Vector names) {
        SyncScreen screen = new SyncScreen(this, names);
        show(screen);
        new Thread(screen).start();
    }

    void show(Displayable screen) {
        display.setCurrent(screen);
    }

    /** Tells the user something, over the screen that is shown. */
    public void tell(String title, String text, AlertType type) {
        Displayable current = display.getCurrent();
        Alert alert = new Alert(title, text, null, type);
        alert.setTimeout(type == AlertType.ERROR ? Alert.FOREVER : 3000);
        if (current == null || current instanceof Alert) {
            display.setCurrent(alert, new HomeScreen(this));
        } else {
            display.setCurrent(alert, current);
        }
    }

    void fail(IOException why) {
        tell("That went wrong", why.getMessage() == null ? why.toString() : why.getMessage(), AlertType.ERROR);
    }

    void exit() {
        exit.run();
    }
}
