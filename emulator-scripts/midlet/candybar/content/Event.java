package candybar.content;

import candybar.codec.Utf8;
import candybar.store.Item;

/** An entry of the calendar as the phone shows it. */
public final class Event {
    /** Media type of events. */
    public static final String TYPE = "text/x-vcalendar";
    /** Its version. */
    public static final String VERSION = "1.0";
    /** What the phone holds of an event. */
    public static final String[] FIELDS = {
        "BEGIN", "END", "VERSION", "SUMMARY", "DESCRIPTION", "LOCATION", "DTSTART", "DTEND", "RRULE", "EXDATE",
        "AALARM", "CATEGORIES", "CLASS"
    };

    private Event() {
    }

    /** A new one; times are such as 20261224T160000Z. */
    public static byte[] make(String summary, String start, String end) {
        String text = "BEGIN:VCALENDAR\r\nVERSION:1.0\r\nBEGIN:VEVENT\r\n" + "DTSTART:" + start + "\r\n" + "DTEND:"
                + end + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        return withSummary(text, summary);
    }

    /** What it is. */
    public static String summary(Item item) {
        return Lines.value(item.text(), "SUMMARY");
    }

    /** When it begins, for people. */
    public static String start(Item item) {
        String start = Lines.value(item.text(), "DTSTART");
        if (start.length() < 8) {
            return start;
        }
        String day = start.substring(0, 4) + "-" + start.substring(4, 6) + "-" + start.substring(6, 8);
        return start.length() < 13 ? day : day + " " + start.substring(9, 11) + ":" + start.substring(11, 13);
    }

    /** It with another summary. */
    public static byte[] withSummary(Item item, String summary) {
        return withSummary(item.text(), summary);
    }

    private static byte[] withSummary(String text, String summary) {
        if (Lines.value(text, "SUMMARY").length() > 0) {
            return Utf8.encode(Lines.with(text, "SUMMARY", summary));
        }
        // The property belongs into the event, not behind it.
        int end = text.indexOf("END:VEVENT");
        String event = Lines.with(text.substring(0, end) + "END:", "SUMMARY", summary);
        return Utf8.encode(event.substring(0, event.length() - 4) + text.substring(end));
    }
}
