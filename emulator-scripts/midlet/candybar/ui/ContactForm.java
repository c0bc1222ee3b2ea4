package candybar.ui;

import java.io.IOException;

import javax.microedition.lcdui.Command;
import javax.microedition.lcdui.CommandListener;
import javax.microedition.lcdui.Displayable;
import javax.microedition.lcdui.Form;
import javax.microedition.lcdui.TextField;

import candybar.app.Organiser;
import candybar.content.Contact;
import candybar.store.Item;
import candybar.store.Items;

/** A contact: its name, and its number to be changed. */
final class ContactForm extends Form implements CommandListener {
    private static final Command SAVE = new Command("Save", Command.OK, 1);
    private static final Command DELETE = new Command("Delete", Command.SCREEN, 3);

    private final Screens screens;
    private final Item item;
    private final TextField given = new TextField("First name", "", 60, TextField.ANY);
    private final TextField family = new TextField("Last name", "", 60, TextField.ANY);
    private final TextField number = new TextField("Number", "", 40, TextField.PHONENUMBER);

    /** The form of a contact; null: of a new one. */
    ContactForm(Screens screens, Item item) {
        super(item == null ? "New contact" : Contact.name(item));
        this.screens = screens;
        this.item = item;
        if (item == null) {
            append(given);
            append(family);
        } else {
            try {
                number.setString(Contact.number(item));
            } catch (IllegalArgumentException e) {
                // A number that this kind of field does not take is shown as it is.
                number.setConstraints(TextField.ANY);
                number.setString(Contact.number(item));
            }
            addCommand(DELETE);
        }
        append(number);
        addCommand(SAVE);
        addCommand(Screens.BACK);
        setCommandListener(this);
    }

    public void commandAction(Command command, Displayable screen) {
        Items items = screens.organiser().items(Organiser.CONTACTS);
        try {
            if (command == DELETE) {
                items.delete(item.luid());
            } else if (command == SAVE && item == null) {
                items.add(0, Contact.TYPE, Contact.make(family.getString(), given.getString(), number.getString()));
            } else if (command == SAVE) {
                items.edit(item.luid(), Contact.withNumber(item, number.getString()));
            }
            screens.list(Organiser.CONTACTS);
        } catch (IOException e) {
            screens.fail(e);
        }
    }
}
