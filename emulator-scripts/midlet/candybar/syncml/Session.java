package candybar.syncml;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.Vector;

import candybar.store.Ledger;
import candybar.wbxml.Element;
import candybar.wbxml.Tags;
import candybar.wbxml.WbxmlReader;

/**
 * A session of OMA DS 1.2: initialisation, what the phone has, what the server has, Maps. A session that breaks or is
 * suspended leaves the anchors where they were; the next one resumes it.
 */
public final class Session {
    /** Messages of a session; a server that only asks for more is left. */
    private static final int MAX_MESSAGES = 2000;
    /** How often a message without answer is sent again. */
    private static final int MAX_RESENDS = 2;
    /** Milliseconds before that. */
    private static final int PAUSE = 1000;

    private static final int INITIALISING = 0;
    private static final int SENDING = 1;
    private static final int RECEIVING = 2;
    private static final int CLOSING = 3;
    private static final int DONE = 4;

    private final Account account;
    private final Ledger ledger;
    private final Transport transport;
    private final Progress progress;
    private final Vector syncs;
    private final Credentials credentials;
    private final Incoming incoming;
    private final Uploads uploads;
    private final byte[] devinf;
    private final String devinfMark;

    private String session;
    private String url;
    private int message;
    private int phase;
    private int limit;
    /** The server wants credentials in the next message. */
    private boolean showCredentials = true;
    private boolean challenged;
    /** The last message had Final: the phone's package is complete. */
    private boolean ended;
    /** All Maps were sent. */
    private boolean closed;

    /**
     * A session over these {@link Sync}s.
     *
     * @param known every datastore of the phone, for its device information
     */
    public Session(Account account, Ledger ledger, Transport transport, Progress progress, Vector known,
            Vector syncs) {
        this.account = account;
        this.ledger = ledger;
        this.transport = transport;
        this.progress = progress;
        this.syncs = syncs;
        credentials = new Credentials(account, ledger);
        incoming = new Incoming(ledger, syncs, account.maxObject);
        uploads = new Uploads(ledger, syncs);
        devinf = DeviceInfo.document(account, known);
        devinfMark = account.url + " " + devinf.length + " " + known.size();
        url = account.url;
    }

    /**
     * Runs it to its end. The id is that of a notification, or one that the phone makes.
     *
     * @return false if it was suspended
     */
    public boolean run(String id) throws IOException {
        session = id;
        limit = account.maxMessage;
        for (int i = 0; i < syncs.size(); i++) {
            begin((Sync) syncs.elementAt(i));
        }
        try {
            while (phase != DONE) {
                if (message >= MAX_MESSAGES) {
                    throw new SyncException(0, "the session does not end");
                }
                if (phase != INITIALISING && !progress.goesOn(message) && !isInsideObject()) {
                    suspend();
                    return false;
                }
                message++;
                receive(WbxmlReader.read(exchange(compose())));
            }
        } finally {
            if (phase != INITIALISING && phase != DONE) {
                keep();
            }
        }
        commit();
        return true;
    }

    /** An object of the server has begun and not ended: the rest is waited for before the session is suspended. */
    private boolean isInsideObject() {
        for (int i = 0; i < syncs.size(); i++) {
            if (((Sync) syncs.elementAt(i)).chunks != null) {
                return true;
            }
        }
        return false;
    }

    /** The last message of this session, which another one resumes. */
    private void suspend() throws IOException {
        progress.step("suspending");
        message++;
        Outgoing out = new Outgoing(account, session, message, account.url, showCredentials ? credentials : null, limit);
        incoming.answer(out, devinf);
        for (int i = 0; i < syncs.size(); i++) {
            Sync sync = (Sync) syncs.elementAt(i);
            if (sync.accepted && sync.refused == 0) {
                out.alert(Mode.SUSPEND, sync.name(), "./" + sync.name());
            }
        }
        Element body = WbxmlReader.read(exchange(out.finish(true))).find(Tags.SYNC_BODY);
        if (body != null) {
            uploads.statuses(body);
        }
        credentials.ended();
    }

    private void keep() throws IOException {
        for (int i = 0; i < syncs.size(); i++) {
            Sync sync = (Sync) syncs.elementAt(i);
            if (sync.accepted && sync.refused == 0) {
                Interruption.keep(ledger, sync);
            }
        }
    }

    /** Sends a message; the same octets again if no answer comes, which the server knows by their MsgID. */
    private byte[] exchange(byte[] octets) throws IOException {
        for (int resends = 0;; resends++) {
            try {
                return transport.exchange(url, octets);
            } catch (IOException e) {
                if (resends == MAX_RESENDS) {
                    throw e;
                }
                progress.step("sending again");
                pause();
            }
        }
    }

    private static void pause() throws InterruptedIOException {
        try {
            Thread.sleep(PAUSE);
        } catch (InterruptedException e) {
            throw new InterruptedIOException("interrupted");
        }
    }

