package candybar.syncml;

import java.io.IOException;
import java.util.Vector;

import candybar.codec.Base64;
import candybar.store.Item;
import candybar.store.Ledger;
import candybar.store.StoreException;
import candybar.wbxml.Element;
import candybar.wbxml.Tags;

/** What the server sends: Alerts, items, chunks of them. And the Statuses that the phone owes for it. */
final class Incoming {
    private final Ledger ledger;
    private final Vector syncs;
    private final int maxObject;
    private final Vector answers = new Vector();
    /** MsgID and CmdID of a Get, or null. */
    private String[] get;
    /** Datastore and address of an object whose end did not come, or null. */
    private String[] incomplete;
    /** The server has more to say in its first package. */
    private boolean unfinished;
    private String message;
    private boolean asked;

    Incoming(Ledger ledger, Vector syncs, int maxObject) {
        this.ledger = ledger;
        this.syncs = syncs;
        this.maxObject = maxObject;
    }

    /** The server's first package goes on. */
    boolean isUnfinished() {
        return unfinished;
    }

    /** Writes the Statuses, and what else the phone was asked for. */
    void answer(Outgoing out, byte[] devinf) {
        for (int i = 0; i < answers.size(); i++) {
            out.answer((Answer) answers.elementAt(i));
        }
        answers.removeAllElements();
        if (get != null) {
            out.results(get[0], get[1], devinf);
            get = null;
        }
        if (incomplete != null) {
            out.alert(223, incomplete[0], incomplete[1]);
            incomplete = null;
        }
    }

    /** Takes the commands of a message. */
    void receive(Element header, Element body, boolean initialised, Credentials credentials) throws IOException {
        message = header.text(Tags.MSG_ID);
        unfinished = !initialised && body.find(Tags.FINAL) == null;
        boolean silent = header.find(Tags.NO_RESP) != null;
        String target = header.text(Tags.TARGET, Tags.LOC_URI);
        String source = header.text(Tags.SOURCE, Tags.LOC_URI);
        Answer first = new Answer(message, "0", "SyncHdr", initialised ? 200 : 212).of(target, source);
        if (!asked) {
            asked = true;
            first.asking(credentials.nonceForServer());
        }
        answers.addElement(first);
        for (int i = 0; i < body.size(); i++) {
            command(body.child(i));
        }
        if (silent) {
            answers.removeAllElements();
        }
    }

    private void command(Element command) throws IOException {
        String id = command.text(Tags.CMD_ID);
        switch (command.tag()) {
        case Tags.STATUS:
        case Tags.FINAL:
            break;
        case Tags.ALERT:
            alert(command, id);
            break;
        case Tags.SYNC:
            sync(command, id);
            break;
        case Tags.GET:
            get = new String[] { message, id };
            answers.addElement(new Answer(message, id, "Get", 200));
            break;
        case Tags.PUT:
            answers.addElement(new Answer(message, id, "Put", 200));
            break;
        case Tags.RESULTS:
            answers.addElement(new Answer(message, id, "Results", 200));
            break;
        case Tags.MAP:
            answers.addElement(new Answer(message, id, "Map", 200));
            break;
        default:
            answers.addElement(new Answer(message, id, "Exec", 501));
            break;
        }
    }

    private Sync find(String address) {
        String name = address.startsWith("./") ? address.substring(2) : address;
        for (int i = 0; i < syncs.size(); i++) {
            Sync sync = (Sync) syncs.elementAt(i);
            if (sync.name().equals(name)) {
                return sync;
            }
        }
        return null;
    }

    private void alert(Element alert, String id) throws StoreException {
        int code = alert.number(Tags.DATA, 0);
        Element item = alert.find(Tags.ITEM);
        if (code < Mode.TWO_WAY || code > 210 || item == null) {
            answers.addElement(new Answer(message, id, "Alert", code == 100 || code == 222 ? 200 : 406));
            return;
        }
        String target = item.text(Tags.TARGET, Tags.LOC_URI);
        String source = item.text(Tags.SOURCE, Tags.LOC_URI);
        Sync sync = find(target);
        if (sync == null) {
            answers.addElement(new Answer(message, id, "Alert", 404).of(target, source));
            return;
        }
        Element meta = item.find(Tags.META);
        Element anchor = meta == null ? null : meta.find(Tags.ANCHOR);
        String last = anchor == null ? "" : anchor.text(Tags.LAST);
        sync.serverNext = anchor == null ? "" : anchor.text(Tags.NEXT);
        sync.maxObject = meta == null ? 0 : meta.number(Tags.MAX_OBJ_SIZE, 0);
        sync.accepted = true;
        int answer = 200;
        if (code == Mode.SLOW || sync.anew) {
            sync.mode = code;
        } else if (sync.mode == Mode.TWO_WAY && !last.equals(sync.serverLast(ledger))) {
            // The server speaks of another session than the phone remembers.
            sync.mode = Mode.SLOW;
            answer = 508;
        }
        answers.addElement(new Answer(message, id, "Alert", answer).of(target, source).with(sync.serverNext));
    }

    private void sync(Element command, String id) throws IOException {
        String target = command.text(Tags.TARGET, Tags.LOC_URI);
        String source = command.text(Tags.SOURCE, Tags.LOC_URI);
        Sync sync = find(target);
        answers.addElement(new Answer(message, id, "Sync", sync == null ? 404 : 200).of(target, source));
        for (int i = 0; sync != null && i < command.size(); i++) {
            Element inner = command.child(i);
            switch (inner.tag()) {
            case Tags.ADD:
                items(sync, inner, "Add");
                break;
            case Tags.REPLACE:
                items(sync, inner, "Replace");
                break;
            case Tags.DELETE:
                items(sync, inner, "Delete");
                break;
            case Tags.MOVE:
                items(sync, inner, "Move");
                break;
            default:
                break;
            }
        }
    }

