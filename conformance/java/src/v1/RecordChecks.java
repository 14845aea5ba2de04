package v1;

import static common.Expect.equal;
import static common.Expect.that;
import static common.Expect.thrown;
import static common.Expect.until;
import static v1.Streams.FIRST_SHARD;
import static v1.Streams.bytes;
import static v1.Streams.oldest;
import static v1.Streams.texts;

import com.amazonaws.services.kinesis.AmazonKinesis;
import com.amazonaws.services.kinesis.model.GetRecordsResult;
import com.amazonaws.services.kinesis.model.GetShardIteratorRequest;
import com.amazonaws.services.kinesis.model.InvalidArgumentException;
import com.amazonaws.services.kinesis.model.PutRecordRequest;
import com.amazonaws.services.kinesis.model.PutRecordResult;
import com.amazonaws.services.kinesis.model.PutRecordsRequest;
import com.amazonaws.services.kinesis.model.PutRecordsRequestEntry;
import com.amazonaws.services.kinesis.model.PutRecordsResult;
import com.amazonaws.services.kinesis.model.PutRecordsResultEntry;
import com.amazonaws.services.kinesis.model.Record;
import common.Checks;
import common.Emulator;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Records: in, and out again. */
final class RecordChecks {
    // Two, three and four bytes of UTF-8, a right-to-left script, and what JSON escapes.
    private static final List<String> UNICODE_KEYS =
            List.of("ключ", "鍵", "🔑", "مفتاح", "a \"key\"\\\n", "\u2028");
    private static final int MEBIBYTE = 1 << 20;

    private final Connection connection;
    private final AmazonKinesis kinesis;
    private final Streams streams;

    RecordChecks(Connection connection) {
        this.connection = connection;
        kinesis = connection.open();
        streams = new Streams(kinesis);
    }

    void run(Checks checks, boolean isCbor) {
        checks.check("puts one record and reads back every byte value", this::everyByte);
        checks.check("puts a record without a byte of data", this::noByte);
        checks.check("reads back partition keys beyond ASCII", this::unicodeKeys);
        checks.check("picks the shard by an explicit hash key", this::explicitHashKeys);
        checks.check("puts five hundred records and reads each shard in order", this::fiveHundred);
        checks.check("reads from the types of iterator that need no time", this::iterators);
        if (isCbor) {
            checks.check("reads from a time", this::timeIterators);
        } else {
            checks.check("is refused a time, of which it says the milliseconds as seconds",
                    this::timeInMilliseconds);
        }
        checks.check("follows the next iterator in small pages to the tip", this::smallPages);
        checks.check("says when records arrived, to the millisecond", this::arrivalTimes);
        checks.check("measures the lag on the clock", this::lag);
        checks.check("puts the throttled entries of PutRecords again until all are in", this::throttled);
        checks.check("puts and reads back a record of 1 MiB", this::largeRecord);
    }

    private void everyByte() {
        byte[] bytes = new byte[256];
        for (int value = 0; value < bytes.length; value++) bytes[value] = (byte) value;
        String name = streams.create(2);
        PutRecordResult put = kinesis.putRecord(name, ByteBuffer.wrap(bytes), "key");
        Record record = streams.read(name, put.getShardId()).get(0);
        equal(record.getData(), ByteBuffer.wrap(bytes));
        equal(record.getSequenceNumber(), put.getSequenceNumber());
        equal(record.getPartitionKey(), "key");
        equal(record.getEncryptionType(), null);
    }

    private void noByte() {
        String name = streams.create(1);
        streams.put(name, "");
        equal(texts(streams.read(name, FIRST_SHARD)), List.of(""));
    }

    private void unicodeKeys() {
        String name = streams.create(2);
        put(name, UNICODE_KEYS.stream().map(key -> entry(key, key)).toList());
        Map<String, String> records = streams.readAll(name).stream()
                .collect(Collectors.toMap(Record::getPartitionKey, Streams::text));
        equal(records.keySet(), Set.copyOf(UNICODE_KEYS));
        records.forEach((key, data) -> equal(data, key));
    }

