package candybar.content;

import java.io.UnsupportedEncodingException;

import candybar.codec.Base64;
import candybar.codec.Utf8;

/** A message (RFC 5322) as the phone shows and writes it. Of one with many parts the first text is shown. */
public final class MailMessage {
    /** Parts within parts that are looked into. */
    private static final int MAX_DEPTH = 5;

    private final String text;

    /** A message as it is. */
    public MailMessage(String text) {
        this.text = text;
    }

    /** A new one. The server adds date and id; "" for what there is not. */
    public static MailMessage make(String from, String to, String subject, String answered, String body) {
        StringBuffer out = new StringBuffer();
        header(out, "From", from);
        header(out, "To", to);
        header(out, "Subject", encoded(subject));
        header(out, "In-Reply-To", answered);
        header(out, "References", answered);
        out.append("MIME-Version: 1.0\r\n");
        out.append("Content-Type: text/plain; charset=UTF-8\r\n");
        out.append("Content-Transfer-Encoding: 8bit\r\n\r\n");
        String lines = MailObject.replaced(MailObject.replaced(body, "\r\n", "\n"), "\n", "\r\n");
        return new MailMessage(out.append(lines).append("\r\n").toString());
    }

    private static void header(StringBuffer out, String name, String value) {
        String line = value.replace('\r', ' ').replace('\n', ' ').trim();
        if (line.length() > 0) {
            out.append(name).append(": ").append(line).append("\r\n");
        }
    }

    private static String encoded(String subject) {
        for (int i = 0; i < subject.length(); i++) {
            if (subject.charAt(i) > '~') {
                return "=?UTF-8?B?" + Base64.encode(Utf8.encode(subject)) + "?=";
            }
        }
        return subject;
    }

    /** The whole message. */
    public String text() {
        return text;
    }

    /** A header for people, or "". */
    public String header(String name) {
        return words(raw(name));
    }

    /** A header as it stands, unfolded, or "". */
    public String raw(String name) {
        int end = headerEnd();
        int at = 0;
        while (at < end) {
            int next = lineEnd(at);
            while (next < end && (text.charAt(next) == ' ' || text.charAt(next) == '\t')) {
                next = lineEnd(next);
            }
            int colon = text.indexOf(':', at);
            if (colon > at && colon < next && text.substring(at, colon).trim().equalsIgnoreCase(name)) {
                return unfolded(text.substring(colon + 1, next)).trim();
            }
            at = next;
        }
        return "";
    }

    /** The text for people. */
    public String body() {
        return body(0);
    }

    /** A text as screens show it: without carriage returns. */
    public static String shown(String text) {
        return MailObject.replaced(text, "\r\n", "\n").trim();
    }

    private String body(int depth) {
        String type = raw("Content-Type");
        String lower = type.toLowerCase();
        String body = text.substring(bodyStart());
        if (lower.startsWith("multipart/") && depth < MAX_DEPTH) {
            return firstText(body, parameter(type, "boundary"), depth);
        }
        if (lower.length() > 0 && !lower.startsWith("text/")) {
            return "";
        }
        String coding = raw("Content-Transfer-Encoding").toLowerCase();
        if (coding.equals("base64")) {
            return decoded(Base64.decode(body), parameter(type, "charset"));
        }
        if (coding.equals("quoted-printable")) {
            return decoded(QuotedPrintable.decode(body), parameter(type, "charset"));
        }
        return body;
    }

    private static String firstText(String body, String boundary, int depth) {
        String line = "--" + boundary;
        int at = boundary.length() == 0 ? -1 : body.indexOf(line);
        while (at >= 0) {
            int start = body.indexOf('\n', at);
            int end = start < 0 ? -1 : body.indexOf(line, start);
            if (end < 0) {
                end = body.length();
            }
            if (start < 0) {
                return "";
            }
            String found = new MailMessage(body.substring(start + 1, end)).body(depth + 1);
            if (found.length() > 0) {
                return found;
            }
            at = end < body.length() ? end : -1;
        }
        return "";
    }

    private static String parameter(String header, String name) {
        int at = header.toLowerCase().indexOf(name + "=");
        if (at < 0) {
            return "";
        }
        String value = header.substring(at + name.length() + 1);
        if (value.startsWith("\"")) {
            int end = value.indexOf('"', 1);
            return end < 0 ? value.substring(1) : value.substring(1, end);
        }
        int end = value.indexOf(';');
        return (end < 0 ? value : value.substring(0, end)).trim();
    }

    private static String decoded(byte[] octets, String charset) {
        try {
            return charset.length() == 0 ? Utf8.decode(octets) : new String(octets, charset);
        } catch (UnsupportedEncodingException e) {
            return Utf8.decode(octets);
        }
    }

    /** Encoded words (RFC 2047) as what they mean. */
    private static String words(String text) {
        StringBuffer out = new StringBuffer();
        int at = 0;
        while (true) {
            int start = text.indexOf("=?", at);
            int charset = start < 0 ? -1 : text.indexOf('?', start + 2);
            int coding = charset < 0 ? -1 : text.indexOf('?', charset + 1);
            int end = coding < 0 ? -1 : text.indexOf("?=", coding + 1);
            if (end < 0) {
                return out.append(text.substring(at)).toString();
            }
            String between = text.substring(at, start);
            if (at == 0 || between.trim().length() > 0) {
                out.append(between);
            }
            String value = text.substring(coding + 1, end);
            boolean base64 = text.substring(charset + 1, coding).equalsIgnoreCase("B");
            byte[] octets = base64 ? Base64.decode(value) : QuotedPrintable.decode(value.replace('_', ' '));
            out.append(decoded(octets, text.substring(start + 2, charset)));
            at = end + 2;
        }
    }

    private static String unfolded(String text) {
        StringBuffer out = new StringBuffer();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != '\r' && c != '\n') {
                out.append(c == '\t' ? ' ' : c);
            }
        }
        return out.toString();
    }

    private int lineEnd(int from) {
        int feed = text.indexOf('\n', from);
        return feed < 0 ? text.length() : feed + 1;
    }

    /** Where the headers end. */
    private int headerEnd() {
        int at = 0;
        while (at < text.length()) {
            int next = lineEnd(at);
            if (text.substring(at, next).trim().length() == 0) {
                return at;
            }
            at = next;
        }
        return text.length();
    }

    private int bodyStart() {
        int end = headerEnd();
        return end < text.length() ? lineEnd(end) : end;
    }
}
