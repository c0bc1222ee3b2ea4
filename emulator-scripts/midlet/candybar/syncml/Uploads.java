package candybar.syncml;

import java.io.IOException;
import java.util.Enumeration;
import java.util.Hashtable;
import java.util.Vector;

import candybar.store.Item;
import candybar.store.Ledger;
import candybar.wbxml.Element;
import candybar.wbxml.Tags;

/** What the phone sends: items, in chunks if they are large, and Maps. And what the server's Statuses say of it. */
final class Uploads {
    /** Octets of an item's first chunk, at least. */
    private static final int LEAST_CHUNK = 200;
    /** Octets of a MapItem, at most. */
    private static final int MAP_ITEM = 120;

    private static final String MAPS = "map.";

    private final Ledger ledger;
    private final Vector syncs;
    /** "MsgID/CmdID" to what was sent with it. */
    private final Hashtable commands = new Hashtable();
    /** Datastores whose Maps of earlier sessions were sent. */
    private final Vector mapped = new Vector();

    /** What was sent with a command. */
    private static final class Sent {
        final Sync sync;
        /** Null: the Alert or the Sync itself. */
        Item item;
        /** More of it follows in another command. */
        boolean more;
        boolean isAlert;
        /** Names in the ledger of the Maps that the command had. */
        Vector maps;

        Sent(Sync sync) {
            this.sync = sync;
        }
    }

    Uploads(Ledger ledger, Vector syncs) {
        this.ledger = ledger;
        this.syncs = syncs;
    }

    /** Notes that an Alert was sent. */
    void alerted(String message, String command, Sync sync) {
        Sent sent = new Sent(sync);
        sent.isAlert = true;
        commands.put(message + "/" + command, sent);
    }

    /** Fills a message with what waits. True if nothing waits after it. */
    boolean fill(Outgoing out) throws IOException {
        for (int i = 0; i < syncs.size(); i++) {
            Sync sync = (Sync) syncs.elementAt(i);
            if (!sync.accepted || sync.refused != 0) {
                continue;
            }
            if (!mapped.contains(sync)) {
                if (!maps(out, sync)) {
                    return false;
                }
                mapped.addElement(sync);
            }
            if (!sync.begun) {
                if (out.room() < LEAST_CHUNK) {
                    return false;
                }
                sync.begun = true;
                begin(out, sync, sync.waiting.size());
            }
            while (sync.waiting.size() > 0) {
                if (!send(out, sync)) {
                    return false;
                }
            }
        }
        return true;
    }

    private void begin(Outgoing out, Sync sync, int changes) {
        String command = out.sync(sync.datastore, changes);
        if (command != null) {
            commands.put(out.id() + "/" + command, new Sent(sync));
        }
    }

    /** Sends the first item that waits, or a chunk of it. False if the message is full. */
    private boolean send(Outgoing out, Sync sync) {
        Item item = (Item) sync.waiting.elementAt(0);
        ItemCommand command = command(sync, item);
        byte[] body = command.data;
        int room = out.room();
        if (body == null) {
            if (room < 0) {
                return false;
            }
        } else {
            if (sync.maxObject > 0 && body.length > sync.maxObject) {
                sync.failed++;
                sync.waiting.removeElementAt(0);
                return true;
            }
            int left = body.length - sync.offset;
            if (left > room && room < LEAST_CHUNK) {
                return false;
            }
            int length = Math.min(left, room);
            command.more = length < left;
            command.size = command.more && sync.offset == 0 ? body.length : 0;
            command.data = new byte[length];
            System.arraycopy(body, sync.offset, command.data, 0, length);
        }
        begin(out, sync, -1);
        Sent sent = new Sent(sync);
        sent.item = item;
        sent.more = command.more;
        commands.put(out.id() + "/" + out.item(command), sent);
        if (command.more) {
            sync.offset += command.data.length;
            return false;
        }
        sync.offset = 0;
        sync.waiting.removeElementAt(0);
        sync.sent.put(Integer.toString(item.luid()), new Integer(item.edit()));
        return true;
    }

