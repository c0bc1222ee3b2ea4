package candybar.wbxml;

import java.io.ByteArrayOutputStream;

import candybar.codec.Utf8;

/** Writes WBXML 1.2: tokens, strings in place, opaque octets. No string table. */
public final class WbxmlWriter {
    private static final int VERSION = 0x02;
    private static final int UTF_8 = 106;
    private static final int WITH_CONTENT = 0x40;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private int page;

    /** Pieces of a document, without a head; they begin and end on page 0. */
    public WbxmlWriter() {
    }

    /** A document with this public id. */
    public WbxmlWriter(int publicId) {
        out.write(VERSION);
        number(publicId);
        number(UTF_8);
        out.write(0);
    }

    /** Begins an element. */
    public WbxmlWriter open(int tag) {
        token(tag, WITH_CONTENT);
        return this;
    }

    /** Ends the element that was begun last. */
    public WbxmlWriter close() {
        out.write(1);
        return this;
    }

    /** An element without content. */
    public WbxmlWriter empty(int tag) {
        token(tag, 0);
        return this;
    }

    /** An element with text. */
    public WbxmlWriter text(int tag, String text) {
        open(tag);
        out.write(3);
        write(Utf8.encode(text));
        out.write(0);
        return close();
    }

    /** An element with a number. */
    public WbxmlWriter number(int tag, long value) {
        return text(tag, Long.toString(value));
    }

    /** An element with octets. */
    public WbxmlWriter opaque(int tag, byte[] octets) {
        open(tag);
        out.write(0xC3);
        number(octets.length);
        write(octets);
        return close();
    }

    /** An element with an element with text: addresses and the like. */
    public WbxmlWriter text(int outer, int inner, String text) {
        return open(outer).text(inner, text).close();
    }

    /** Pieces that were written by themselves; they begin and end on page 0. */
    public WbxmlWriter pieces(byte[] octets) {
        onto(0);
        write(octets);
        return this;
    }

    /** Leaves page 0 as the current one, as {@link #pieces} asks. */
    public byte[] toPieces() {
        onto(0);
        return out.toByteArray();
    }

    /** What was written. */
    public byte[] toByteArray() {
        return out.toByteArray();
    }

    /** How many octets were written. */
    public int size() {
        return out.size();
    }

    private void token(int tag, int flag) {
        onto(tag >> 8);
        out.write(tag & 0x3F | flag);
    }

    private void onto(int wanted) {
        if (wanted != page) {
            out.write(0);
            out.write(wanted);
            page = wanted;
        }
    }

    private void number(int value) {
        for (int shift = 21; shift > 0; shift -= 7) {
            if (value >>> shift != 0) {
                out.write(value >>> shift & 0x7F | 0x80);
            }
        }
        out.write(value & 0x7F);
    }

    private void write(byte[] octets) {
        out.write(octets, 0, octets.length);
    }
}
