package v2;

import static common.Expect.equal;
import static common.Expect.that;
import static common.Expect.until;
import static v2.Streams.FIRST_SHARD;
import static v2.Streams.texts;

import common.Checks;
import common.Emulator;
import java.math.BigInteger;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.GetRecordsResponse;
import software.amazon.awssdk.services.kinesis.model.PutRecordResponse;
import software.amazon.awssdk.services.kinesis.model.PutRecordsRequestEntry;
import software.amazon.awssdk.services.kinesis.model.PutRecordsResponse;
import software.amazon.awssdk.services.kinesis.model.PutRecordsResultEntry;
import software.amazon.awssdk.services.kinesis.model.Record;
import software.amazon.awssdk.services.kinesis.model.ShardIteratorType;

/** Records: in, and out again. */
final class RecordChecks {
    // Two, three and four bytes of UTF-8, a right-to-left script, and what JSON escapes.
    private static final List<String> UNICODE_KEYS =
            List.of("ключ", "鍵", "🔑", "مفتاح", "a \"key\"\\\n", "\u2028");
    private static final int LARGEST_RECORD_IN_KIB = 10 * 1024;

    private final Connection connection;
    private final KinesisClient kinesis;
    private final Streams streams;

    RecordChecks(Connection connection) {
        this.connection = connection;
        kinesis = connection.open();
        streams = new Streams(kinesis);
    }

    void run(Checks checks) {
        checks.check("puts one record and reads back every byte value", this::everyByte);
        checks.check("puts a record without a byte of data", this::noByte);
        checks.check("reads back partition keys beyond ASCII", this::unicodeKeys);
        checks.check("picks the shard by an explicit hash key", this::explicitHashKeys);
        checks.check("puts five hundred records and reads each shard in order", this::fiveHundred);
        checks.check("reads from all five types of iterator", this::iterators);
        checks.check("follows the next iterator in small pages to the tip", this::smallPages);
        checks.check("says when records arrived, to the millisecond", this::arrivalTimes);
        checks.check("measures the lag on the clock", this::lag);
        checks.check("puts the throttled entries of PutRecords again until all are in", this::throttled);
        checks.check("puts and reads back a record of 10 MiB", this::largestRecord);
    }

    private void everyByte() {
        byte[] bytes = new byte[256];
        for (int value = 0; value < bytes.length; value++) bytes[value] = (byte) value;
        String name = streams.create(2);
        PutRecordResponse put = kinesis.putRecord(request -> request
                .streamName(name)
                .partitionKey("key")
                .data(SdkBytes.fromByteArray(bytes)));
        Record record = streams.read(name, put.shardId()).get(0);
        that(Arrays.equals(record.data().asByteArray(), bytes), "other bytes: " + record.data());
        equal(record.sequenceNumber(), put.sequenceNumber());
        equal(record.partitionKey(), "key");
        equal(record.encryptionType(), null);
    }

    private void noByte() {
        String name = streams.create(1);
        streams.put(name, "");
        equal(texts(streams.read(name, FIRST_SHARD)), List.of(""));
    }

    private void unicodeKeys() {
        String name = streams.create(2);
        List<PutRecordsRequestEntry> entries =
                UNICODE_KEYS.stream().map(key -> entry(key, key)).toList();
        kinesis.putRecords(request -> request.streamName(name).records(entries));
        Map<String, String> records = streams.readAll(name).stream()
                .collect(Collectors.toMap(Record::partitionKey, each -> each.data().asUtf8String()));
        equal(records.keySet(), Set.copyOf(UNICODE_KEYS));
        records.forEach((key, data) -> equal(data, key));
    }

    private void explicitHashKeys() {
        String name = streams.create(2);
        String last = BigInteger.TWO.pow(128).subtract(BigInteger.ONE).toString();
        List<String> shards = new ArrayList<>();
        for (String hashKey : List.of("0", last)) {
            shards.add(kinesis.putRecord(request -> request
                            .streamName(name)
                            .partitionKey("same")
                            .explicitHashKey(hashKey)
                            .data(SdkBytes.fromUtf8String("x")))
                    .shardId());
        }
        equal(shards, streams.shardIds(name));
    }

