package candybar.syncml;

import candybar.codec.Utf8;
import candybar.wbxml.Tags;
import candybar.wbxml.WbxmlWriter;

/** A Status that the phone owes for a command of the server. */
final class Answer {
    private final String message;
    private final String command;
    private final String name;
    private final int code;
    private String target = "";
    private String source = "";
    private String anchor = "";
    private String challenge = "";

    Answer(String message, String command, String name, int code) {
        this.message = message;
        this.command = command;
        this.name = name;
        this.code = code;
    }

    /** The addresses of the command, as it has them. */
    Answer of(String target, String source) {
        this.target = target;
        this.source = source;
        return this;
    }

    /** The anchor of the server's Alert, which is echoed. */
    Answer with(String anchor) {
        this.anchor = anchor;
        return this;
    }

    /** The nonce, in base64, that the server has to use when it speaks first. */
    Answer asking(String nonce) {
        this.challenge = nonce;
        return this;
    }

    void write(WbxmlWriter out, int id) {
        out.open(Tags.STATUS);
        out.number(Tags.CMD_ID, id);
        out.text(Tags.MSG_REF, message);
        out.text(Tags.CMD_REF, command);
        out.text(Tags.CMD, name);
        if (target.length() > 0) {
            out.text(Tags.TARGET_REF, target);
        }
        if (source.length() > 0) {
            out.text(Tags.SOURCE_REF, source);
        }
        if (challenge.length() > 0) {
            out.open(Tags.CHAL).open(Tags.META);
            out.text(Tags.FORMAT, "b64");
            out.text(Tags.TYPE, "syncml:auth-md5");
            out.opaque(Tags.NEXT_NONCE, Utf8.encode(challenge));
            out.close().close();
        }
        out.number(Tags.DATA, code);
        if (anchor.length() > 0) {
            out.open(Tags.ITEM).open(Tags.DATA).open(Tags.ANCHOR);
            out.text(Tags.NEXT, anchor);
            out.close().close().close();
        }
        out.close();
    }
}
