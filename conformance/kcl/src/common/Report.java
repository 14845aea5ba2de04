package common;

/** Says how checks went, in the words that conformance/run counts. */
final class Report {
    private final String client;
    private boolean failed;

    Report(String client) {
        this.client = client;
    }

    /** A check that is passed if there is no reason why not. */
    synchronized void check(String name, String reason) {
        if (reason == null) {
            System.out.println("ok " + client + ": " + name);
        } else {
            failed = true;
            String line = reason.replaceAll("\\s+", " ");
            System.out.println("FAILED " + client + ": " + name + ": " + line);
        }
    }

    synchronized boolean hasFailed() {
        return failed;
    }
}