    private void fiveHundred() {
        String name = streams.create(2);
        List<PutRecordsRequestEntry> entries = IntStream.range(0, 500)
                .mapToObj(index -> entry("key-" + index, "x".repeat(index % 7) + index))
                .toList();
        PutRecordsResponse put =
                kinesis.putRecords(request -> request.streamName(name).records(entries));
        equal(put.failedRecordCount(), 0);
        equal(put.records().size(), 500);
        for (String shard : streams.shardIds(name)) {
            List<String> expected = IntStream.range(0, 500)
                    .filter(index -> put.records().get(index).shardId().equals(shard))
                    .mapToObj(index -> put.records().get(index).sequenceNumber()
                            + " " + entries.get(index).partitionKey()
                            + " " + entries.get(index).data().asUtf8String())
                    .toList();
            that(expected.size() > 100, "only " + expected.size() + " of 500 records in " + shard);
            List<Record> records = streams.read(name, shard);
            equal(
                    records.stream()
                            .map(each -> each.sequenceNumber() + " " + each.partitionKey() + " "
                                    + each.data().asUtf8String())
                            .toList(),
                    expected);
            List<BigInteger> numbers =
                    records.stream().map(each -> new BigInteger(each.sequenceNumber())).toList();
            equal(numbers, numbers.stream().distinct().sorted().toList());
        }
    }

    private void iterators() throws Exception {
        String name = streams.create(1);
        List<String> numbers = new ArrayList<>();
        for (String text : List.of("0", "1", "2")) {
            numbers.add(streams.put(name, text).sequenceNumber());
            // The next record is to be a later one by the clock, too, for AT_TIMESTAMP.
            Instant arrived = Instant.now();
            until("a later time", () -> Instant.now().isAfter(arrived.plusMillis(2)));
        }
        String middle = numbers.get(1);
        Instant time = streams.read(name, FIRST_SHARD).get(1).approximateArrivalTimestamp();
        equal(from(name, ShardIteratorType.TRIM_HORIZON, null, null), List.of("0", "1", "2"));
        equal(from(name, ShardIteratorType.AT_SEQUENCE_NUMBER, middle, null), List.of("1", "2"));
        equal(from(name, ShardIteratorType.AFTER_SEQUENCE_NUMBER, middle, null), List.of("2"));
        equal(from(name, ShardIteratorType.AT_TIMESTAMP, null, time), List.of("1", "2"));
        equal(from(name, ShardIteratorType.AT_TIMESTAMP, null, time.plusMillis(1)), List.of("2"));
        equal(from(name, ShardIteratorType.LATEST, null, null), List.of());
        String latest = streams.iterator(
                name, FIRST_SHARD, request -> request.shardIteratorType(ShardIteratorType.LATEST));
        streams.put(name, "3");
        equal(texts(kinesis.getRecords(request -> request.shardIterator(latest)).records()), List.of("3"));
    }

    private List<String> from(String name, ShardIteratorType type, String number, Instant time) {
        return texts(streams.read(name, FIRST_SHARD, request ->
                request.shardIteratorType(type).startingSequenceNumber(number).timestamp(time)));
    }

    private void smallPages() {
        String name = streams.create(1);
        List<String> expected = IntStream.range(0, 25).mapToObj(Integer::toString).toList();
        List<PutRecordsRequestEntry> entries =
                expected.stream().map(text -> entry("key", text)).toList();
        kinesis.putRecords(request -> request.streamName(name).records(entries));
        List<Integer> sizes = new ArrayList<>();
        List<String> found = new ArrayList<>();
        Set<String> iterators = new HashSet<>();
        String iterator = streams.oldest(name, FIRST_SHARD);
        GetRecordsResponse page;
        do {
            iterators.add(iterator);
            String next = iterator;
            page = kinesis.getRecords(request -> request.shardIterator(next).limit(10));
            sizes.add(page.records().size());
            found.addAll(texts(page.records()));
            iterator = page.nextShardIterator();
        } while (found.size() < expected.size());
        equal(sizes, List.of(10, 10, 5));
        equal(found, expected);
        equal(page.millisBehindLatest(), 0L);
        equal(iterators.size(), 3);
    }

