package candybar.app;

import java.io.IOException;
import java.util.Vector;

/** The words of a command. */
final class Words {
    private String rest;

    Words(String line) {
        rest = line.trim();
    }

    /** The next word, or "". */
    String next() {
        int space = rest.indexOf(' ');
        String word = space < 0 ? rest : rest.substring(0, space);
        rest = rest.substring(word.length()).trim();
        return word;
    }

    /** All that is left. */
    String rest() {
        return rest;
    }

    /** The words that are left. */
    Vector all() {
        Vector words = new Vector();
        while (rest.length() > 0) {
            words.addElement(next());
        }
        return words;
    }

    /** A number, if one is left. */
    int number(int otherwise) {
        return rest.length() == 0 ? otherwise : Integer.parseInt(next());
    }

    /** What is left, cut at semicolons into that many parts; the last one has the rest. */
    String[] parts(int count) throws IOException {
        String[] parts = new String[count];
        for (int i = 0; i < count; i++) {
            int end = i == count - 1 ? -1 : rest.indexOf(';');
            if (end < 0 && i < count - 1) {
                throw new IOException("it takes " + count + " parts, with semicolons between them");
            }
            parts[i] = end < 0 ? rest : rest.substring(0, end);
            rest = end < 0 ? "" : rest.substring(end + 1);
        }
        return parts;
    }
}
