package candybar.wbxml;

import candybar.codec.Utf8;

/**
 * Reads WBXML (1.1 to 1.3) into elements. Attributes are passed over, for SyncML has none. What a server can make large
 * is limited.
 */
public final class WbxmlReader {
    private static final int MAX_DEPTH = 24;
    private static final int MAX_ELEMENTS = 20000;

    private static final int SWITCH_PAGE = 0x00;
    private static final int END = 0x01;
    private static final int ENTITY = 0x02;
    private static final int STR_I = 0x03;
    private static final int LITERAL = 0x04;
    private static final int STR_T = 0x83;
    private static final int OPAQUE = 0xC3;

    private final byte[] octets;
    private int at;
    private int page;
    private int elements;
    private int tableAt;
    private int tableLength;

    private WbxmlReader(byte[] octets) {
        this.octets = octets;
    }

    /** The root of a document. */
    public static Element read(byte[] octets) throws WbxmlException {
        return new WbxmlReader(octets).document();
    }

    private Element document() throws WbxmlException {
        octet();
        if (number() == 0) {
            number();
        }
        number();
        tableLength = number();
        tableAt = at;
        skip(tableLength);
        int token = octet();
        while (token == SWITCH_PAGE) {
            page = octet();
            token = octet();
        }
        return element(token, 0);
    }

    private Element element(int token, int depth) throws WbxmlException {
        int code = token & 0x3F;
        if (code <= LITERAL) {
            throw fault("no known element");
        }
        elements++;
        if (depth >= MAX_DEPTH || elements > MAX_ELEMENTS) {
            throw fault("too many elements");
        }
        Element element = new Element(page << 8 | code);
        if ((token & 0x80) != 0) {
            attributes();
        }
        if ((token & 0x40) != 0) {
            content(element, depth);
        }
        return element;
    }

    private void content(Element element, int depth) throws WbxmlException {
        while (true) {
            int token = octet();
            switch (token) {
            case END:
                return;
            case SWITCH_PAGE:
                page = octet();
                break;
            case STR_I:
                element.add(inline());
                break;
            case STR_T:
                element.add(fromTable(number()));
                break;
            case ENTITY:
                element.add(Utf8.encode(String.valueOf((char) number())));
                break;
            case OPAQUE:
                element.add(slice(number()));
                break;
            default:
                element.add(element(token, depth + 1));
                break;
            }
        }
    }

    private void attributes() throws WbxmlException {
        int token = octet();
        while (token != END) {
            if (token == STR_I) {
                inline();
            } else if (token == STR_T || token == LITERAL) {
                number();
            } else if (token == OPAQUE) {
                slice(number());
            } else if (token == SWITCH_PAGE) {
                octet();
            }
            token = octet();
        }
    }

    private int octet() throws WbxmlException {
        if (at >= octets.length) {
            throw fault("the end is missing");
        }
        return octets[at++] & 0xFF;
    }

    private int number() throws WbxmlException {
        int value = 0;
        for (int i = 0; i < 4; i++) {
            int octet = octet();
            value = value << 7 | octet & 0x7F;
            if ((octet & 0x80) == 0) {
                return value;
            }
        }
        throw fault("a number is too large");
    }

    private void skip(int length) throws WbxmlException {
        if (length > octets.length - at) {
            throw fault("the end is missing");
        }
        at += length;
    }

    private byte[] slice(int length) throws WbxmlException {
        int from = at;
        skip(length);
        return copy(from, length);
    }

    private byte[] inline() throws WbxmlException {
        int from = at;
        while (octet() != 0) {
            continue;
        }
        return copy(from, at - 1 - from);
    }

    private byte[] fromTable(int offset) throws WbxmlException {
        if (offset >= tableLength) {
            throw fault("a string is outside of the table");
        }
        int from = tableAt + offset;
        int end = from;
        while (end < tableAt + tableLength && octets[end] != 0) {
            end++;
        }
        return copy(from, end - from);
    }

    private byte[] copy(int from, int length) {
        byte[] copied = new byte[length];
        System.arraycopy(octets, from, copied, 0, length);
        return copied;
    }

    private WbxmlException fault(String what) {
        return new WbxmlException(what, at);
    }
}
