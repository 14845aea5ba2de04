package common;

import common.Library.Mode;
import common.Library.Worker;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/**
 * Workers read a stream of four shards, which is written to all the time, while it is split, merged
 * and scaled, and while they are stopped and replaced.
 */
final class Scenario {
    private static final int SHARDS = 4;
    // A first worker waits up to half a minute before it looks at the shards.
    private static final Duration LIMIT = Duration.ofSeconds(90);
    // A subscription of enhanced fan-out ends after five minutes, and another one goes on.
    private static final Duration LONGER_THAN_A_SUBSCRIPTION = Duration.ofSeconds(320);

    private final Library library;
    private final Mode mode;
    private final boolean isLong;
    private final Report report;
    private final Ledger ledger = new Ledger();
    private final Set<String> started = new HashSet<>();
    private final Instant start = Instant.now();
    private Stream stream;
    private Worker worker;

    Scenario(Library library, Mode mode, boolean isLong, Report report) {
        this.library = library;
        this.mode = mode;
        this.isLong = isLong;
        this.report = report;
    }

    void run() {
        String failure = null;
        List<Shard> shards = List.of();
        try {
            stream = library.create("stream-" + UUID.randomUUID().toString().substring(0, 8), SHARDS);
            Writer writer = new Writer(stream, ledger, isLong ? 100 : 200);
            try {
                readAll();
            } finally {
                writer.stop();
            }
            await("the last record", ledger::isComplete);
            shards = stream.shards();
        } catch (Exception | AssertionError error) {
            failure = error.toString();
        }
        tell(failure, shards);
        tidy();
    }

    private void readAll() throws Exception {
        worker = startWorker();
        await("records from each shard", () -> openShards().stream()
                .allMatch(shard -> ledger.hasProcessedFrom(shard.id())));
        // A stream is scaled ten times a day at most.
        int rounds = isLong ? 4 : 1;
        for (int round = 0; round < rounds; round++) reshardAndReplace();
        if (isLong && mode == Mode.FAN_OUT) {
            Thread.sleep(LONGER_THAN_A_SUBSCRIPTION.toMillis());
            awaitRecords("a second subscription");
        }
    }

    private void reshardAndReplace() throws Exception {
        replaceWorker().stop();

        Shard first = openShards().get(0);
        stream.split(first, first.middleHash());
        awaitResharding("a split");

        List<Shard> open = openShards();
        stream.merge(open.get(open.size() - 2), open.get(open.size() - 1));
        // Another worker takes over while the parents are not yet read to their ends.
        replaceWorker().abandon();
        awaitResharding("a merge");

        stream.scale(SHARDS + 2);
        awaitResharding("scaling up");
        stream.scale(SHARDS - 1);
        awaitResharding("scaling down");
    }

    private Worker startWorker() {
        String name = "worker-" + started.size();
        started.add(name);
        return library.start(stream, mode, name, ledger);
    }

    /** Starts another one beside the old one, as a deployment does, and gives the old one. */
    private Worker replaceWorker() {
        Worker old = worker;
        worker = startWorker();
        return old;
    }

    /** Waits until all closed shards are read to their ends and all open shards are being read. */
    private void awaitResharding(String what) throws InterruptedException {
        List<Shard> shards = stream.shards();
        await(what, () -> shards.stream().allMatch(
                shard -> shard.open() ? ledger.hasBegun(shard.id()) : ledger.hasEnded(shard.id())));
        awaitRecords(what);
    }

    private void awaitRecords(String what) throws InterruptedException {
        int before = ledger.messages();
        await("records after " + what, () -> ledger.messages() > before);
    }

    private List<Shard> openShards() {
        return stream.shards().stream()
                .filter(Shard::open)
                .sorted(Comparator.comparing(Shard::firstHash))
                .collect(Collectors.toList());
    }

    private void await(String what, BooleanSupplier condition) throws InterruptedException {
        Instant deadline = Instant.now().plus(LIMIT);
        while (!condition.getAsBoolean()) {
            if (Instant.now().isAfter(deadline)) {
                throw new AssertionError(what + " did not come within " + LIMIT.toSeconds() + " s");
            }
            Thread.sleep(100);
        }
        progress(what);
    }

    /** Logs the progress, for a slow or failed run. conformance/run does not count this output. */
    private void progress(String what) {
        long seconds = Duration.between(start, Instant.now()).toSeconds();
        System.err.println(mode.text + ": " + seconds + " s: " + what + "; " + ledger);
    }

    private void tell(String failure, List<Shard> shards) {
        check("follows splits, merges and scaling", failure);
        check("processes every record", ledger.whyNotComplete());
        check("processes the records of each key in order", ledger.whyNotInOrder());
        check("ends parents before their children begin", ledger.whyNotParentsFirst(shards));
        check("ends every closed shard and no other", ledger.whyNotEnded(shards));
        check("goes on with another worker where one stopped", ledger.whyNotSharedBy(started));
    }

    private void check(String name, String reason) {
        report.check(mode.text + ": " + name, reason);
    }

    private void tidy() {
        try {
            if (worker != null) worker.abandon();
            if (stream != null) stream.delete();
        } catch (Exception error) {
            System.err.println(mode.text + ": left behind: " + error);
        }
    }
}
