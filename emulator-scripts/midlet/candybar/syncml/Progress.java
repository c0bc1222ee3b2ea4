package candybar.syncml;

/** Is told how a session goes, and says whether it is to go on. */
public interface Progress {
    /** A step of it, in words for people. */
    void step(String what);

    /** Before each message: whether the session goes on. If not it is suspended, and the next one resumes it. */
    boolean goesOn(int messages);
}
