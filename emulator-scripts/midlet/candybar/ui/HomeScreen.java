package candybar.ui;

import java.io.IOException;
import java.util.Vector;

import javax.microedition.lcdui.Choice;
import javax.microedition.lcdui.Command;
import javax.microedition.lcdui.CommandListener;
import javax.microedition.lcdui.Displayable;
import javax.microedition.lcdui.List;

import candybar.app.Organiser;
import candybar.app.Settings;
import candybar.content.MailDatastore;
import candybar.content.MailObject;
import candybar.store.Item;

/** The first screen: what there is, and what to do. */
final class HomeScreen extends List implements CommandListener {
    private static final Command EXIT = new Command("Exit", Command.EXIT, 9);

    private final Screens screens;

    HomeScreen(Screens screens) {
        super("candybar", Choice.IMPLICIT);
        this.screens = screens;
        try {
            Organiser organiser = screens.organiser();
            append("Mail" + unread(organiser), null);
            append("Contacts (" + organiser.items(Organiser.CONTACTS).present().size() + ")", null);
            append("Calendar (" + organiser.items(Organiser.CALENDAR).present().size() + ")", null);
        } catch (IOException e) {
            append(e.getMessage(), null);
        }
        append("Synchronise", null);
        append("Settings", null);
        addCommand(EXIT);
        setCommandListener(this);
    }

    private static String unread(Organiser organiser) throws IOException {
        Vector mails = MailDatastore.mails(organiser.items(Organiser.MAIL), "inbox");
        int unread = 0;
        for (int i = 0; i < mails.size(); i++) {
            if (!new MailObject(((Item) mails.elementAt(i)).body()).flag("read")) {
                unread++;
            }
        }
        return unread == 0 ? "" : " (" + unread + " new)";
    }

    public void commandAction(Command command, Displayable screen) {
        if (command == EXIT) {
            screens.exit();
            return;
        }
        switch (getSelectedIndex()) {
        case 0:
            screens.list(Organiser.MAIL);
            break;
        case 1:
            screens.list(Organiser.CONTACTS);
            break;
        case 2:
            screens.list(Organiser.CALENDAR);
            break;
        case 3:
            if (screens.organiser().settings().text(Settings.URL).length() == 0) {
                screens.settings();
            } else {
                screens.sync(screens.organiser().names());
            }
            break;
        default:
            screens.settings();
            break;
        }
    }
}