    private static ItemCommand command(Sync sync, Item item) {
        ItemCommand command = new ItemCommand();
        command.luid = Integer.toString(item.luid());
        if (item.state() == Item.DELETED) {
            command.tag = Tags.DELETE;
            return command;
        }
        boolean isNew = item.state() == Item.ADDED;
        command.tag = isNew && sync.mode == Mode.TWO_WAY ? Tags.ADD : Tags.REPLACE;
        command.type = item.type();
        boolean isEdit = item.state() == Item.CHANGED && sync.mode == Mode.TWO_WAY;
        command.data = isEdit ? sync.datastore.sent(item.body()) : item.body();
        command.parent = item.parent() == 0 ? "" : Integer.toString(item.parent());
        return command;
    }

    /** Writes the Maps of every datastore. True if all fit. */
    boolean maps(Outgoing out) throws IOException {
        for (int i = 0; i < syncs.size(); i++) {
            if (!maps(out, (Sync) syncs.elementAt(i))) {
                return false;
            }
        }
        return true;
    }

    private boolean maps(Outgoing out, Sync sync) throws IOException {
        String beginning = MAPS + sync.name() + ".";
        Vector names = ledger.names(beginning);
        Sent sent = null;
        for (int i = 0; i < names.size(); i++) {
            String name = (String) names.elementAt(i);
            if (isOnItsWay(name)) {
                continue;
            }
            if (out.room() < MAP_ITEM) {
                break;
            }
            if (sent == null) {
                out.endSync();
                sent = new Sent(sync);
                sent.maps = new Vector();
                commands.put(out.id() + "/" + out.map(sync.datastore), sent);
            }
            out.mapItem(name.substring(beginning.length()), ledger.text(name));
            sent.maps.addElement(name);
            names.removeElementAt(i--);
        }
        if (sent != null) {
            out.endMap();
        }
        for (int i = 0; i < names.size(); i++) {
            if (!isOnItsWay((String) names.elementAt(i))) {
                return false;
            }
        }
        return true;
    }

    private boolean isOnItsWay(String name) {
        Enumeration all = commands.elements();
        while (all.hasMoreElements()) {
            Sent sent = (Sent) all.nextElement();
            if (sent.maps != null && sent.maps.contains(name)) {
                return true;
            }
        }
        return false;
    }

    /** The Status of the phone's header, or null. */
    Element header(Element body) {
        for (int i = 0; i < body.size(); i++) {
            Element status = body.child(i);
            if (status.tag() == Tags.STATUS && status.text(Tags.CMD_REF).equals("0")) {
                return status;
            }
        }
        return null;
    }

    /** Takes the Statuses of a message. */
    void statuses(Element body) throws IOException {
        for (int i = 0; i < body.size(); i++) {
            Element status = body.child(i);
            if (status.tag() == Tags.STATUS) {
                String key = status.text(Tags.MSG_REF) + "/" + status.text(Tags.CMD_REF);
                Sent sent = (Sent) commands.remove(key);
                if (sent != null) {
                    status(sent, status.number(Tags.DATA, 0));
                }
            }
        }
    }

    private void status(Sent sent, int code) throws IOException {
        boolean taken = code >= 200 && code < 300 || code == 418;
        Sync sync = sent.sync;
        if (sent.isAlert) {
            if (code == 508 || code == 509) {
                sync.beginAnew();
                sync.mode = Mode.SLOW;
            } else if (!taken) {
                sync.refused = code;
            }
        } else if (sent.maps != null) {
            for (int i = 0; taken && i < sent.maps.size(); i++) {
                ledger.note((String) sent.maps.elementAt(i), "");
            }
        } else if (sent.item == null) {
            if (!taken) {
                sync.refused = code;
            }
        } else if (sent.more) {
            if (code != 213) {
                // The server does not want the rest.
                sync.offset = 0;
                sync.waiting.removeElementAt(0);
                sync.failed++;
            }
        } else if (taken || code == 419 || code == 404 || code == 211) {
            sync.datastore.items().confirm(sent.item.luid(), sent.item.edit());
            sync.confirm(sent.item.luid());
            sync.uploaded++;
        } else {
            sync.failed++;
        }
    }

    /** The name in the ledger for the Map of an item. */
    static String map(String datastore, String guid) {
        return MAPS + datastore + "." + guid;
    }
}