    private void begin(Sync sync) throws IOException {
        Interruption kept = Interruption.of(ledger, sync.name());
        if (kept != null) {
            sync.resume(kept);
        }
        if (sync.resumed) {
            return;
        }
        String count = ledger.text("sessions");
        long next = count.length() == 0 ? 1 : Long.parseLong(count) + 1;
        ledger.note("sessions", Long.toString(next));
        sync.next = Long.toString(next);
        if (sync.mode == Mode.TWO_WAY && sync.last(ledger).length() == 0) {
            sync.mode = Mode.SLOW;
        }
    }

    private byte[] compose() throws IOException {
        Outgoing out = new Outgoing(account, session, message, account.url,
                showCredentials ? credentials : null, limit);
        showCredentials = false;
        incoming.answer(out, devinf);
        switch (phase) {
        case INITIALISING:
            ended = !incoming.isUnfinished();
            if (ended) {
                initialise(out);
            } else {
                ask(out);
            }
            break;
        case SENDING:
            ended = uploads.fill(out);
            break;
        case RECEIVING:
            ended = false;
            ask(out);
            break;
        default:
            ended = !closed && uploads.maps(out);
            if (closed) {
                ask(out);
            }
            closed |= ended;
            break;
        }
        return out.finish(ended);
    }

    private void initialise(Outgoing out) {
        progress.step("connecting");
        if (!ledger.text("devinf").equals(devinfMark)) {
            out.put(devinf);
        }
        for (int i = 0; i < syncs.size(); i++) {
            Sync sync = (Sync) syncs.elementAt(i);
            int code = sync.resumed ? Mode.RESUME : sync.mode;
            String command = out.alert(code, sync.datastore, sync.last(ledger), sync.next,
                    account.maxObject);
            uploads.alerted(out.id(), command, sync);
        }
    }

    private void ask(Outgoing out) {
        out.alert(222, account.url, "");
    }

    private void receive(Element reply) throws IOException {
        Element header = reply.find(Tags.SYNC_HDR);
        Element body = reply.find(Tags.SYNC_BODY);
        if (reply.tag() != Tags.SYNCML || header == null || body == null) {
            throw new SyncException(0, "the answer is no SyncML message");
        }
        if (!header.text(Tags.SESSION_ID).equals(session)) {
            throw new SyncException(0, "the answer is of another session");
        }
        if (header.text(Tags.RESP_URI).length() > 0) {
            url = header.text(Tags.RESP_URI);
        }
        Element meta = header.find(Tags.META);
        if (meta != null) {
            int theirs = meta.number(Tags.MAX_MSG_SIZE, account.maxMessage);
            limit = Math.max(1000, Math.min(theirs, account.maxMessage));
        }
        if (!judge(body)) {
            return;
        }
        uploads.statuses(body);
        incoming.receive(header, body, phase != INITIALISING, credentials);
        advance(body.find(Tags.FINAL) != null);
    }

    /** Takes the Status of the phone's header. False: the same again, with credentials. */
    private boolean judge(Element body) throws IOException {
        Element status = uploads.header(body);
        if (status == null) {
            throw new SyncException(0, "the server does not answer to the header");
        }
        int code = status.number(Tags.DATA, 0);
        Element chal = status.find(Tags.CHAL);
        if (chal != null) {
            credentials.challenge(chal);
        }
        if ((code == 401 || code == 407) && chal != null && !challenged) {
            challenged = true;
            showCredentials = true;
            return false;
        }
        if (code == 401 || code == 407) {
            throw new SyncException(code, "the server refuses name or password");
        }
        if (code >= 300 || code == 101) {
            throw new SyncException(code, "the server answers with Status " + code);
        }
        challenged = false;
        showCredentials = code == 200;
        return true;
    }

    private void advance(boolean serverEnded) throws IOException {
        switch (phase) {
        case INITIALISING:
            if (serverEnded) {
                initialised();
            }
            break;
        case SENDING:
            if (ended) {
                phase = serverEnded ? CLOSING : RECEIVING;
                progress.step("receiving");
            }
            break;
        case RECEIVING:
            phase = serverEnded ? CLOSING : RECEIVING;
            break;
        default:
            if (closed && serverEnded) {
                phase = DONE;
            }
            break;
        }
    }

    private void initialised() throws IOException {
        ledger.note("devinf", devinfMark);
        boolean any = false;
        for (int i = 0; i < syncs.size(); i++) {
            Sync sync = (Sync) syncs.elementAt(i);
            if (sync.refused == 0 && sync.accepted) {
                any = true;
                sync.collect();
                if (!sync.resumed) {
                    Interruption.forget(ledger, sync.name());
                    if (sync.mode == Mode.REFRESH_FROM_SERVER) {
                        sync.datastore.items().clear();
                    }
                }
            }
        }
        if (!any) {
            Sync first = (Sync) syncs.elementAt(0);
            throw new SyncException(first.refused, "the server refuses " + first.name() + " with Status "
                    + first.refused);
        }
        progress.step("sending");
        phase = SENDING;
    }

    private void commit() throws IOException {
        credentials.ended();
        for (int i = 0; i < syncs.size(); i++) {
            Sync sync = (Sync) syncs.elementAt(i);
            if (sync.accepted && sync.refused == 0) {
                sync.commit(ledger);
            }
        }
    }
}
