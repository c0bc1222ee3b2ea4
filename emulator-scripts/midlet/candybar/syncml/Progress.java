package candybar.syncml;

/** Is told how a session goes. */
public interface Progress {
    /** A step of it, in words for people. */
    void step(String what);
}
