package client2and3;

import common.Message;
import common.Shard;
import common.Stream;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.model.ListShardsResponse;
import software.amazon.awssdk.services.kinesis.model.PutRecordsRequestEntry;
import software.amazon.awssdk.services.kinesis.model.ScalingType;

/** A stream as the second version of the SDK sees it. */
final class SdkStream implements Stream {
    private final KinesisAsyncClient kinesis;
    private final String name;

    SdkStream(KinesisAsyncClient kinesis, String name) {
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
                .map(message -> PutRecordsRequestEntry.builder()
                        .partitionKey(message.key())
                        .data(SdkBytes.fromUtf8String(message.toString()))
                        .build())
                .collect(Collectors.toList());
        return kinesis.putRecords(request -> request.streamName(name).records(entries)).join()
                .records().stream()
                .map(result -> result.errorCode() == null)
                .collect(Collectors.toList());
    }

    @Override
    public List<Shard> shards() {
        List<Shard> shards = new ArrayList<>();
        String token = null;
        do {
            String next = token;
            ListShardsResponse page = kinesis.listShards(
                    request -> request.streamName(next == null ? name : null).nextToken(next)).join();
            page.shards().forEach(shard -> shards.add(translate(shard)));
            token = page.nextToken();
        } while (token != null);
        return shards;
    }

    private static Shard translate(software.amazon.awssdk.services.kinesis.model.Shard shard) {
        return new Shard(
                shard.shardId(),
                java.util.stream.Stream.of(shard.parentShardId(), shard.adjacentParentShardId())
                        .filter(Objects::nonNull)
                        .collect(Collectors.toList()),
                new BigInteger(shard.hashKeyRange().startingHashKey()),
                new BigInteger(shard.hashKeyRange().endingHashKey()),
                shard.sequenceNumberRange().endingSequenceNumber() == null);
    }

    @Override
    public void split(Shard shard, BigInteger firstHashOfSecond) {
        kinesis.splitShard(request -> request
                .streamName(name)
                .shardToSplit(shard.id())
                .newStartingHashKey(firstHashOfSecond.toString())).join();
        awaitActive();
    }

    @Override
    public void merge(Shard shard, Shard adjacent) {
        kinesis.mergeShards(request -> request
                .streamName(name)
                .shardToMerge(shard.id())
                .adjacentShardToMerge(adjacent.id())).join();
        awaitActive();
    }

    @Override
    public void scale(int shards) {
        kinesis.updateShardCount(request -> request
                .streamName(name)
                .targetShardCount(shards)
                .scalingType(ScalingType.UNIFORM_SCALING)).join();
        awaitActive();
    }

    void awaitActive() {
        kinesis.waiter().waitUntilStreamExists(request -> request.streamName(name)).join();
    }

    @Override
    public void delete() {
        kinesis.deleteStream(
                request -> request.streamName(name).enforceConsumerDeletion(true)).join();
    }
}
