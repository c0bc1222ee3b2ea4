package javax.wireless.messaging;

import java.util.Date;

/** A message (JSR 120). */
public interface Message {
    /** The address that it comes from or goes to, such as sms://+358401234567:50001. */
    String getAddress();

    /** Sets where it goes to. */
    void setAddress(String address);

    /** When it was sent; null if it was not, or if nobody says. */
    Date getTimestamp();
}
