package candybar.ui;

import java.io.IOException;
import java.util.Vector;

import javax.microedition.lcdui.Command;
import javax.microedition.lcdui.CommandListener;
import javax.microedition.lcdui.Displayable;
import javax.microedition.lcdui.Form;
import javax.microedition.lcdui.TextField;

import candybar.app.Mailbox;
import candybar.app.Organiser;
import candybar.store.Item;

/** A mail to be written. */
final class MailForm extends Form implements CommandListener {
    private static final Command SEND = new Command("Send", Command.OK, 1);

    private final Screens screens;
    private final Item answered;
    private final TextField to = new TextField("To", "", 200, TextField.ANY);
    private final TextField subject = new TextField("Subject", "", 200, TextField.ANY);
    private final TextField text = new TextField("Text", "", 2000, TextField.ANY);

    /** An answer to a mail; null: a new one. */
    MailForm(Screens screens, Item answered, String to, String subject) {
        super(answered == null ? "New mail" : "Answer");
        this.screens = screens;
        this.answered = answered;
        fill(this.to, to);
        fill(this.subject, subject);
        append(this.to);
        append(this.subject);
        append(text);
        addCommand(SEND);
        addCommand(Screens.BACK);
        setCommandListener(this);
    }

    private static void fill(TextField field, String text) {
        field.setMaxSize(Math.max(field.getMaxSize(), text.length()));
        field.setString(text);
    }

    public void commandAction(Command command, Displayable screen) {
        if (command != SEND) {
            screens.list(Organiser.MAIL);
            return;
        }
        Mailbox mailbox = screens.organiser().mailbox();
        try {
            if (answered == null) {
                mailbox.write(to.getString(), subject.getString(), "", text.getString());
            } else {
                mailbox.answer(answered, to.getString(), subject.getString(), text.getString());
            }
            Vector names = new Vector();
            names.addElement(Organiser.MAIL);
            screens.sync(names);
        } catch (IOException e) {
            screens.fail(e);
        }
    }
}
