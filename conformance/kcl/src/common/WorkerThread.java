package common;

import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** A worker's thread and the two ways in which every version of the library lets it end. */
public record WorkerThread(Thread thread, Supplier<Future<Boolean>> startGracefully, Runnable abruptly)
        implements Library.Worker {
    private static final long GRACE_SECONDS = 15;
    private static final long STOP_MILLIS = 60_000;

    /**
     * Stops as the library's examples do: abruptly after a grace period. The second version waits
     * in vain for processors of shards that have ended but still have a lease.
     */
    @Override
    public void stop() throws Exception {
        try {
            startGracefully.get().get(GRACE_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException isNotGraceful) {
            System.err.println(thread.getName() + " does not stop gracefully");
            abruptly.run();
        }
        awaitEnd();
    }

    @Override
    public void abandon() throws Exception {
        abruptly.run();
        awaitEnd();
    }

    private void awaitEnd() throws InterruptedException {
        thread.join(STOP_MILLIS);
        if (thread.isAlive()) throw new AssertionError(thread.getName() + " does not stop");
    }
}