    private void explicitHashKeys() {
        String name = streams.create(2);
        String last = BigInteger.TWO.pow(128).subtract(BigInteger.ONE).toString();
        List<String> shards = new ArrayList<>();
        for (String hashKey : List.of("0", last)) {
            shards.add(kinesis.putRecord(new PutRecordRequest()
                            .withStreamName(name)
                            .withPartitionKey("same")
                            .withExplicitHashKey(hashKey)
                            .withData(bytes("x")))
                    .getShardId());
        }
        equal(shards, streams.shardIds(name));
    }

    private void fiveHundred() {
        String name = streams.create(2);
        List<PutRecordsRequestEntry> entries = IntStream.range(0, 500)
                .mapToObj(index -> entry("key-" + index, "x".repeat(index % 7) + index))
                .toList();
        PutRecordsResult put = put(name, entries);
        equal(put.getFailedRecordCount(), 0);
        equal(put.getRecords().size(), 500);
        for (String shard : streams.shardIds(name)) {
            List<String> expected = IntStream.range(0, 500)
                    .filter(index -> put.getRecords().get(index).getShardId().equals(shard))
                    .mapToObj(index -> put.getRecords().get(index).getSequenceNumber()
                            + " key-" + index + " " + "x".repeat(index % 7) + index)
                    .toList();
            that(expected.size() > 100, "only " + expected.size() + " of 500 records in " + shard);
            List<Record> records = streams.read(name, shard);
            equal(
                    records.stream()
                            .map(each -> each.getSequenceNumber() + " " + each.getPartitionKey() + " "
                                    + Streams.text(each))
                            .toList(),
                    expected);
            List<BigInteger> numbers =
                    records.stream().map(each -> new BigInteger(each.getSequenceNumber())).toList();
            equal(numbers, numbers.stream().distinct().sorted().toList());
        }
    }

    private void iterators() {
        String name = streams.create(1);
        List<String> numbers = new ArrayList<>();
        for (String text : List.of("0", "1", "2")) {
            numbers.add(streams.put(name, text).getSequenceNumber());
        }
        GetShardIteratorRequest middle =
                oldest(name, FIRST_SHARD).withStartingSequenceNumber(numbers.get(1));
        equal(texts(streams.read(name, FIRST_SHARD)), List.of("0", "1", "2"));
        equal(from(middle.withShardIteratorType("AT_SEQUENCE_NUMBER")), List.of("1", "2"));
        equal(from(middle.withShardIteratorType("AFTER_SEQUENCE_NUMBER")), List.of("2"));
        GetShardIteratorRequest latest =
                oldest(name, FIRST_SHARD).withShardIteratorType("LATEST");
        equal(from(latest), List.of());
        String iterator = streams.iterator(latest);
        streams.put(name, "3");
        equal(texts(streams.page(iterator).getRecords()), List.of("3"));
    }

    private void timeIterators() throws Exception {
        String name = streams.create(1);
        for (String text : List.of("0", "1", "2")) {
            streams.put(name, text);
            // The next record is to be a later one by the clock, too.
            long arrived = System.currentTimeMillis();
            until("a later time", () -> System.currentTimeMillis() > arrived + 1);
        }
        Date time = streams.read(name, FIRST_SHARD).get(1).getApproximateArrivalTimestamp();
        GetShardIteratorRequest middle =
                oldest(name, FIRST_SHARD).withShardIteratorType("AT_TIMESTAMP");
        equal(from(middle.withTimestamp(time)), List.of("1", "2"));
        equal(from(middle.withTimestamp(new Date(time.getTime() + 1))), List.of("2"));
    }

    /** A fault of this version of the SDK, which the service does not mend either. */
    private void timeInMilliseconds() throws Exception {
        String name = streams.create(1);
        Date now = new Date();
        String message = thrown(InvalidArgumentException.class,
                        () -> streams.iterator(oldest(name, FIRST_SHARD)
                                .withShardIteratorType("AT_TIMESTAMP")
                                .withTimestamp(now)))
                .getErrorMessage();
        String start = "The timestampInMillis parameter cannot be greater than the "
                + "currentTimestampInMillis. timestampInMillis: " + now.getTime() + "000, ";
        that(message.startsWith(start), message);
    }

    private List<String> from(GetShardIteratorRequest position) {
        return texts(streams.read(position));
    }

