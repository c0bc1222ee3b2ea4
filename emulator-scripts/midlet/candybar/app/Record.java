package candybar.app;

import java.util.Vector;

import candybar.syncml.Sync;

/** A line of output for programs: a JSON object on a line of its own, which begins with its "event". */
final class Record {
    private static final String HEX = "0123456789abcdef";

    private final StringBuffer line = new StringBuffer();

    Record(String event) {
        line.append("{\"event\":");
        string(event);
    }

    Record put(String name, String value) {
        name(name);
        string(value);
        return this;
    }

    Record put(String name, int value) {
        name(name);
        line.append(value);
        return this;
    }

    Record put(String name, boolean value) {
        name(name);
        line.append(value);
        return this;
    }

    void print() {
        System.out.println(line.append('}').toString());
    }

    /** One line for each datastore of a session, and one for its end; null: it was suspended. */
    static void print(Vector syncs) {
        if (syncs == null) {
            new Record("suspended").print();
            return;
        }
        for (int i = 0; i < syncs.size(); i++) {
            Sync sync = (Sync) syncs.elementAt(i);
            new Record("datastore").put("name", sync.name()).put("alert", sync.mode()).put("resumed", sync.resumed()).put("status", sync.refused())
                    .put("sent", sync.uploaded()).put("added", sync.added()).put("replaced", sync.replaced())
                    .put("deleted", sync.deleted()).put("failed", sync.failed()).print();
        }
        new Record("synced").put("datastores", syncs.size()).print();
    }

    private void name(String name) {
        line.append(',');
        string(name);
        line.append(':');
    }

    private void string(String text) {
        line.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                line.append('\\').append(c);
            } else if (c < ' ' || c > '~') {
                line.append("\\u");
                for (int shift = 12; shift >= 0; shift -= 4) {
                    line.append(HEX.charAt(c >> shift & 15));
                }
            } else {
                line.append(c);
            }
        }
        line.append('"');
    }
}
