package candybar.content;

import candybar.codec.Base64;
import candybar.codec.Utf8;

/**
 * A mail as it travels: application/vnd.omads-email+xml (OMA DS 1.2, data objects for email). Flags as elements, the message in
 * emailitem. Elements are found by their names; nothing of XML that this form does not have is understood.
 */
public final class MailObject {
    /** Media type of mails. */
    public static final String TYPE = "application/vnd.omads-email+xml";
    /** Its version. */
    public static final String VERSION = "1.2";

    private static final String CDATA = "<![CDATA[";
    private static final String CDATA_END = "]]>";
    private static final String[] FLAGS = { "read", "forwarded", "replied", "flagged", "deleted" };

    private final String text;

    /** A mail as it was received or stored. */
    public MailObject(byte[] octets) {
        text = unwrapped(Utf8.decode(octets));
    }

    /** A mail to be sent. */
    public static byte[] make(MailMessage message) {
        return Utf8.encode("<Email><read>true</read><emailitem>" + quoted(message.text())
                + "</emailitem></Email>");
    }

    /** A flag: read, forwarded, replied, flagged, deleted. */
    public boolean flag(String name) {
        return element(name).trim().equalsIgnoreCase("true");
    }

    /** When it was received, such as 20261127T154500Z, or "". */
    public String received() {
        return element("received").trim();
    }

    /** Octets that the server kept back, or 0. */
    public int missing() {
        String truncated = element("truncated");
        String size = between(truncated, "<size>", "</size>");
        try {
            return size.length() == 0 ? 0 : Integer.parseInt(size.trim());
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    /** It has a message, not flags alone. */
    public boolean hasMessage() {
        return text.indexOf("<emailitem") >= 0;
    }

    /** The message. */
    public MailMessage message() {
        int start = text.indexOf("<emailitem");
        int open = start < 0 ? -1 : text.indexOf('>', start);
        int end = text.indexOf("</emailitem>", open < 0 ? 0 : open);
        if (open < 0 || end < open) {
            return new MailMessage("");
        }
        String coding = text.substring(start, open);
        String body = unquoted(text.substring(open + 1, end));
        if (coding.indexOf("base64") >= 0) {
            body = Utf8.decode(Base64.decode(body));
        } else if (coding.indexOf("quoted-printable") >= 0) {
            body = Utf8.decode(QuotedPrintable.decode(body));
        }
        return new MailMessage(body);
    }

    /** It with a flag set. */
    public byte[] with(String flag) {
        return Utf8.encode(set(text, flag, "true"));
    }

    /** Its flags alone, for the server, which has the message. */
    public byte[] flags() {
        StringBuffer out = new StringBuffer("<Email>");
        for (int i = 0; i < FLAGS.length; i++) {
            out.append('<').append(FLAGS[i]).append('>').append(flag(FLAGS[i]) ? "true" : "false");
            out.append("</").append(FLAGS[i]).append('>');
        }
        return Utf8.encode(out.append("</Email>").toString());
    }

    /** This one, with the message of the other if it came without. */
    public byte[] over(MailObject held) {
        if (hasMessage() || !held.hasMessage()) {
            return Utf8.encode(text);
        }
        String all = held.text;
        for (int i = 0; i < FLAGS.length; i++) {
            if (text.indexOf("<" + FLAGS[i] + ">") >= 0) {
                all = set(all, FLAGS[i], flag(FLAGS[i]) ? "true" : "false");
            }
        }
        return Utf8.encode(all);
    }

    private static String set(String text, String name, String value) {
        String open = "<" + name + ">";
        String close = "</" + name + ">";
        int from = text.indexOf(open);
        int end = text.indexOf(close, from < 0 ? 0 : from);
        if (from >= 0 && end > from) {
            return text.substring(0, from + open.length()) + value + text.substring(end);
        }
        int empty = text.indexOf("<" + name + "/>");
        if (empty >= 0) {
            return text.substring(0, empty) + open + value + close + text.substring(empty + name.length() + 3);
        }
        int root = text.indexOf("<Email>");
        int at = root < 0 ? 0 : root + "<Email>".length();
        return text.substring(0, at) + open + value + close + text.substring(at);
    }

    /** An element outside of the message. */
    private String element(String name) {
        int message = text.indexOf("<emailitem");
        int after = text.indexOf("</emailitem>");
        String head = message < 0 ? text : text.substring(0, message);
        String found = between(head, "<" + name + ">", "</" + name + ">");
        if (found.length() == 0 && after >= 0) {
            found = between(text.substring(after), "<" + name + ">", "</" + name + ">");
        }
        return found;
    }

    private static String between(String text, String open, String close) {
        int from = text.indexOf(open);
        int end = from < 0 ? -1 : text.indexOf(close, from);
        return end < 0 ? "" : text.substring(from + open.length(), end);
    }

    /** Without a CDATA round the whole object, whose inner ends are written as ]]&gt; or in two sections. */
    private static String unwrapped(String text) {
        String trimmed = text.trim();
        if (!trimmed.startsWith(CDATA) || !trimmed.endsWith(CDATA_END)) {
            return text;
        }
        String inner = trimmed.substring(CDATA.length(), trimmed.length() - CDATA_END.length());
        inner = replaced(inner, "]]]]>&gt;<![CDATA[", CDATA_END);
        return replaced(inner, "]]&gt;", CDATA_END);
    }

    private static String quoted(String text) {
        return CDATA + replaced(text, CDATA_END, "]]]]><![CDATA[>") + CDATA_END;
    }

    private static String unquoted(String text) {
        StringBuffer out = new StringBuffer();
        int at = 0;
        while (at < text.length()) {
            int from = text.indexOf(CDATA, at);
            int end = from < 0 ? -1 : text.indexOf(CDATA_END, from);
            if (end < 0) {
                out.append(entities(text.substring(at)));
                break;
            }
            out.append(entities(text.substring(at, from)));
            out.append(text.substring(from + CDATA.length(), end));
            at = end + CDATA_END.length();
        }
        return out.toString();
    }

    private static String entities(String text) {
        String plain = replaced(replaced(text, "&lt;", "<"), "&gt;", ">");
        plain = replaced(replaced(plain, "&quot;", "\""), "&#13;", "\r");
        return replaced(plain, "&amp;", "&");
    }

    static String replaced(String text, String what, String with) {
        int found = text.indexOf(what);
        if (found < 0) {
            return text;
        }
        StringBuffer out = new StringBuffer();
        int at = 0;
        while (found >= 0) {
            out.append(text.substring(at, found)).append(with);
            at = found + what.length();
            found = text.indexOf(what, at);
        }
        return out.append(text.substring(at)).toString();
    }
}
