package candybar.syncml;

/** Where the phone synchronises, and as whom. */
public final class Account {
    /** Address that messages are posted to. */
    public final String url;
    /** Name of the account. */
    public final String user;
    /** Its password. */
    public final String password;
    /** The phone's own id, such as IMEI:350000000000001. */
    public final String device;
    /** Octets of the largest message that the phone takes. */
    public final int maxMessage;
    /** Octets of the largest object that the phone takes. */
    public final int maxObject;

    /** All that a session needs to know. */
    public Account(String url, String user, String password, String device, int maxMessage, int maxObject) {
        this.url = url;
        this.user = user;
        this.password = password;
        this.device = device;
        this.maxMessage = maxMessage;
        this.maxObject = maxObject;
    }
}
