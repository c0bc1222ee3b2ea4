package candybar.app;

import java.io.IOException;
import java.util.Vector;

import candybar.content.Contact;
import candybar.content.Event;
import candybar.content.MailMessage;
import candybar.content.MailObject;
import candybar.push.Notification;
import candybar.push.SmsListener;
import candybar.store.Item;
import candybar.store.Items;
import candybar.syncml.Mode;
import candybar.syncml.Progress;
import candybar.syncml.SyncException;

/**
 * Does what the attributes Candybar-Script-1, -2 and so on of the JAD say, for tests, and prints what comes of it:
 *
 * <pre>
 * sync|slow|refresh [DATASTORE ...]       synchronise; all datastores if none is named
 * suspend NUMBER [DATASTORE ...]          the same, but the session is suspended after that many messages
 * contact FAMILY;GIVEN;NUMBER             make a contact
 * event SUMMARY;START;END                 make an event
 * number NAME;NUMBER                      another number for a contact
 * note NAME;LENGTH                        a note of that many octets for a contact
 * summary SUMMARY;NEW                     another summary for an event
 * delete DATASTORE NAME                   delete an item
 * show DATASTORE                          print every item
 * read SUBJECT                            open a mail, which counts as read then
 * answer SUBJECT;TEXT                     answer a mail
 * write TO;SUBJECT;TEXT                   write a mail
 * listen                                  take notifications from now on
 * wait [NUMBER]                           wait for as many notifications, and follow each
 * </pre>
 *
 * The last line is {"event":"done"}, or {"event":"failed", ...} with what went wrong; then the MIDlet ends.
 */
final class Script implements Runnable, SmsListener.Receiver, Progress {
    private final CandybarMidlet midlet;
    private final Organiser organiser;
    private final Vector notifications = new Vector();
    private SmsListener listener;
    /** Messages after which a session is suspended. */
    private int suspended = Integer.MAX_VALUE;

    Script(CandybarMidlet midlet, Organiser organiser) {
        this.midlet = midlet;
        this.organiser = organiser;
    }

    /** The JAD has a script. */
    static boolean isThere(Settings settings) {
        return settings.attribute("Script-1").length() > 0;
    }

    public void run() {
        String line = "";
        try {
            new Record("started").put("woken", SmsListener.wasWoken()).print();
            int number = 1;
            line = organiser.settings().attribute("Script-1");
            while (line.length() > 0) {
                command(line);
                number++;
                line = organiser.settings().attribute("Script-" + number);
            }
            new Record("done").print();
        } catch (SyncException e) {
            new Record("failed").put("command", line).put("status", e.status()).put("why", e.getMessage()).print();
        } catch (Exception e) {
            new Record("failed").put("command", line).put("status", 0).put("why", e.toString()).print();
        }
        if (listener != null) {
            listener.close();
        }
        midlet.quit();
    }

    private void command(String line) throws IOException, InterruptedException {
        Words words = new Words(line);
        String verb = words.next();
        if (verb.equals("sync")) {
            sync(words, Mode.TWO_WAY);
        } else if (verb.equals("slow")) {
            sync(words, Mode.SLOW);
        } else if (verb.equals("refresh")) {
            sync(words, Mode.REFRESH_FROM_SERVER);
        } else if (verb.equals("suspend")) {
            suspended = words.number(0);
            sync(words, Mode.TWO_WAY);
            suspended = Integer.MAX_VALUE;
        } else if (verb.equals("contact")) {
            String[] parts = words.parts(3);
            contacts().add(0, Contact.TYPE, Contact.make(parts[0], parts[1], parts[2]));
        } else if (verb.equals("event")) {
            String[] parts = words.parts(3);
            events().add(0, Event.TYPE, Event.make(parts[0], parts[1], parts[2]));
        } else if (verb.equals("number")) {
            String[] parts = words.parts(2);
            Item item = find(Organiser.CONTACTS, parts[0]);
            contacts().edit(item.luid(), Contact.withNumber(item, parts[1]));
        } else if (verb.equals("note")) {
            String[] parts = words.parts(2);
            Item item = find(Organiser.CONTACTS, parts[0]);
            contacts().edit(item.luid(), Contact.withNote(item, filler(Integer.parseInt(parts[1]))));
        } else if (verb.equals("summary")) {
            String[] parts = words.parts(2);
            Item item = find(Organiser.CALENDAR, parts[0]);
            events().edit(item.luid(), Event.withSummary(item, parts[1]));
        } else if (verb.equals("delete")) {
            String datastore = words.next();
            organiser.items(datastore).delete(find(datastore, words.rest()).luid());
        } else if (verb.equals("show")) {
            show(words.next());
        } else if (verb.equals("read")) {
            read(words.rest());
        } else if (verb.equals("answer")) {
            String[] parts = words.parts(2);
            Item item = find(Organiser.MAIL, parts[0]);
            MailMessage message = new MailObject(item.body()).message();
            organiser.mailbox().answer(item, Mailbox.answerTo(message), Mailbox.answerSubject(message), parts[1]);
        } else if (verb.equals("write")) {
            String[] parts = words.parts(3);
            organiser.mailbox().write(parts[0], parts[1], "", parts[2]);
        } else if (verb.equals("listen")) {
            listen();
        } else if (verb.equals("wait")) {
            await(words.number(1));
        } else {
            throw new IOException("there is no command " + verb);
        }
    }

