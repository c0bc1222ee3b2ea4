package candybar.syncml;

/** An Add, Replace or Delete of the phone for one item, or for a chunk of it. */
final class ItemCommand {
    int tag;
    String luid = "";
    String type = "";
    /** LUID of the folder of a new item, or "". */
    String parent = "";
    byte[] data;
    /** Octets of the whole object, in its first chunk; else 0. */
    int size;
    /** More chunks follow. */
    boolean more;
}
