package candybar.ui;

import java.io.IOException;
import java.util.Calendar;
import java.util.Date;
import java.util.TimeZone;

import javax.microedition.lcdui.Command;
import javax.microedition.lcdui.CommandListener;
import javax.microedition.lcdui.DateField;
import javax.microedition.lcdui.Displayable;
import javax.microedition.lcdui.Form;
import javax.microedition.lcdui.StringItem;
import javax.microedition.lcdui.TextField;

import candybar.app.Organiser;
import candybar.content.Event;
import candybar.store.Item;
import candybar.store.Items;

/** An entry of the calendar: what it is, and when it begins. */
final class EventForm extends Form implements CommandListener {
    private static final Command SAVE = new Command("Save", Command.OK, 1);
    private static final Command DELETE = new Command("Delete", Command.SCREEN, 3);
    private static final long HOUR = 3600L * 1000;

    private final Screens screens;
    private final Item item;
    private final TextField summary = new TextField("What", "", 200, TextField.ANY);
    private final DateField start = new DateField("When", DateField.DATE_TIME);

    /** The form of an event; null: of a new one. */
    EventForm(Screens screens, Item item) {
        super(item == null ? "New event" : "Event");
        this.screens = screens;
        this.item = item;
        append(summary);
        if (item == null) {
            start.setDate(new Date());
            append(start);
        } else {
            String text = Event.summary(item);
            summary.setMaxSize(Math.max(200, text.length()));
            summary.setString(text);
            append(new StringItem("When", Event.start(item)));
            addCommand(DELETE);
        }
        addCommand(SAVE);
        addCommand(Screens.BACK);
        setCommandListener(this);
    }

    public void commandAction(Command command, Displayable screen) {
        Items items = screens.organiser().items(Organiser.CALENDAR);
        try {
            if (command == DELETE) {
                items.delete(item.luid());
            } else if (command == SAVE && item == null) {
                long from = start.getDate() == null ? System.currentTimeMillis() : start.getDate().getTime();
                byte[] body = Event.make(summary.getString(), utc(from), utc(from + HOUR));
                items.add(0, Event.TYPE, body);
            } else if (command == SAVE) {
                items.edit(item.luid(), Event.withSummary(item, summary.getString()));
            }
            screens.list(Organiser.CALENDAR);
        } catch (IOException e) {
            screens.fail(e);
        }
    }

    private static String utc(long time) {
        Calendar calendar = Calendar.getInstance(TimeZone.getTimeZone("GMT"));
        calendar.setTime(new Date(time));
        return calendar.get(Calendar.YEAR) + two(calendar.get(Calendar.MONTH) + 1)
                + two(calendar.get(Calendar.DAY_OF_MONTH)) + "T" + two(calendar.get(Calendar.HOUR_OF_DAY))
                + two(calendar.get(Calendar.MINUTE)) + "00Z";
    }

    private static String two(int number) {
        return number < 10 ? "0" + number : Integer.toString(number);
    }
}
