package candybar.syncml;

import candybar.wbxml.Tags;
import candybar.wbxml.WbxmlWriter;

/** A message that is being written. */
final class Outgoing {
    /** Octets for the ends of what is open, and for Final. */
    private static final int END = 12;
    /** Octets that a command's frame and its place in Sync take at most, without addresses and data. */
    private static final int FRAME = 160;

    private final WbxmlWriter out = new WbxmlWriter(Tags.SYNCML_DOCUMENT);
    private final String id;
    private final int limit;
    private int commands;
    private Datastore open;

    /** A message with its header. Credentials may be null. */
    Outgoing(Account account, String session, int message, String target, Credentials credentials, int limit) {
        this.limit = limit;
        id = Integer.toString(message);
        out.open(Tags.SYNCML).open(Tags.SYNC_HDR);
        out.text(Tags.VER_DTD, "1.2");
        out.text(Tags.VER_PROTO, "SyncML/1.2");
        out.text(Tags.SESSION_ID, session);
        out.text(Tags.MSG_ID, id);
        out.text(Tags.TARGET, Tags.LOC_URI, target);
        out.open(Tags.SOURCE);
        out.text(Tags.LOC_URI, account.device);
        out.text(Tags.LOC_NAME, account.user);
        out.close();
        if (credentials != null) {
            credentials.write(out);
        }
        out.open(Tags.META);
        out.number(Tags.MAX_MSG_SIZE, account.maxMessage);
        out.number(Tags.MAX_OBJ_SIZE, account.maxObject);
        out.close();
        out.close();
        out.open(Tags.SYNC_BODY);
    }

    /** Its MsgID. */
    String id() {
        return id;
    }

    void answer(Answer answer) {
        answer.write(out, next());
    }

    /** Puts the device information. */
    void put(byte[] document) {
        out.open(Tags.PUT);
        out.number(Tags.CMD_ID, next());
        devinf(document);
        out.close();
    }

    /** Gives the device information, as a Get asked for it. */
    void results(String message, String command, byte[] document) {
        out.open(Tags.RESULTS);
        out.number(Tags.CMD_ID, next());
        out.text(Tags.MSG_REF, message);
        out.text(Tags.CMD_REF, command);
        devinf(document);
        out.close();
    }

    private void devinf(byte[] document) {
        out.open(Tags.META).text(Tags.TYPE, DeviceInfo.TYPE).close();
        out.open(Tags.ITEM);
        out.text(Tags.SOURCE, Tags.LOC_URI, DeviceInfo.ADDRESS);
        out.opaque(Tags.DATA, document);
        out.close();
    }

    /** Asks for a sync of a datastore. Gives the CmdID. */
    String alert(int code, Datastore datastore, String last, String next, int maxObject) {
        String command = begin(Tags.ALERT);
        out.number(Tags.DATA, code);
        out.open(Tags.ITEM);
        addresses(datastore);
        out.open(Tags.META).open(Tags.ANCHOR);
        if (last.length() > 0) {
            out.text(Tags.LAST, last);
        }
        out.text(Tags.NEXT, next).close();
        out.number(Tags.MAX_OBJ_SIZE, maxObject);
        out.close().close().close();
        return command;
    }

    /** An Alert without a datastore, such as 222; the item's source may be "". */
    void alert(int code, String target, String source) {
        begin(Tags.ALERT);
        out.number(Tags.DATA, code);
        out.open(Tags.ITEM);
        out.text(Tags.TARGET, Tags.LOC_URI, target);
        if (source.length() > 0) {
            out.text(Tags.SOURCE, Tags.LOC_URI, source);
        }
        out.close().close();
    }

    /** Octets of data that fit into one more command; negative if none fits. */
    int room() {
        return limit - out.size() - END - FRAME;
    }

    /** Begins the Sync of a datastore, if it is not the one that is open. Gives its CmdID, or null if it was open. */
    String sync(Datastore datastore, int changes) {
        if (open == datastore) {
            return null;
        }
        endSync();
        String command = begin(Tags.SYNC);
        addresses(datastore);
        if (changes >= 0) {
            out.number(Tags.NUMBER_OF_CHANGES, changes);
        }
        open = datastore;
        return command;
    }

    void endSync() {
        if (open != null) {
            out.close();
            open = null;
        }
    }

    /** Writes a command with one item. Gives its CmdID. */
    String item(ItemCommand item) {
        String command = begin(item.tag);
        if (item.type.length() > 0 || item.size > 0) {
            out.open(Tags.META);
            if (item.type.length() > 0) {
                out.text(Tags.TYPE, item.type);
            }
            if (item.size > 0) {
                out.number(Tags.SIZE, item.size);
            }
            out.close();
        }
        out.open(Tags.ITEM);
        out.text(Tags.SOURCE, Tags.LOC_URI, item.luid);
        if (item.parent.length() > 0) {
            out.text(Tags.SOURCE_PARENT, Tags.LOC_URI, item.parent);
        }
        if (item.data != null) {
            out.opaque(Tags.DATA, item.data);
        }
        if (item.more) {
            out.empty(Tags.MORE_DATA);
        }
        out.close().close();
        return command;
    }

    /** Begins the Map of a datastore. Gives its CmdID. */
    String map(Datastore datastore) {
        String command = begin(Tags.MAP);
        addresses(datastore);
        return command;
    }

    void mapItem(String guid, String luid) {
        out.open(Tags.MAP_ITEM);
        out.text(Tags.TARGET, Tags.LOC_URI, guid);
        out.text(Tags.SOURCE, Tags.LOC_URI, luid);
        out.close();
    }

    void endMap() {
        out.close();
    }

    /** Ends the message; the last of a package says so. */
    byte[] finish(boolean last) {
        endSync();
        if (last) {
            out.empty(Tags.FINAL);
        }
        return out.close().close().toByteArray();
    }

    private void addresses(Datastore datastore) {
        out.text(Tags.TARGET, Tags.LOC_URI, datastore.name());
        out.text(Tags.SOURCE, Tags.LOC_URI, "./" + datastore.name());
    }

    private String begin(int tag) {
        int command = next();
        out.open(tag);
        out.number(Tags.CMD_ID, command);
        return Integer.toString(command);
    }

    private int next() {
        commands++;
        return commands;
    }
}
