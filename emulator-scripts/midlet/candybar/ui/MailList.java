package candybar.ui;

import java.io.IOException;
import java.util.Vector;

import javax.microedition.lcdui.Choice;
import javax.microedition.lcdui.Command;
import javax.microedition.lcdui.CommandListener;
import javax.microedition.lcdui.Displayable;
import javax.microedition.lcdui.List;

import candybar.app.Organiser;
import candybar.content.MailDatastore;
import candybar.content.MailMessage;
import candybar.content.MailObject;
import candybar.store.Item;

/** The inbox, newest mail first. */
final class MailList extends List implements CommandListener {
    private static final Command WRITE = new Command("Write", Command.SCREEN, 2);
    private static final Command SYNC = new Command("Fetch", Command.SCREEN, 3);

    private final Screens screens;
    private Vector mails = new Vector();

    MailList(Screens screens) {
        super("Inbox", Choice.IMPLICIT);
        this.screens = screens;
        try {
            mails = MailDatastore.mails(screens.organiser().items(Organiser.MAIL), "inbox");
            for (int i = 0; i < mails.size(); i++) {
                append(line((Item) mails.elementAt(i)), null);
            }
        } catch (IOException e) {
            append(e.getMessage(), null);
        }
        addCommand(WRITE);
        addCommand(SYNC);
        addCommand(Screens.BACK);
        setCommandListener(this);
    }

    private static String line(Item item) {
        MailObject mail = new MailObject(item.body());
        MailMessage message = mail.message();
        String mark = mail.flag("read") ? "" : "* ";
        return mark + message.header("Subject") + "\n" + sender(message.header("From"));
    }

    /** The name of a sender, or the address if there is no name. */
    static String sender(String from) {
        int address = from.indexOf('<');
        String name = (address > 0 ? from.substring(0, address) : from).trim();
        return name.startsWith("\"") && name.endsWith("\"") && name.length() > 1
                ? name.substring(1, name.length() - 1) : name;
    }

    public void commandAction(Command command, Displayable screen) {
        if (command == Screens.BACK) {
            screens.home();
        } else if (command == WRITE) {
            screens.show(new MailForm(screens, null, "", ""));
        } else if (command == SYNC) {
            Vector names = new Vector();
            names.addElement(Organiser.MAIL);
            screens.sync(names);
        } else if (getSelectedIndex() >= 0 && getSelectedIndex() < mails.size()) {
            Item item = (Item) mails.elementAt(getSelectedIndex());
            try {
                screens.show(new MailView(screens, item, screens.organiser().mailbox().open(item)));
            } catch (IOException e) {
                screens.fail(e);
            }
        }
    }
}