    private void arrivalTimes() {
        String name = streams.create(1);
        Instant before = Instant.now();
        for (int count = 0; count < 5; count++) streams.put(name, "x");
        Instant after = Instant.now();
        List<Instant> times = streams.read(name, FIRST_SHARD).stream()
                .map(Record::approximateArrivalTimestamp)
                .toList();
        equal(times, times.stream().sorted(Comparator.naturalOrder()).toList());
        for (Instant time : times) {
            that(!time.isBefore(before.minusMillis(1)) && !time.isAfter(after), time + " is not now");
        }
        that(times.stream().anyMatch(time -> time.toEpochMilli() % 1000 != 0), "whole seconds: " + times);
    }

    private void lag() throws Exception {
        KinesisClient virtual = connection.to(Emulator.VIRTUAL_ENDPOINT).open();
        Streams virtualStreams = new Streams(virtual);
        String name = virtualStreams.create(1);
        virtualStreams.put(name, "old");
        Emulator.advanceClock(5000);
        virtualStreams.put(name, "new");
        String oldest = virtualStreams.oldest(name, FIRST_SHARD);
        GetRecordsResponse first =
                virtual.getRecords(request -> request.shardIterator(oldest).limit(1));
        equal(first.millisBehindLatest(), 5000L);
        GetRecordsResponse second = virtual.getRecords(
                request -> request.shardIterator(first.nextShardIterator()).limit(1));
        equal(second.millisBehindLatest(), 0L);
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
            PutRecordsResponse put =
                    kinesis.putRecords(request -> request.streamName(name).records(waiting));
            List<PutRecordsRequestEntry> refused = new ArrayList<>();
            for (int index = 0; index < waiting.size(); index++) {
                PutRecordsResultEntry result = put.records().get(index);
                if (result.errorCode() == null) continue;
                equal(result.errorCode(), "ProvisionedThroughputExceededException");
                equal(result.errorMessage(), message);
                equal(result.sequenceNumber(), null);
                refused.add(waiting.get(index));
            }
            equal(put.failedRecordCount(), refused.size());
            throttled[0] += refused.size();
            waiting.retainAll(refused);
            return waiting.isEmpty();
        });
        that(throttled[0] > 0, "2.5 MB in less than a second were not throttled");
        Set<String> keys = new HashSet<>();
        List<Record> records = streams.read(name, FIRST_SHARD);
        records.forEach(record -> keys.add(record.partitionKey()));
        equal(List.of(records.size(), keys.size()), List.of(500, 500));
    }

    private void largestRecord() {
        String name = streams.create(1);
        String arn = streams.arn(name);
        kinesis.updateMaxRecordSize(
                request -> request.streamARN(arn).maxRecordSizeInKiB(LARGEST_RECORD_IN_KIB));
        streams.awaitActive(name);
        // Data and key together.
        byte[] bytes = new byte[LARGEST_RECORD_IN_KIB * 1024 - "key".length()];
        for (int index = 0; index < bytes.length; index++) bytes[index] = (byte) (index * 31 >> 3);
        kinesis.putRecord(request -> request
                .streamName(name)
                .partitionKey("key")
                .data(SdkBytes.fromByteArrayUnsafe(bytes)));
        Record record = streams.read(name, FIRST_SHARD).get(0);
        that(Arrays.equals(record.data().asByteArrayUnsafe(), bytes), "other bytes");
    }

    private static PutRecordsRequestEntry entry(String key, String text) {
        return PutRecordsRequestEntry.builder()
                .partitionKey(key)
                .data(SdkBytes.fromUtf8String(text))
                .build();
    }
}
