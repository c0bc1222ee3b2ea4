package candybar.emulator;

import java.awt.Rectangle;
import java.awt.Robot;
import java.awt.Toolkit;
import java.awt.event.InputEvent;
import java.awt.image.BufferedImage;
import java.io.File;
import java.util.HashMap;
import java.util.Map;

import javax.imageio.ImageIO;

/**
 * Presses keys of an emulated phone whose window is at the top left of the screen, and takes pictures of it. Arguments, in
 * order: names of keys; seconds to wait, such as 2s; files, such as out.png.
 */
public final class Camera {
    /** A place of the window that is no key. */
    private static final int[] TITLE = { 113, 45 };
    /** The window of MicroEmulator's default phone. */
    private static final Rectangle WINDOW = new Rectangle(0, 0, 226, 492);
    private static final Map<String, int[]> KEYS = new HashMap<String, int[]>();

    static {
        KEYS.put("up", new int[] { 113, 303 });
        KEYS.put("down", new int[] { 113, 335 });
        KEYS.put("left", new int[] { 89, 320 });
        KEYS.put("right", new int[] { 138, 320 });
        KEYS.put("select", new int[] { 113, 320 });
        KEYS.put("soft1", new int[] { 45, 320 });
        KEYS.put("soft2", new int[] { 182, 320 });
    }

    private Camera() {
    }

    public static void main(String[] arguments) throws Exception {
        Robot robot = new Robot();
        // The first click only brings the window to the front.
        click(robot, TITLE);
        for (String argument : arguments) {
            int[] key = KEYS.get(argument);
            if (key != null) {
                click(robot, key);
            } else if (argument.matches("[0-9]+s")) {
                Thread.sleep(1000L * Integer.parseInt(argument.substring(0, argument.length() - 1)));
            } else if (argument.endsWith(".png")) {
                Rectangle screen = new Rectangle(Toolkit.getDefaultToolkit().getScreenSize());
                BufferedImage picture = robot.createScreenCapture(WINDOW.intersection(screen));
                ImageIO.write(picture, "png", new File(argument));
            } else {
                throw new IllegalArgumentException(argument);
            }
        }
        System.exit(0);
    }

    private static void click(Robot robot, int[] place) {
        robot.mouseMove(place[0], place[1]);
        robot.delay(300);
        robot.mousePress(InputEvent.BUTTON1_DOWN_MASK);
        robot.delay(150);
        robot.mouseRelease(InputEvent.BUTTON1_DOWN_MASK);
        robot.delay(400);
    }
}
