package candybar.ui;

import java.io.IOException;

import javax.microedition.lcdui.Command;
import javax.microedition.lcdui.CommandListener;
import javax.microedition.lcdui.Displayable;
import javax.microedition.lcdui.Form;
import javax.microedition.lcdui.StringItem;

import candybar.app.Mailbox;
import candybar.app.Organiser;
import candybar.content.MailMessage;
import candybar.content.MailObject;
import candybar.store.Item;

/** A mail to be read. */
final class MailView extends Form implements CommandListener {
    private static final Command ANSWER = new Command("Answer", Command.SCREEN, 1);
    private static final Command DELETE = new Command("Delete", Command.SCREEN, 2);

    private final Screens screens;
    private final Item item;
    private final MailMessage message;

    MailView(Screens screens, Item item, MailObject mail) {
        super(mail.message().header("Subject"));
        this.screens = screens;
        this.item = item;
        message = mail.message();
        append(new StringItem("From", MailList.sender(message.header("From"))));
        append(new StringItem(null, MailMessage.shown(message.body())));
        if (mail.missing() > 0) {
            append(new StringItem("Not here", mail.missing() + " octets stay on the server"));
        }
        addCommand(ANSWER);
        addCommand(DELETE);
        addCommand(Screens.BACK);
        setCommandListener(this);
    }

    public void commandAction(Command command, Displayable screen) {
        if (command == ANSWER) {
            screens.show(new MailForm(screens, item, Mailbox.answerTo(message), Mailbox.answerSubject(message)));
            return;
        }
        try {
            if (command == DELETE) {
                screens.organiser().items(Organiser.MAIL).delete(item.luid());
            }
            screens.list(Organiser.MAIL);
        } catch (IOException e) {
            screens.fail(e);
        }
    }
}
