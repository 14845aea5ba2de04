package v2;

import static common.Expect.equal;
import static common.Expect.that;
import static v2.Streams.refused;

import common.Checks;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.EncryptionType;
import software.amazon.awssdk.services.kinesis.model.HashKeyRange;
import software.amazon.awssdk.services.kinesis.model.MetricsName;
import software.amazon.awssdk.services.kinesis.model.ResourceNotFoundException;
import software.amazon.awssdk.services.kinesis.model.ScalingType;
import software.amazon.awssdk.services.kinesis.model.Shard;
import software.amazon.awssdk.services.kinesis.model.StreamDescription;
import software.amazon.awssdk.services.kinesis.model.StreamDescriptionSummary;
import software.amazon.awssdk.services.kinesis.model.StreamMode;
import software.amazon.awssdk.services.kinesis.model.StreamStatus;
import software.amazon.awssdk.services.kinesis.model.Tag;

/** The life of streams and shards. */
final class StreamChecks {
    private final KinesisClient kinesis;
    private final Streams streams;

    StreamChecks(Connection connection) {
        kinesis = connection.open();
        streams = new Streams(kinesis);
    }

    void run(Checks checks) {
        checks.check("creates a stream and waits until it is ACTIVE", this::creation);
        checks.check("creates an on-demand stream of four shards", this::onDemand);
        checks.check("changes each attribute of a stream, and meets no surprise the second time",
                this::wholeLife);
        checks.check("splits and merges shards", this::resharding);
        checks.check("deletes a stream and waits until it is gone", this::deletion);
    }

    private void creation() {
        Instant before = Instant.now();
        String name = streams.create(2);
        StreamDescription stream =
                kinesis.describeStream(request -> request.streamName(name)).streamDescription();
        equal(stream.streamName(), name);
        equal(stream.streamARN(), "arn:aws:kinesis:us-east-1:000000000000:stream/" + name);
        equal(stream.streamStatus(), StreamStatus.ACTIVE);
        equal(stream.streamModeDetails().streamMode(), StreamMode.PROVISIONED);
        equal(stream.retentionPeriodHours(), 24);
        equal(stream.encryptionType(), EncryptionType.NONE);
        Duration age = Duration.between(stream.streamCreationTimestamp(), before).abs();
        that(age.toSeconds() < 10, "created " + age + " from now");
        List<HashKeyRange> ranges = stream.shards().stream().map(Shard::hashKeyRange).toList();
        equal(ranges.get(0).startingHashKey(), "0");
        equal(
                new BigInteger(ranges.get(1).startingHashKey()),
                new BigInteger(ranges.get(0).endingHashKey()).add(BigInteger.ONE));
        equal(ranges.get(1).endingHashKey(), BigInteger.TWO.pow(128).subtract(BigInteger.ONE).toString());
        StreamDescriptionSummary summary = summary(name);
        equal(summary.openShardCount(), 2);
        equal(summary.consumerCount(), 0);
        // An SDK that has seen one no longer sends its requests to the endpoint it was given.
        equal(summary.streamId(), null);
    }

    private void onDemand() {
        String name = "on-demand-" + UUID.randomUUID();
        kinesis.createStream(request -> request
                .streamName(name)
                .streamModeDetails(mode -> mode.streamMode(StreamMode.ON_DEMAND)));
        streams.awaitActive(name);
        equal(streams.shardIds(name).size(), 4);
    }

    private void wholeLife() {
        String name = "stream-" + UUID.randomUUID();
        kinesis.createStream(
                request -> request.streamName(name).shardCount(1).tags(Map.of("stage", "test")));
        streams.awaitActive(name);
        String arn = streams.arn(name);
        for (int time = 0; time < 2; time++) {
            change(name, arn);
            StreamDescriptionSummary now = summary(name);
            equal(now.retentionPeriodHours(), 48);
            equal(now.openShardCount(), 2);
            equal(now.encryptionType(), EncryptionType.KMS);
            equal(now.keyId(), "alias/key");
            equal(now.enhancedMonitoring().get(0).shardLevelMetrics(), List.of(MetricsName.INCOMING_BYTES));
            equal(now.maxRecordSizeInKiB(), 2048);
        }
        Map<String, String> tags = kinesis.listTagsForStream(request -> request.streamName(name))
                .tags().stream()
                .collect(Collectors.toMap(Tag::key, Tag::value));
        equal(tags, Map.of("owner", "us", "stage", "test"));
        kinesis.updateStreamMode(request -> request
                .streamARN(arn)
                .streamModeDetails(mode -> mode.streamMode(StreamMode.ON_DEMAND)));
        equal(summary(name).streamModeDetails().streamMode(), StreamMode.ON_DEMAND);
        streams.delete(name);
    }

    private void change(String name, String arn) {
        kinesis.increaseStreamRetentionPeriod(
                request -> request.streamName(name).retentionPeriodHours(48));
        kinesis.updateShardCount(request -> request
                .streamName(name)
                .targetShardCount(2)
                .scalingType(ScalingType.UNIFORM_SCALING));
        kinesis.startStreamEncryption(request ->
                request.streamName(name).encryptionType(EncryptionType.KMS).keyId("alias/key"));
        kinesis.enableEnhancedMonitoring(request ->
                request.streamName(name).shardLevelMetrics(MetricsName.INCOMING_BYTES));
        kinesis.updateMaxRecordSize(request -> request.streamARN(arn).maxRecordSizeInKiB(2048));
        kinesis.addTagsToStream(request -> request.streamName(name).tags(Map.of("owner", "us")));
    }

    private void resharding() {
        String name = streams.create(1);
        kinesis.splitShard(request -> request
                .streamName(name)
                .shardToSplit(Streams.FIRST_SHARD)
                .newStartingHashKey(BigInteger.TWO.pow(127).toString()));
        streams.awaitActive(name);
        List<String> halves = streams.shardIds(name).subList(1, 3);
        kinesis.mergeShards(request -> request
                .streamName(name)
                .shardToMerge(halves.get(0))
                .adjacentShardToMerge(halves.get(1)));
        streams.awaitActive(name);
        List<Shard> shards = kinesis.listShards(request -> request.streamName(name)).shards();
        equal(shards.stream().map(Shard::parentShardId).toList(),
                Arrays.asList(null, Streams.FIRST_SHARD, Streams.FIRST_SHARD, halves.get(0)));
        equal(shards.get(3).adjacentParentShardId(), halves.get(1));
        for (Shard shard : shards.subList(0, 3)) {
            that(shard.sequenceNumberRange().endingSequenceNumber() != null, shard + " is open");
        }
        // A closed shard is read to its end: the last page has no next iterator.
        String oldest = streams.oldest(name, Streams.FIRST_SHARD);
        var page = kinesis.getRecords(request -> request.shardIterator(oldest));
        equal(page.nextShardIterator(), null);
        equal(page.childShards().stream().map(child -> child.shardId()).toList(), halves);
    }

    private void deletion() throws Exception {
        String name = streams.create(1);
        streams.delete(name);
        refused(
                ResourceNotFoundException.class,
                "Stream " + name + " under account 000000000000 not found.",
                () -> summary(name));
    }

    private StreamDescriptionSummary summary(String name) {
        return kinesis.describeStreamSummary(request -> request.streamName(name))
                .streamDescriptionSummary();
    }
}
