package common;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.Callable;

/** Assertions for checks. */
public final class Expect {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private Expect() {}

    public static void equal(Object actual, Object expected) {
        that(Objects.equals(actual, expected), actual + " in the place of " + expected);
    }

    public static void that(boolean condition, String otherwise) {
        if (!condition) throw new AssertionError(otherwise);
    }

    /** The error of a call that must fail with exactly this class, as `catch` clauses rely on it. */
    public static <E extends Exception> E thrown(Class<E> type, Checks.Check call) throws Exception {
        try {
            call.run();
        } catch (Exception error) {
            if (error.getClass() == type) return type.cast(error);
            throw error;
        }
        throw new AssertionError("no " + type.getSimpleName());
    }

    /** Asks again and again until the condition holds. */
    public static void until(String what, Callable<Boolean> condition) throws Exception {
        Instant deadline = Instant.now().plus(LIMIT);
        while (!condition.call()) {
            that(Instant.now().isBefore(deadline), what + ": not within " + LIMIT.toSeconds() + " s");
            Thread.sleep(20);
        }
    }
}
