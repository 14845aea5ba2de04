package v2;

import static common.Expect.equal;
import static common.Expect.that;
import static common.Expect.thrown;
import static common.Expect.until;
import static v2.Streams.FIRST_SHARD;

import common.Checks;
import common.Emulator;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.ChildShard;
import software.amazon.awssdk.services.kinesis.model.ConsumerStatus;
import software.amazon.awssdk.services.kinesis.model.ResourceInUseException;
import software.amazon.awssdk.services.kinesis.model.ResourceNotFoundException;
import software.amazon.awssdk.services.kinesis.model.ShardIteratorType;
import software.amazon.awssdk.services.kinesis.model.StartingPosition;

/** SubscribeToShard, which only the asynchronous client has. */
final class PushChecks {
    private static final StartingPosition OLDEST = at(ShardIteratorType.TRIM_HORIZON, null);

    private final KinesisAsyncClient async;
    private final KinesisClient kinesis;
    private final Streams streams;

    PushChecks(Connection connection) {
        async = connection.openAsync();
        kinesis = connection.open();
        streams = new Streams(kinesis);
    }

    void run(Checks checks) {
        checks.check("is pushed every record in order, through a split to both children", this::split);
        checks.check("goes on where an earlier subscription was", this::continuation);
        checks.check("meets ResourceInUseException within five seconds", this::secondSubscription);
        checks.check("meets ResourceNotFoundException amid a subscription", this::deletion);
    }

    /** Runs the checks that need time to pass, on the emulator with the virtual clock. */
    void runVirtual(Checks checks) {
        checks.check("is pushed an empty event every five seconds", this::heartbeat);
        checks.check("loses a subscription to a later one", this::takeover);
        checks.check("sees a subscription end in peace after five minutes", this::fiveMinutes);
    }

    private void split() throws Exception {
        String name = streams.create(1);
        String consumer = register(name);
        List<String> expected = new ArrayList<>();
        List<ChildShard> children;
        try (Subscription parent = new Subscription(async, consumer, FIRST_SHARD, OLDEST)) {
            for (int number = 0; number < 50; number++) {
                expected.add("record " + number);
                streams.put(name, expected.get(number));
            }
            until("records are pushed", () -> parent.texts().size() == expected.size());
            that(parent.lastEvent().continuationSequenceNumber() != null, "no way to go on");
            equal(parent.lastEvent().hasChildShards(), false);
            kinesis.splitShard(request -> request
                    .streamName(name)
                    .shardToSplit(FIRST_SHARD)
                    .newStartingHashKey(BigInteger.TWO.pow(127).toString()));
            await(parent.end());
            equal(parent.texts(), expected);
            equal(parent.lastEvent().continuationSequenceNumber(), null);
            children = parent.children();
        }
        equal(children.stream().map(ChildShard::parentShards).toList(),
                List.of(List.of(FIRST_SHARD), List.of(FIRST_SHARD)));
        for (ChildShard child : children) {
            kinesis.putRecord(request -> request
                    .streamName(name)
                    .partitionKey("key")
                    .explicitHashKey(child.hashKeyRange().startingHashKey())
                    .data(SdkBytes.fromUtf8String(child.shardId())));
            try (Subscription pushed = new Subscription(async, consumer, child.shardId(), OLDEST)) {
                until("a child's record", () -> pushed.texts().equals(List.of(child.shardId())));
            }
        }
        streams.delete(name);
    }

    private void continuation() throws Exception {
        String name = streams.create(1);
        String first = streams.put(name, "first").sequenceNumber();
        streams.put(name, "second");
        StartingPosition after = at(ShardIteratorType.AFTER_SEQUENCE_NUMBER, first);
        String next;
        try (Subscription pushed = new Subscription(async, register(name), FIRST_SHARD, after)) {
            until("the second record", () -> pushed.texts().equals(List.of("second")));
            next = pushed.lastEvent().continuationSequenceNumber();
        }
        streams.put(name, "third");
        StartingPosition goOn = at(ShardIteratorType.AFTER_SEQUENCE_NUMBER, next);
        // Use another consumer: the first one cannot subscribe again for five seconds.
        try (Subscription pushed =
                new Subscription(async, register(name, "other"), FIRST_SHARD, goOn)) {
            until("the third record", () -> pushed.texts().equals(List.of("third")));
        }
    }

