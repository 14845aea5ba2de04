package v2;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.model.ChildShard;
import software.amazon.awssdk.services.kinesis.model.StartingPosition;
import software.amazon.awssdk.services.kinesis.model.SubscribeToShardEvent;
import software.amazon.awssdk.services.kinesis.model.SubscribeToShardEventStream;
import software.amazon.awssdk.services.kinesis.model.SubscribeToShardResponseHandler;

/** A running SubscribeToShard and all that it was pushed. */
final class Subscription implements AutoCloseable {
    private final List<String> texts = new ArrayList<>();
    private final CompletableFuture<Void> end;
    private SubscribeToShardEvent lastEvent;
    private int events;

    Subscription(
            KinesisAsyncClient kinesis, String consumer, String shard, StartingPosition position) {
        SubscribeToShardResponseHandler handler = SubscribeToShardResponseHandler.builder()
                .subscriber((SubscribeToShardEventStream event) -> take((SubscribeToShardEvent) event))
                .build();
        end = kinesis.subscribeToShard(
                request ->
                        request.consumerARN(consumer).shardId(shard).startingPosition(position),
                handler);
    }

    private synchronized void take(SubscribeToShardEvent event) {
        lastEvent = event;
        events++;
        event.records().forEach(record -> texts.add(record.data().asUtf8String()));
    }

    /** Completes when the stream of events ends, or fails with its exception. */
    CompletableFuture<Void> end() {
        return end;
    }

    synchronized List<String> texts() {
        return List.copyOf(texts);
    }

    synchronized int events() {
        return events;
    }

    synchronized SubscribeToShardEvent lastEvent() {
        return lastEvent;
    }

    List<ChildShard> children() {
        return lastEvent().childShards();
    }

    @Override
    public void close() {
        end.cancel(true);
    }
}
