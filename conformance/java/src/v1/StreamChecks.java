package v1;

import static common.Expect.equal;
import static common.Expect.that;
import static v1.Streams.refused;

import com.amazonaws.services.kinesis.AmazonKinesis;
import com.amazonaws.services.kinesis.model.AddTagsToStreamRequest;
import com.amazonaws.services.kinesis.model.ChildShard;
import com.amazonaws.services.kinesis.model.CreateStreamRequest;
import com.amazonaws.services.kinesis.model.EnableEnhancedMonitoringRequest;
import com.amazonaws.services.kinesis.model.GetRecordsResult;
import com.amazonaws.services.kinesis.model.HashKeyRange;
import com.amazonaws.services.kinesis.model.IncreaseStreamRetentionPeriodRequest;
import com.amazonaws.services.kinesis.model.ListTagsForStreamRequest;
import com.amazonaws.services.kinesis.model.ResourceNotFoundException;
import com.amazonaws.services.kinesis.model.Shard;
import com.amazonaws.services.kinesis.model.StartStreamEncryptionRequest;
import com.amazonaws.services.kinesis.model.StreamDescription;
import com.amazonaws.services.kinesis.model.StreamDescriptionSummary;
import com.amazonaws.services.kinesis.model.StreamModeDetails;
import com.amazonaws.services.kinesis.model.Tag;
import com.amazonaws.services.kinesis.model.UpdateShardCountRequest;
import com.amazonaws.services.kinesis.model.UpdateStreamModeRequest;
import common.Checks;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;

/** The life of streams and shards. */
final class StreamChecks {
    private final AmazonKinesis kinesis;
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
        String name = streams.create(2);
        StreamDescription stream = kinesis.describeStream(name).getStreamDescription();
        equal(stream.getStreamName(), name);
        equal(stream.getStreamARN(), "arn:aws:kinesis:us-east-1:000000000000:stream/" + name);
        equal(stream.getStreamStatus(), "ACTIVE");
        equal(stream.getStreamModeDetails().getStreamMode(), "PROVISIONED");
        equal(stream.getRetentionPeriodHours(), 24);
        equal(stream.getEncryptionType(), "NONE");
        long age = System.currentTimeMillis() - stream.getStreamCreationTimestamp().getTime();
        that(Math.abs(age) < 10_000, "created " + age + " ms ago");
        List<HashKeyRange> ranges = stream.getShards().stream().map(Shard::getHashKeyRange).toList();
        equal(ranges.get(0).getStartingHashKey(), "0");
        equal(
                new BigInteger(ranges.get(1).getStartingHashKey()),
                new BigInteger(ranges.get(0).getEndingHashKey()).add(BigInteger.ONE));
        equal(
                ranges.get(1).getEndingHashKey(),
                BigInteger.TWO.pow(128).subtract(BigInteger.ONE).toString());
        equal(streams.summary(name).getOpenShardCount(), 2);
        equal(streams.summary(name).getConsumerCount(), 0);
    }

    private void onDemand() {
        String name = "on-demand-" + UUID.randomUUID();
        kinesis.createStream(
                new CreateStreamRequest().withStreamName(name).withStreamModeDetails(mode("ON_DEMAND")));
        streams.awaitActive(name);
        equal(streams.shardIds(name).size(), 4);
    }

    private void wholeLife() {
        String name = streams.create(1);
        for (int time = 0; time < 2; time++) {
            change(name);
            StreamDescriptionSummary now = streams.summary(name);
            equal(now.getRetentionPeriodHours(), 48);
            equal(now.getOpenShardCount(), 2);
            equal(now.getEncryptionType(), "KMS");
            equal(now.getKeyId(), "alias/key");
            equal(now.getEnhancedMonitoring().get(0).getShardLevelMetrics(), List.of("IncomingBytes"));
        }
        Map<String, String> tags = kinesis
                .listTagsForStream(new ListTagsForStreamRequest().withStreamName(name))
                .getTags().stream()
                .collect(Collectors.toMap(Tag::getKey, Tag::getValue));
        equal(tags, Map.of("owner", "us"));
        kinesis.updateStreamMode(new UpdateStreamModeRequest()
                .withStreamARN(streams.arn(name))
                .withStreamModeDetails(mode("ON_DEMAND")));
        equal(streams.summary(name).getStreamModeDetails().getStreamMode(), "ON_DEMAND");
        streams.delete(name);
    }

    private void change(String name) {
        kinesis.increaseStreamRetentionPeriod(new IncreaseStreamRetentionPeriodRequest()
                .withStreamName(name)
                .withRetentionPeriodHours(48));
        kinesis.updateShardCount(new UpdateShardCountRequest()
                .withStreamName(name)
                .withTargetShardCount(2)
                .withScalingType("UNIFORM_SCALING"));
        kinesis.startStreamEncryption(new StartStreamEncryptionRequest()
                .withStreamName(name)
                .withEncryptionType("KMS")
                .withKeyId("alias/key"));
        kinesis.enableEnhancedMonitoring(new EnableEnhancedMonitoringRequest()
                .withStreamName(name)
                .withShardLevelMetrics("IncomingBytes"));
        kinesis.addTagsToStream(
                new AddTagsToStreamRequest().withStreamName(name).withTags(Map.of("owner", "us")));
    }

    private void resharding() {
        String name = streams.create(1);
        kinesis.splitShard(name, Streams.FIRST_SHARD, BigInteger.TWO.pow(127).toString());
        streams.awaitActive(name);
        List<String> halves = streams.shardIds(name).subList(1, 3);
        kinesis.mergeShards(name, halves.get(0), halves.get(1));
        streams.awaitActive(name);
        List<Shard> shards = streams.shards(name);
        equal(shards.stream().map(Shard::getParentShardId).toList(),
                Arrays.asList(null, Streams.FIRST_SHARD, Streams.FIRST_SHARD, halves.get(0)));
        equal(shards.get(3).getAdjacentParentShardId(), halves.get(1));
        for (Shard shard : shards.subList(0, 3)) {
            that(shard.getSequenceNumberRange().getEndingSequenceNumber() != null, shard + " is open");
        }
        // A closed shard is read to its end: the last page has no next iterator.
        GetRecordsResult page =
                streams.page(streams.iterator(Streams.oldest(name, Streams.FIRST_SHARD)));
        equal(page.getNextShardIterator(), null);
        equal(page.getChildShards().stream().map(ChildShard::getShardId).toList(), halves);
    }

    private void deletion() throws Exception {
        String name = streams.create(1);
        streams.delete(name);
        refused(
                ResourceNotFoundException.class,
                "Stream " + name + " under account 000000000000 not found.",
                () -> streams.summary(name));
    }

    private static StreamModeDetails mode(String mode) {
        return new StreamModeDetails().withStreamMode(mode);
    }
}
