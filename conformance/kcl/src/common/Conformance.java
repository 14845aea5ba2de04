package common;

import common.Library.Mode;
import java.util.ArrayList;
import java.util.List;

/** Runs the scenario in each of the library's ways to read, at the same time to save half of it. */
public final class Conformance {
    private Conformance() {}

    /** The exit status. */
    public static int run(String client, Library library, List<Mode> modes) throws InterruptedException {
        boolean isLong = "true".equals(System.getenv("LONG"));
        Report report = new Report(client);
        List<Thread> threads = new ArrayList<>();
        for (Mode mode : modes) {
            Thread thread = new Thread(new Scenario(library, mode, isLong, report)::run, mode.text);
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) thread.join();
        return report.hasFailed() ? 1 : 0;
    }
}