    private void items(Sync sync, Element command, String name) throws IOException {
        String id = command.text(Tags.CMD_ID);
        for (int i = 0; i < command.size(); i++) {
            Element item = command.child(i);
            if (item.tag() == Tags.ITEM) {
                String target = item.text(Tags.TARGET, Tags.LOC_URI);
                String source = item.text(Tags.SOURCE, Tags.LOC_URI);
                int code;
                try {
                    code = item(sync, command, item);
                } catch (StoreException e) {
                    code = e.isFull() ? 420 : 510;
                }
                if (code >= 400) {
                    sync.failed++;
                }
                answers.addElement(new Answer(message, id, name, code).of(target, source));
            }
        }
    }

    /** Does what one item asks for. Gives the Status. */
    private int item(Sync sync, Element command, Element item) throws IOException {
        int tag = command.tag();
        String luid = item.text(Tags.TARGET, Tags.LOC_URI);
        if (tag == Tags.DELETE) {
            boolean there = sync.datastore.items().forget(Element.number(luid, -1));
            sync.deleted += there ? 1 : 0;
            return there ? 200 : 211;
        }
        int parent = parent(sync, item);
        if (tag == Tags.MOVE) {
            boolean there = sync.datastore.items().move(Element.number(luid, -1), Math.max(parent, 0));
            sync.replaced += there ? 1 : 0;
            return there ? 200 : 404;
        }
        String address = tag == Tags.ADD ? item.text(Tags.SOURCE, Tags.LOC_URI) : luid;
        byte[] data = item.find(Tags.DATA) == null ? new byte[0] : item.find(Tags.DATA).octets();
        boolean more = item.find(Tags.MORE_DATA) != null;
        if (sync.chunks != null && !sync.chunks.continues(tag, address)) {
            incomplete = new String[] { sync.name(), sync.chunks.address };
            sync.chunks = null;
        }
        if (more && sync.chunks == null) {
            int size = number(command, item, Tags.SIZE);
            if (size <= 0) {
                return 411;
            }
            if (size > maxObject) {
                return 416;
            }
            sync.chunks = new Chunks(tag, address, parent, meta(command, item, Tags.TYPE),
                    meta(command, item, Tags.FORMAT).equals("b64"), size);
        }
        if (sync.chunks == null) {
            boolean base64 = meta(command, item, Tags.FORMAT).equals("b64");
            return take(sync, tag, address, parent, meta(command, item, Tags.TYPE), decoded(data, base64));
        }
        Chunks chunks = sync.chunks;
        chunks.add(data);
        if (chunks.length() > maxObject) {
            sync.chunks = null;
            return 416;
        }
        if (more) {
            return 213;
        }
        sync.chunks = null;
        if (!chunks.isWhole()) {
            return 424;
        }
        byte[] whole = decoded(chunks.toByteArray(), chunks.base64);
        return take(sync, tag, address, chunks.parent, chunks.type, whole);
    }

    /** LUID of the folder that an item says it is in; 0: the top; -1: it says nothing. */
    private int parent(Sync sync, Element item) {
        String luid = item.text(Tags.TARGET_PARENT, Tags.LOC_URI);
        if (luid.length() > 0) {
            return Element.number(luid, 0);
        }
        // A folder whose Map the server does not have yet is named by its GUID.
        String guid = item.text(Tags.SOURCE_PARENT, Tags.LOC_URI);
        return guid.length() == 0 ? -1 : Element.number(ledger.text(Uploads.map(sync.name(), guid)), 0);
    }

    private static byte[] decoded(byte[] data, boolean base64) {
        return base64 ? Base64.decode(new String(data)) : data;
    }

    private static String meta(Element command, Element item, int tag) {
        String inner = item.text(Tags.META, tag);
        return inner.length() > 0 ? inner : command.text(Tags.META, tag);
    }

    private static int number(Element command, Element item, int tag) {
        return Element.number(meta(command, item, tag), 0);
    }

    private int take(Sync sync, int tag, String address, int parent, String type, byte[] body)
            throws IOException {
        if (tag == Tags.REPLACE) {
            return change(sync, Element.number(address, -1), parent, type, body);
        }
        // The Map of an Add that came before, in a session that broke, may not have arrived.
        String map = Uploads.map(sync.name(), address);
        int known = Element.number(ledger.text(map), -1);
        if (known >= 0 && sync.datastore.items().change(known, parent, type, body)) {
            return 201;
        }
        String kept = type.length() == 0 ? sync.datastore.type() : type;
        int luid = sync.datastore.items().receive(Math.max(parent, 0), kept, body);
        ledger.note(map, Integer.toString(luid));
        sync.added++;
        return 201;
    }

    private int change(Sync sync, int luid, int parent, String type, byte[] body) throws IOException {
        Item held = sync.datastore.items().find(luid);
        if (held == null) {
            return 404;
        }
        if (held.state() != Item.CLEAN && sync.mode == Mode.TWO_WAY) {
            Integer sent = (Integer) sync.sent.get(Integer.toString(luid));
            if (sent == null || sent.intValue() != held.edit()) {
                // The user was faster: that edit goes to the server first.
                return 409;
            }
        }
        sync.datastore.items().change(luid, parent, type, sync.datastore.changed(held.body(), body));
        sync.replaced++;
        return 200;
    }
}
