package v1;

import com.amazonaws.services.kinesis.AmazonKinesis;
import com.amazonaws.services.kinesis.model.AmazonKinesisException;
import com.amazonaws.services.kinesis.model.DeleteStreamRequest;
import com.amazonaws.services.kinesis.model.DescribeStreamRequest;
import com.amazonaws.services.kinesis.model.DescribeStreamSummaryRequest;
import com.amazonaws.services.kinesis.model.GetRecordsRequest;
import com.amazonaws.services.kinesis.model.GetRecordsResult;
import com.amazonaws.services.kinesis.model.GetShardIteratorRequest;
import com.amazonaws.services.kinesis.model.ListShardsRequest;
import com.amazonaws.services.kinesis.model.PutRecordResult;
import com.amazonaws.services.kinesis.model.Record;
import com.amazonaws.services.kinesis.model.Shard;
import com.amazonaws.services.kinesis.model.StreamDescriptionSummary;
import com.amazonaws.waiters.WaiterParameters;
import common.Checks;
import common.Expect;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** Short words for what most checks do with streams. */
record Streams(AmazonKinesis kinesis) {
    static final String FIRST_SHARD = "shardId-000000000000";

    /** A new stream that is ACTIVE; its name. */
    String create(int shards) {
        String name = "stream-" + UUID.randomUUID();
        create(name, shards);
        return name;
    }

    void create(String name, int shards) {
        kinesis.createStream(name, shards);
        awaitActive(name);
    }

    void awaitActive(String name) {
        DescribeStreamRequest request = new DescribeStreamRequest().withStreamName(name);
        kinesis.waiters().streamExists().run(new WaiterParameters<>(request));
    }

    void delete(String name) {
        kinesis.deleteStream(
                new DeleteStreamRequest().withStreamName(name).withEnforceConsumerDeletion(true));
        DescribeStreamRequest request = new DescribeStreamRequest().withStreamName(name);
        kinesis.waiters().streamNotExists().run(new WaiterParameters<>(request));
    }

    StreamDescriptionSummary summary(String name) {
        return kinesis
                .describeStreamSummary(new DescribeStreamSummaryRequest().withStreamName(name))
                .getStreamDescriptionSummary();
    }

    String arn(String name) {
        return summary(name).getStreamARN();
    }

    List<Shard> shards(String name) {
        return kinesis.listShards(new ListShardsRequest().withStreamName(name)).getShards();
    }

    List<String> shardIds(String name) {
        return shards(name).stream().map(Shard::getShardId).toList();
    }

    PutRecordResult put(String name, String text) {
        return kinesis.putRecord(name, bytes(text), "key");
    }

    /** A request for the oldest record, to be changed for others. */
    static GetShardIteratorRequest oldest(String name, String shardId) {
        return new GetShardIteratorRequest()
                .withStreamName(name)
                .withShardId(shardId)
                .withShardIteratorType("TRIM_HORIZON");
    }

    String iterator(GetShardIteratorRequest position) {
        return kinesis.getShardIterator(position).getShardIterator();
    }

    GetRecordsResult page(String iterator) {
        return kinesis.getRecords(new GetRecordsRequest().withShardIterator(iterator));
    }

    GetRecordsResult page(String iterator, int limit) {
        return kinesis.getRecords(
                new GetRecordsRequest().withShardIterator(iterator).withLimit(limit));
    }

    /** Reads a shard from a position to its tip, or to its end if it is closed, page by page. */
    List<Record> read(GetShardIteratorRequest position) {
        String iterator = iterator(position);
        List<Record> records = new ArrayList<>();
        while (true) {
            GetRecordsResult page = page(iterator);
            records.addAll(page.getRecords());
            iterator = page.getNextShardIterator();
            if (page.getMillisBehindLatest() == 0 || iterator == null) return records;
        }
    }

    List<Record> read(String name, String shardId) {
        return read(oldest(name, shardId));
    }

    List<Record> readAll(String name) {
        return shardIds(name).stream().flatMap(shard -> read(name, shard).stream()).toList();
    }

    static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    static String text(Record record) {
        return StandardCharsets.UTF_8.decode(record.getData().duplicate()).toString();
    }

    static List<String> texts(List<Record> records) {
        return records.stream().map(Streams::text).toList();
    }

    /** A call that must fail with this class and text. */
    static void refused(
            Class<? extends AmazonKinesisException> type, String message, Checks.Check call)
            throws Exception {
        AmazonKinesisException error = Expect.thrown(type, call);
        Expect.equal(error.getErrorMessage(), message);
        Expect.equal(error.getStatusCode(), 400);
        Expect.that(error.getRequestId() != null, "no request id");
    }
}
