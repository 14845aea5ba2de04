package common;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The records that were written, and the events of all processors in the order of their times.
 *
 * <p>A faulty message is kept and reported at the end, because the library would only log an
 * exception and go on.
 */
public final class Ledger {
    private static final int FAULTS_REPORTED = 5;

    private final Map<String, Integer> written = new HashMap<>();
    private final Map<String, Integer> processed = new HashMap<>();
    private final Set<String> workers = new HashSet<>();
    private final Set<String> begun = new HashSet<>();
    private final Set<String> ended = new HashSet<>();
    private final Map<String, Set<String>> endedBeforeBeginOf = new HashMap<>();
    private final Map<String, Integer> processedByShard = new HashMap<>();
    private final List<String> disorder = new ArrayList<>();
    private int messages;
    private int repeated;

    /** One processor, which has one shard for the time of one lease. */
    public final class Processor {
        private final String worker;
        private final Map<String, Integer> lastOfKey = new HashMap<>();
        private String shard;

        private Processor(String worker) {
            this.worker = worker;
        }

        public void begin(String shardId) {
            synchronized (Ledger.this) {
                shard = shardId;
                begun.add(shardId);
                // Only the first processor of a shard tells whether its parents had ended.
                endedBeforeBeginOf.putIfAbsent(shardId, new HashSet<>(ended));
            }
        }

        public void process(Message message) {
            synchronized (Ledger.this) {
                messages++;
                workers.add(worker);
                processedByShard.merge(shard, 1, Integer::sum);
                follow(message, lastOfKey.put(message.key(), message.number()));
                advance(message);
            }
        }

        public void end() {
            synchronized (Ledger.this) {
                ended.add(shard);
            }
        }

        /** The records of a key follow each other without gap or repetition within one lease. */
        private void follow(Message message, Integer last) {
            if (last != null && message.number() != last + 1) {
                disorder.add(worker + " in " + shard + ": " + message + " after number " + last);
            }
        }
    }

    public Processor processor(String worker) {
        return new Processor(worker);
    }

    public synchronized void write(Message message) {
        written.put(message.key(), message.number() + 1);
    }

    /** The next one of its key, or again one that was met before: none may be passed over. */
    private void advance(Message message) {
        int next = processed.getOrDefault(message.key(), 0);
        if (message.number() == next) {
            processed.put(message.key(), next + 1);
        } else if (message.number() < next) {
            repeated++;
        } else {
            disorder.add(message + " in the place of number " + next);
        }
    }

    public synchronized boolean isComplete() {
        return processed.equals(written);
    }

    public synchronized int messages() {
        return messages;
    }

    public synchronized boolean hasProcessedFrom(String shardId) {
        return processedByShard.containsKey(shardId);
    }

    public synchronized boolean hasBegun(String shardId) {
        return begun.contains(shardId);
    }

    public synchronized boolean hasEnded(String shardId) {
        return ended.contains(shardId);
    }

    // --- What is said of it in the end: null, or the reason why it is not so.

    public synchronized String whyNotComplete() {
        return tell(
                written.entrySet().stream()
                        .filter(each -> !each.getValue().equals(processed.get(each.getKey())))
                        .map(each -> processed.get(each.getKey()) + " of " + each)
                        .collect(Collectors.toList()));
    }

    public synchronized String whyNotInOrder() {
        return tell(disorder);
    }

    public synchronized String whyNotParentsFirst(List<Shard> shards) {
        List<String> faults = new ArrayList<>();
        for (Shard shard : shards) {
            Set<String> before = endedBeforeBeginOf.get(shard.id());
            for (String parent : shard.parents()) {
                if (before == null || !before.contains(parent)) {
                    faults.add(shard.id() + " before its parent " + parent + " ended");
                }
            }
        }
        return tell(faults);
    }

    public synchronized String whyNotEnded(List<Shard> shards) {
        List<String> faults = new ArrayList<>();
        for (Shard shard : shards) {
            if (!begun.contains(shard.id())) faults.add(shard.id() + " never begun");
            if (ended.contains(shard.id()) == shard.open()) {
                faults.add(shard.id() + (shard.open() ? " is open and ended" : " did not end"));
            }
        }
        return tell(faults);
    }

    public synchronized String whyNotSharedBy(Set<String> expected) {
        return workers.equals(expected) ? null : "records came to " + workers;
    }

    @Override
    public synchronized String toString() {
        return messages + " records met, " + repeated + " of them again, in " + begun.size() + " shards";
    }

    private static String tell(List<String> faults) {
        if (faults.isEmpty()) return null;
        String first = faults.stream().limit(FAULTS_REPORTED).collect(Collectors.joining("; "));
        return faults.size() + " faults: " + first;
    }
}