    private void smallPages() {
        String name = streams.create(1);
        List<String> expected = IntStream.range(0, 25).mapToObj(Integer::toString).toList();
        put(name, expected.stream().map(text -> entry("key", text)).toList());
        List<Integer> sizes = new ArrayList<>();
        List<String> found = new ArrayList<>();
        Set<String> iterators = new HashSet<>();
        String iterator = streams.iterator(oldest(name, FIRST_SHARD));
        GetRecordsResult page;
        do {
            iterators.add(iterator);
            page = streams.page(iterator, 10);
            sizes.add(page.getRecords().size());
            found.addAll(texts(page.getRecords()));
            iterator = page.getNextShardIterator();
        } while (found.size() < expected.size());
        equal(sizes, List.of(10, 10, 5));
        equal(found, expected);
        equal(page.getMillisBehindLatest(), 0L);
        equal(iterators.size(), 3);
    }

    private void arrivalTimes() {
        String name = streams.create(1);
        long before = System.currentTimeMillis();
        for (int count = 0; count < 5; count++) streams.put(name, "x");
        long after = System.currentTimeMillis();
        List<Long> times = streams.read(name, FIRST_SHARD).stream()
                .map(record -> record.getApproximateArrivalTimestamp().getTime())
                .toList();
        equal(times, times.stream().sorted().toList());
        for (long time : times) {
            that(time >= before - 1 && time <= after, time + " is not now");
        }
        that(times.stream().anyMatch(time -> time % 1000 != 0), "whole seconds: " + times);
    }

    private void lag() throws Exception {
        Streams virtual = new Streams(connection.to(Emulator.VIRTUAL_ENDPOINT).open());
        String name = virtual.create(1);
        virtual.put(name, "old");
        Emulator.advanceClock(5000);
        virtual.put(name, "new");
        GetRecordsResult first = virtual.page(virtual.iterator(oldest(name, FIRST_SHARD)), 1);
        equal(first.getMillisBehindLatest(), 5000L);
        GetRecordsResult second = virtual.page(first.getNextShardIterator(), 1);
        equal(second.getMillisBehindLatest(), 0L);
    }

    /** A shard takes 1 MiB in a second. */
    private void throttled() throws Exception {
        String name = streams.create(1);
        String message = "Rate exceeded for shard " + FIRST_SHARD + " in stream " + name
                + " under account 000000000000.";
        List<PutRecordsRequestEntry> waiting = new ArrayList<>();
        for (int index = 0; index < 500; index++) waiting.add(entry("" + index, "x".repeat(5000)));
        int[] throttled = {0};
        until("all are in", () -> {
            PutRecordsResult put = put(name, waiting);
            List<PutRecordsRequestEntry> refused = new ArrayList<>();
            for (int index = 0; index < waiting.size(); index++) {
                PutRecordsResultEntry result = put.getRecords().get(index);
                if (result.getErrorCode() == null) continue;
                equal(result.getErrorCode(), "ProvisionedThroughputExceededException");
                equal(result.getErrorMessage(), message);
                equal(result.getSequenceNumber(), null);
                refused.add(waiting.get(index));
            }
            equal(put.getFailedRecordCount(), refused.size());
            throttled[0] += refused.size();
            waiting.retainAll(refused);
            return waiting.isEmpty();
        });
        that(throttled[0] > 0, "2.5 MB in less than a second were not throttled");
        Set<String> keys = new HashSet<>();
        List<Record> records = streams.read(name, FIRST_SHARD);
        records.forEach(record -> keys.add(record.getPartitionKey()));
        equal(List.of(records.size(), keys.size()), List.of(500, 500));
    }

    /** The largest of a stream whose limit is as it was made; this version cannot change it. */
    private void largeRecord() {
        String name = streams.create(1);
        // Data and key together.
        byte[] bytes = new byte[MEBIBYTE - "key".length()];
        for (int index = 0; index < bytes.length; index++) bytes[index] = (byte) (index * 31 >> 3);
        kinesis.putRecord(name, ByteBuffer.wrap(bytes), "key");
        equal(streams.read(name, FIRST_SHARD).get(0).getData(), ByteBuffer.wrap(bytes));
    }

    private PutRecordsResult put(String name, List<PutRecordsRequestEntry> entries) {
        return kinesis.putRecords(
                new PutRecordsRequest().withStreamName(name).withRecords(entries));
    }

    private static PutRecordsRequestEntry entry(String key, String text) {
        return new PutRecordsRequestEntry().withPartitionKey(key).withData(bytes(text));
    }
}
