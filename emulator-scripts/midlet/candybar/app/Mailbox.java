package candybar.app;

import java.io.IOException;

import candybar.content.MailDatastore;
import candybar.content.MailMessage;
import candybar.content.MailObject;
import candybar.store.Item;
import candybar.store.Items;

/** What the user does with mail: read, answer, write. What is written lies in the outbox until the next sync. */
public final class Mailbox {
    private final Items items;
    private final Settings settings;

    Mailbox(Items items, Settings settings) {
        this.items = items;
        this.settings = settings;
    }

    /** The mails. */
    public Items items() {
        return items;
    }

    /** The user opens a mail: it counts as read. */
    public MailObject open(Item item) throws IOException {
        MailObject mail = new MailObject(item.body());
        if (!mail.flag("read")) {
            items.edit(item.luid(), mail.with("read"));
        }
        return mail;
    }

    /** Who an answer goes to. */
    public static String answerTo(MailMessage message) {
        String to = message.raw("Reply-To");
        return to.length() > 0 ? to : message.raw("From");
    }

    /** The subject of an answer. */
    public static String answerSubject(MailMessage message) {
        String subject = message.header("Subject");
        return subject.toLowerCase().startsWith("re:") ? subject : "Re: " + subject;
    }

    /** Writes an answer to a mail. */
    public void answer(Item item, String to, String subject, String text) throws IOException {
        MailObject mail = new MailObject(item.body());
        write(to, subject, mail.message().raw("Message-ID"), text);
        Item now = items.find(item.luid());
        if (now != null) {
            items.edit(now.luid(), new MailObject(now.body()).with("replied"));
        }
    }

    /** Writes a mail. */
    public void write(String to, String subject, String answered, String text) throws IOException {
        String from = settings.text(Settings.MAIL);
        MailMessage message = MailMessage.make(from, to, subject, answered, text);
        items.add(MailDatastore.folder(items, "outbox"), MailObject.TYPE, MailObject.make(message));
    }
}
