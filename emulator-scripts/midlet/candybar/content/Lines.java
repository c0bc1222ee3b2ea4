package candybar.content;

import candybar.codec.Utf8;

/**
 * Properties of a vCard 2.1 or vCalendar 1.0: what the phone shows and edits. The rest of the text stays as it is.
 */
public final class Lines {
    private Lines() {
    }

    /** The value of the first property of that name, without its coding; "" if there is none. */
    public static String value(String text, String name) {
        int at = find(text, name);
        if (at < 0) {
            return "";
        }
        String line = line(text, at, end(text, at));
        int colon = line.indexOf(':');
        String value = line.substring(colon + 1);
        if (line.substring(0, colon).toUpperCase().indexOf("QUOTED-PRINTABLE") >= 0) {
            value = Utf8.decode(QuotedPrintable.decode(value));
        }
        return value;
    }

    /** A part of a value that has parts, such as the given name of N; "" if it is not there. */
    public static String part(String value, int index) {
        int from = 0;
        for (int i = 0; i < index; i++) {
            int next = value.indexOf(';', from);
            if (next < 0) {
                return "";
            }
            from = next + 1;
        }
        int end = value.indexOf(';', from);
        return end < 0 ? value.substring(from) : value.substring(from, end);
    }

    /** The text with another value for its first property of that name; it is added before END if there is none. */
    public static String with(String text, String name, String value) {
        int at = find(text, name);
        if (at < 0) {
            int before = -1;
            for (int end = text.indexOf("END:"); end >= 0; end = text.indexOf("END:", end + 1)) {
                before = end;
            }
            if (before < 0) {
                return text;
            }
            return text.substring(0, before) + property(name, value) + text.substring(before);
        }
        String line = line(text, at, end(text, at));
        String head = withoutCoding(line.substring(0, line.indexOf(':')));
        return text.substring(0, at) + property(head, value) + text.substring(end(text, at));
    }

    private static String property(String head, String value) {
        if (isPlain(value)) {
            return head + ":" + value + "\r\n";
        }
        return head + ";CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:" + QuotedPrintable.encode(Utf8.encode(value)) + "\r\n";
    }

    private static String withoutCoding(String head) {
        StringBuffer kept = new StringBuffer();
        int from = 0;
        while (from <= head.length()) {
            int end = head.indexOf(';', from);
            if (end < 0) {
                end = head.length();
            }
            String piece = head.substring(from, end);
            String upper = piece.toUpperCase();
            if (!upper.startsWith("CHARSET=") && upper.indexOf("QUOTED-PRINTABLE") < 0) {
                kept.append(from == 0 ? "" : ";").append(piece);
            }
            from = end + 1;
        }
        return kept.toString();
    }

    private static int find(String text, String name) {
        int at = 0;
        while (at < text.length()) {
            int end = end(text, at);
            int colon = text.indexOf(':', at);
            int semicolon = text.indexOf(';', at);
            int stop = semicolon >= 0 && semicolon < colon ? semicolon : colon;
            if (stop > at && stop < end && text.substring(at, stop).equalsIgnoreCase(name) && colon < end) {
                return at;
            }
            at = end;
        }
        return -1;
    }

    /** Where the line that begins there ends, its continuations and its line break included. */
    private static int end(String text, int from) {
        boolean quoted = false;
        int at = from;
        while (true) {
            int feed = text.indexOf('\n', at);
            if (feed < 0) {
                return text.length();
            }
            String line = text.substring(at, feed).trim();
            quoted |= line.toUpperCase().indexOf("QUOTED-PRINTABLE") >= 0;
            at = feed + 1;
            boolean soft = quoted && line.endsWith("=");
            boolean folded = at < text.length() && (text.charAt(at) == ' ' || text.charAt(at) == '\t');
            if (!soft && !folded) {
                return at;
            }
        }
    }

    /** The line without breaks. */
    private static String line(String text, int from, int end) {
        StringBuffer line = new StringBuffer();
        for (int i = from; i < end; i++) {
            char c = text.charAt(i);
            if (c == '\n' && line.length() > 0 && line.charAt(line.length() - 1) == '=') {
                line.setLength(line.length() - 1);
            } else if (c != '\r' && c != '\n') {
                line.append(c);
            }
        }
        return line.toString();
    }

    private static boolean isPlain(String value) {
        for (int i = 0; i < value.length(); i++) {
            if (value.charAt(i) < ' ' || value.charAt(i) > '~') {
                return false;
            }
        }
        return true;
    }
}
