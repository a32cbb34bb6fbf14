// Starts a broker that dies with whoever started it, and whose exit code says whether it started.

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;

/** Takes the arguments of ActiveMQ's own ShellCommand. Its standard input is the lifeline: at its end the process is gone. */
public final class LabMain {
    private static final String SHELL = "org.apache.activemq.console.command.ShellCommand";

    public static void main(String[] arguments) throws Exception {
        haltAtEndOf(System.in);
        // ShellCommand returns the code that its own launcher (console.Main) exits with; by itself it would exit 0.
        Object code = Class.forName(SHELL)
            .getMethod("main", String[].class, InputStream.class, PrintStream.class)
            .invoke(null, arguments, new ByteArrayInputStream(new byte[0]), System.out);
        System.exit((Integer) code);
    }

    /** The kernel closes the pipe when the other process ends, however it ends; nothing needs to be asked of it. */
    static void haltAtEndOf(InputStream lifeline) {
        Thread thread = new Thread(() -> {
            try {
                while (lifeline.read() >= 0) {
                    // Only the end matters.
                }
            } catch (IOException broken) {
                // As good as the end.
            }
            Runtime.getRuntime().halt(99);
        }, "lab-lifeline");
        thread.setDaemon(true);
        thread.start();
    }
}
