package v2;

import common.Checks;
import common.Expect;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.GetRecordsResponse;
import software.amazon.awssdk.services.kinesis.model.GetShardIteratorRequest;
import software.amazon.awssdk.services.kinesis.model.KinesisException;
import software.amazon.awssdk.services.kinesis.model.PutRecordResponse;
import software.amazon.awssdk.services.kinesis.model.Record;
import software.amazon.awssdk.services.kinesis.model.Shard;
import software.amazon.awssdk.services.kinesis.model.ShardIteratorType;
import software.amazon.awssdk.services.kinesis.waiters.KinesisWaiter;

/** Short words for what most checks do with streams. */
record Streams(KinesisClient kinesis) {
    static final String FIRST_SHARD = "shardId-000000000000";

    /** A new stream that is ACTIVE; its name. */
    String create(int shards) {
        String name = "stream-" + UUID.randomUUID();
        create(name, shards);
        return name;
    }

    void create(String name, int shards) {
        kinesis.createStream(request -> request.streamName(name).shardCount(shards));
        awaitActive(name);
    }

    void awaitActive(String name) {
        try (KinesisWaiter waiter = KinesisWaiter.builder().client(kinesis).build()) {
            waiter.waitUntilStreamExists(request -> request.streamName(name));
        }
    }

    void delete(String name) {
        kinesis.deleteStream(request -> request.streamName(name).enforceConsumerDeletion(true));
        try (KinesisWaiter waiter = KinesisWaiter.builder().client(kinesis).build()) {
            waiter.waitUntilStreamNotExists(request -> request.streamName(name));
        }
    }

    String arn(String name) {
        return kinesis.describeStreamSummary(request -> request.streamName(name))
                .streamDescriptionSummary()
                .streamARN();
    }

    List<String> shardIds(String name) {
        return kinesis.listShards(request -> request.streamName(name)).shards().stream()
                .map(Shard::shardId)
                .toList();
    }

    PutRecordResponse put(String name, String text) {
        return kinesis.putRecord(request -> request
                .streamName(name)
                .partitionKey("key")
                .data(SdkBytes.fromUtf8String(text)));
    }

    String iterator(String name, String shardId, Consumer<GetShardIteratorRequest.Builder> position) {
        return kinesis.getShardIterator(request -> request
                        .streamName(name)
                        .shardId(shardId)
                        .shardIteratorType(ShardIteratorType.TRIM_HORIZON)
                        .applyMutation(position))
                .shardIterator();
    }

    String oldest(String name, String shardId) {
        return iterator(name, shardId, request -> {});
    }

    /** Reads a shard from a position to its tip, or to its end if it is closed, page by page. */
    List<Record> read(
            String name, String shardId, Consumer<GetShardIteratorRequest.Builder> position) {
        String iterator = iterator(name, shardId, position);
        List<Record> records = new ArrayList<>();
        while (true) {
            String next = iterator;
            GetRecordsResponse page = kinesis.getRecords(request -> request.shardIterator(next));
            records.addAll(page.records());
            iterator = page.nextShardIterator();
            if (page.millisBehindLatest() == 0 || iterator == null) return records;
        }
    }

    List<Record> read(String name, String shardId) {
        return read(name, shardId, request -> {});
    }

    List<Record> readAll(String name) {
        return shardIds(name).stream().flatMap(shard -> read(name, shard).stream()).toList();
    }

    static List<String> texts(List<Record> records) {
        return records.stream().map(record -> record.data().asUtf8String()).toList();
    }

    /** A call that must fail with this class and text. */
    static void refused(Class<? extends KinesisException> type, String message, Checks.Check call)
            throws Exception {
        KinesisException error = Expect.thrown(type, call);
        Expect.equal(error.awsErrorDetails().errorMessage(), message);
        Expect.equal(error.statusCode(), 400);
        Expect.that(error.requestId() != null, "no request id");
    }
}
