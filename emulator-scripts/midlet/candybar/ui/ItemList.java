package candybar.ui;

import java.io.IOException;
import java.util.Vector;

import javax.microedition.lcdui.Choice;
import javax.microedition.lcdui.Command;
import javax.microedition.lcdui.CommandListener;
import javax.microedition.lcdui.Displayable;
import javax.microedition.lcdui.List;

import candybar.app.Organiser;
import candybar.content.Contact;
import candybar.content.Event;
import candybar.store.Item;

/** The contacts, or the calendar. */
final class ItemList extends List implements CommandListener {
    private static final Command NEW = new Command("New", Command.SCREEN, 2);

    private final Screens screens;
    private final String datastore;
    private Vector items = new Vector();

    ItemList(Screens screens, String datastore) {
        super(datastore.equals(Organiser.CONTACTS) ? "Contacts" : "Calendar", Choice.IMPLICIT);
        this.screens = screens;
        this.datastore = datastore;
        try {
            items = screens.organiser().items(datastore).present();
            for (int i = 0; i < items.size(); i++) {
                append(line((Item) items.elementAt(i)), null);
            }
        } catch (IOException e) {
            append(e.getMessage(), null);
        }
        addCommand(NEW);
        addCommand(Screens.BACK);
        setCommandListener(this);
    }

    private String line(Item item) {
        if (datastore.equals(Organiser.CONTACTS)) {
            return Contact.name(item) + "  " + Contact.number(item);
        }
        return Event.start(item) + "  " + Event.summary(item);
    }

    public void commandAction(Command command, Displayable screen) {
        if (command == Screens.BACK) {
            screens.home();
        } else if (command == NEW) {
            screens.open(datastore, null);
        } else if (getSelectedIndex() >= 0 && getSelectedIndex() < items.size()) {
            screens.open(datastore, (Item) items.elementAt(getSelectedIndex()));
        }
    }
}