    private void secondSubscription() throws Exception {
        String name = streams.create(1);
        String consumer = register(name);
        try (Subscription first = new Subscription(async, consumer, FIRST_SHARD, OLDEST)) {
            until("the first event", () -> isSubscribed(name, first));
            try (Subscription second = new Subscription(async, consumer, FIRST_SHARD, OLDEST)) {
                String message = thrown(ResourceInUseException.class, () -> await(second.end()))
                        .awsErrorDetails()
                        .errorMessage();
                equal(message, "Another active subscription exists for this consumer: "
                        + "000000000000:" + name + ":" + FIRST_SHARD + ":reader");
            }
            that(!first.end().isDone(), "the first one ended");
        }
    }

    private void deletion() throws Exception {
        String name = streams.create(1);
        try (Subscription pushed = new Subscription(async, register(name), FIRST_SHARD, OLDEST)) {
            until("the first event", () -> isSubscribed(name, pushed));
            streams.delete(name);
            thrown(ResourceNotFoundException.class, () -> await(pushed.end()));
        }
    }

    private void heartbeat() throws Exception {
        String name = streams.create(1);
        try (Subscription pushed = new Subscription(async, register(name), FIRST_SHARD, OLDEST)) {
            until("the first event", () -> isSubscribed(name, pushed));
            String position = pushed.lastEvent().continuationSequenceNumber();
            int before = pushed.events();
            Emulator.advanceClock(5_000);
            until("an empty event", () -> pushed.events() > before);
            equal(pushed.lastEvent().records(), List.of());
            equal(pushed.lastEvent().millisBehindLatest(), 0L);
            that(!pushed.lastEvent().continuationSequenceNumber().equals(position), "no time passed");
        }
    }

    private void takeover() throws Exception {
        String name = streams.create(1);
        String consumer = register(name);
        try (Subscription first = new Subscription(async, consumer, FIRST_SHARD, OLDEST)) {
            until("the first event", () -> isSubscribed(name, first));
            Emulator.advanceClock(5_000);
            try (Subscription second = new Subscription(async, consumer, FIRST_SHARD, OLDEST)) {
                thrown(ResourceInUseException.class, () -> await(first.end()));
                until("the later one's event", () -> second.events() > 0);
            }
        }
    }

    private void fiveMinutes() throws Exception {
        String name = streams.create(1);
        try (Subscription pushed = new Subscription(async, register(name), FIRST_SHARD, OLDEST)) {
            until("the first event", () -> isSubscribed(name, pushed));
            Emulator.advanceClock(300_000);
            await(pushed.end());
            that(pushed.lastEvent().continuationSequenceNumber() != null, "no way to go on");
        }
    }

    private String register(String stream) throws Exception {
        return register(stream, "reader");
    }

    /** A new consumer that is ACTIVE; its ARN. */
    private String register(String stream, String consumer) throws Exception {
        String arn = streams.arn(stream);
        kinesis.registerStreamConsumer(request -> request.streamARN(arn).consumerName(consumer));
        var described = new ArrayList<String>();
        until(consumer + " is ACTIVE", () -> {
            var description = kinesis
                    .describeStreamConsumer(request -> request.streamARN(arn).consumerName(consumer))
                    .consumerDescription();
            described.add(description.consumerARN());
            return description.consumerStatus() == ConsumerStatus.ACTIVE;
        });
        return described.get(0);
    }

    /** An event comes with the first record at the latest. */
    private boolean isSubscribed(String name, Subscription subscription) {
        streams.put(name, "x");
        return subscription.events() > 0;
    }

    private static StartingPosition at(ShardIteratorType type, String sequenceNumber) {
        return StartingPosition.builder().type(type).sequenceNumber(sequenceNumber).build();
    }

    private static void await(CompletableFuture<Void> future) throws Exception {
        try {
            future.get(30, TimeUnit.SECONDS);
        } catch (ExecutionException error) {
            throw (Exception) error.getCause();
        }
    }
}
