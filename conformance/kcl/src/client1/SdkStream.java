package client1;

import com.amazonaws.services.kinesis.AmazonKinesis;
import com.amazonaws.services.kinesis.model.DeleteStreamRequest;
import com.amazonaws.services.kinesis.model.DescribeStreamRequest;
import com.amazonaws.services.kinesis.model.ListShardsRequest;
import com.amazonaws.services.kinesis.model.ListShardsResult;
import com.amazonaws.services.kinesis.model.PutRecordsRequest;
import com.amazonaws.services.kinesis.model.PutRecordsRequestEntry;
import com.amazonaws.services.kinesis.model.UpdateShardCountRequest;
import com.amazonaws.waiters.WaiterParameters;
import common.Message;
import common.Shard;
import common.Stream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/** A stream as the first version of the SDK sees it. */
final class SdkStream implements Stream {
    private final AmazonKinesis kinesis;
    private final String name;

    SdkStream(AmazonKinesis kinesis, String name) {
        this.kinesis = kinesis;
        this.name = name;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public List<Boolean> put(List<Message> messages) {
        List<PutRecordsRequestEntry> entries = messages.stream()
                .map(message -> new PutRecordsRequestEntry()
                        .withPartitionKey(message.key())
                        .withData(bytes(message.toString())))
                .collect(Collectors.toList());
        return kinesis.putRecords(new PutRecordsRequest().withStreamName(name).withRecords(entries))
                .getRecords().stream()
                .map(result -> result.getErrorCode() == null)
                .collect(Collectors.toList());
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public List<Shard> shards() {
        List<Shard> shards = new ArrayList<>();
        String token = null;
        do {
            ListShardsResult page = kinesis.listShards(new ListShardsRequest()
                    .withStreamName(token == null ? name : null)
                    .withNextToken(token));
            page.getShards().forEach(shard -> shards.add(translate(shard)));
            token = page.getNextToken();
        } while (token != null);
        return shards;
    }

    private static Shard translate(com.amazonaws.services.kinesis.model.Shard shard) {
        return new Shard(
                shard.getShardId(),
                java.util.stream.Stream.of(shard.getParentShardId(), shard.getAdjacentParentShardId())
                        .filter(Objects::nonNull)
                        .collect(Collectors.toList()),
                new BigInteger(shard.getHashKeyRange().getStartingHashKey()),
                new BigInteger(shard.getHashKeyRange().getEndingHashKey()),
                shard.getSequenceNumberRange().getEndingSequenceNumber() == null);
    }

    @Override
    public void split(Shard shard, BigInteger firstHashOfSecond) {
        kinesis.splitShard(name, shard.id(), firstHashOfSecond.toString());
        awaitActive();
    }

    @Override
    public void merge(Shard shard, Shard adjacent) {
        kinesis.mergeShards(name, shard.id(), adjacent.id());
        awaitActive();
    }

    @Override
    public void scale(int shards) {
        kinesis.updateShardCount(new UpdateShardCountRequest()
                .withStreamName(name)
                .withTargetShardCount(shards)
                .withScalingType("UNIFORM_SCALING"));
        awaitActive();
    }

    void awaitActive() {
        DescribeStreamRequest request = new DescribeStreamRequest().withStreamName(name);
        kinesis.waiters().streamExists().run(new WaiterParameters<>(request));
    }

    @Override
    public void delete() {
        kinesis.deleteStream(new DeleteStreamRequest().withStreamName(name));
    }
}
