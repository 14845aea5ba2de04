package common;

/** Runs checks one by one and says how each went, in the words that conformance/run counts. */
public final class Checks {
    private final String prefix;
    private boolean failed;

    public interface Check {
        void run() throws Exception;
    }

    /** Checks of a client, all of them made in one way, such as over CBOR. */
    public Checks(String client, String way) {
        prefix = client + ": " + way + ": ";
    }

    public void check(String name, Check check) {
        try {
            check.run();
            System.out.println("ok " + prefix + name);
        } catch (Exception | AssertionError error) {
            failed = true;
            String reason = error.toString().replaceAll("\\s+", " ");
            System.out.println("FAILED " + prefix + name + ": " + place(error) + ": " + reason);
        }
    }

    public boolean haveFailed() {
        return failed;
    }

    /** The line of the check that failed, which is the last of ours that is not one of Expect. */
    private static String place(Throwable error) {
        for (StackTraceElement frame : error.getStackTrace()) {
            String name = frame.getClassName();
            if (name.contains("Checks")) return frame.getFileName() + ":" + frame.getLineNumber();
        }
        return "in the SDK";
    }
}
