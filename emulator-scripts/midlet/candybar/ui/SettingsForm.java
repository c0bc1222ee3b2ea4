package candybar.ui;

import java.io.IOException;

import javax.microedition.lcdui.Command;
import javax.microedition.lcdui.CommandListener;
import javax.microedition.lcdui.Displayable;
import javax.microedition.lcdui.Form;
import javax.microedition.lcdui.TextField;

import candybar.app.Settings;

/** The account. */
final class SettingsForm extends Form implements CommandListener {
    private static final Command SAVE = new Command("Save", Command.OK, 1);
    private static final String[] NAMES = {
        Settings.URL, Settings.USER, Settings.PASSWORD, Settings.MAIL, Settings.PORT
    };
    private static final String[] LABELS = {
        "Server address", "Name", "Password", "Own mail address", "Port of notifications"
    };
    private static final int[] KINDS = {
        TextField.URL, TextField.ANY, TextField.PASSWORD, TextField.EMAILADDR, TextField.NUMERIC
    };

    private final Screens screens;
    private final TextField[] fields = new TextField[NAMES.length];

    SettingsForm(Screens screens) {
        super("Settings");
        this.screens = screens;
        for (int i = 0; i < NAMES.length; i++) {
            fields[i] = new TextField(LABELS[i], screens.organiser().settings().text(NAMES[i]), 200, KINDS[i]);
            append(fields[i]);
        }
        addCommand(SAVE);
        addCommand(Screens.BACK);
        setCommandListener(this);
    }

    public void commandAction(Command command, Displayable screen) {
        try {
            for (int i = 0; command == SAVE && i < NAMES.length; i++) {
                screens.organiser().settings().type(NAMES[i], fields[i].getString());
            }
            screens.home();
        } catch (IOException e) {
            screens.fail(e);
        }
    }
}