    private Items contacts() {
        return organiser.items(Organiser.CONTACTS);
    }

    private Items events() {
        return organiser.items(Organiser.CALENDAR);
    }

    private void sync(Words words, int mode) throws IOException {
        Vector names = words.all();
        Record.print(organiser.sync(names.size() == 0 ? organiser.names() : names, mode, this));
    }

    private static String title(String datastore, Item item) {
        if (datastore.equals(Organiser.MAIL)) {
            return new MailObject(item.body()).message().header("Subject");
        }
        return datastore.equals(Organiser.CALENDAR) ? Event.summary(item) : Contact.name(item);
    }

    private Item find(String datastore, String name) throws IOException {
        Vector items = organiser.items(datastore).present();
        for (int i = 0; i < items.size(); i++) {
            Item item = (Item) items.elementAt(i);
            if (title(datastore, item).equals(name)) {
                return item;
            }
        }
        throw new IOException("there is no " + name + " in " + datastore);
    }

    private void read(String subject) throws IOException {
        Item item = find(Organiser.MAIL, subject);
        MailObject mail = organiser.mailbox().open(item);
        MailMessage message = mail.message();
        new Record("mail").put("luid", item.luid()).put("folder", item.parent())
                .put("from", message.header("From")).put("subject", message.header("Subject"))
                .put("text", message.body()).put("missing", mail.missing()).print();
    }

    private static String filler(int length) {
        StringBuffer text = new StringBuffer(length);
        while (text.length() < length) {
            text.append((char) ('a' + text.length() % 26));
        }
        return text.toString();
    }

    private void show(String datastore) throws IOException {
        Vector items = organiser.items(datastore).present();
        for (int i = 0; i < items.size(); i++) {
            Item item = (Item) items.elementAt(i);
            new Record("item").put("datastore", datastore).put("luid", item.luid())
                    .put("title", title(datastore, item)).put("type", item.type()).put("body", item.text()).print();
        }
        new Record("shown").put("datastore", datastore).put("items", items.size()).print();
    }

    private void listen() throws IOException {
        listener = new SmsListener(organiser.settings().port(), CandybarMidlet.class.getName(), this);
        listener.start();
        new Record("listening").put("port", organiser.settings().port()).print();
    }

    private void await(int count) throws IOException, InterruptedException {
        if (listener == null) {
            listen();
        }
        for (int i = 0; i < count; i++) {
            Notification notification;
            synchronized (notifications) {
                while (notifications.size() == 0) {
                    notifications.wait();
                }
                notification = (Notification) notifications.elementAt(0);
                notifications.removeElementAt(0);
            }
            Record.print(organiser.follow(notification, this));
        }
    }

    public void received(Notification notification) {
        boolean believed;
        try {
            believed = organiser.believes(notification);
        } catch (IOException e) {
            failed(e.getMessage());
            return;
        }
        new Record("notification").put("server", notification.server()).put("session", notification.session())
                .put("form", notification.form())
                .put("datastores", notification.syncs().size()).put("believed", believed).print();
        if (believed) {
            synchronized (notifications) {
                notifications.addElement(notification);
                notifications.notifyAll();
            }
        }
    }

    public void failed(String why) {
        new Record("message").put("why", why).print();
    }

    public void step(String what) {
        new Record("step").put("what", what).print();
    }

    public boolean goesOn(int messages) {
        return messages < suspended;
    }
}
