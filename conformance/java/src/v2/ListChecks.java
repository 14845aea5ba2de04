package v2;

import static common.Expect.equal;
import static common.Expect.until;

import common.Checks;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.Consumer;
import software.amazon.awssdk.services.kinesis.model.ConsumerStatus;
import software.amazon.awssdk.services.kinesis.model.ListShardsResponse;
import software.amazon.awssdk.services.kinesis.model.ListStreamConsumersRequest;
import software.amazon.awssdk.services.kinesis.model.ListStreamsRequest;
import software.amazon.awssdk.services.kinesis.model.ListStreamsResponse;
import software.amazon.awssdk.services.kinesis.model.ListTagsForStreamResponse;
import software.amazon.awssdk.services.kinesis.model.Shard;
import software.amazon.awssdk.services.kinesis.model.StreamDescription;
import software.amazon.awssdk.services.kinesis.model.Tag;
import software.amazon.awssdk.services.kinesis.paginators.ListStreamConsumersIterable;
import software.amazon.awssdk.services.kinesis.paginators.ListStreamsIterable;

/** The lists that come in pages. */
final class ListChecks {
    /** The runs over CBOR and over JSON use one emulator, and the same accounts would be in each other's way. */
    private static final AtomicLong ACCOUNTS =
            new AtomicLong(Boolean.getBoolean("aws.cborEnabled") ? 300_000_000_000L : 300_000_000_010L);
    private static final int COUNT = 5;

    private final Connection connection;
    private final KinesisClient kinesis;
    private final Streams streams;

    ListChecks(Connection connection) {
        this.connection = connection;
        kinesis = connection.open();
        streams = new Streams(kinesis);
    }

    void run(Checks checks) {
        checks.check("pages through ListStreams", this::streams);
        checks.check("pages through ListShards", this::shards);
        checks.check("pages through DescribeStream", this::description);
        checks.check("pages through ListTagsForStream", this::tags);
        checks.check("pages through ListStreamConsumers", this::consumers);
    }

    private void streams() {
        // An account of its own, so that no other check's streams are in the list.
        KinesisClient client = connection.as(newAccount()).open();
        List<String> names = numbered("page-");
        names.forEach(name -> new Streams(client).create(name, 1));
        ListStreamsResponse first = client.listStreams(request -> request.limit(2));
        equal(first.streamNames(), names.subList(0, 2));
        equal(first.hasMoreStreams(), true);
        equal(first.streamSummaries().get(0).streamName(), names.get(0));
        ListStreamsResponse last = client.listStreams(
                request -> request.limit(2).exclusiveStartStreamName(names.get(3)));
        equal(last.streamNames(), names.subList(4, 5));
        equal(last.hasMoreStreams(), false);
        equal(last.nextToken(), null);
        List<String> found = new ArrayList<>();
        ListStreamsRequest request = ListStreamsRequest.builder().limit(2).build();
        new ListStreamsIterable(client, request).forEach(page -> found.addAll(page.streamNames()));
        equal(found, names);
    }

    private void shards() {
        String name = streams.create(COUNT);
        List<String> found = new ArrayList<>();
        List<Integer> sizes = new ArrayList<>();
        String token = null;
        do {
            String next = token;
            // The service refuses a token beside the stream's name.
            ListShardsResponse page = kinesis.listShards(request -> request
                    .streamName(next == null ? name : null)
                    .nextToken(next)
                    .maxResults(2));
            page.shards().forEach(shard -> found.add(shard.shardId()));
            sizes.add(page.shards().size());
            token = page.nextToken();
        } while (token != null);
        equal(found, numbered("shardId-00000000000"));
        equal(sizes, List.of(2, 2, 1));
    }

    private void description() {
        String name = streams.create(COUNT);
        List<String> expected = numbered("shardId-00000000000");
        StreamDescription first = kinesis
                .describeStream(request -> request.streamName(name).limit(3))
                .streamDescription();
        StreamDescription second = kinesis
                .describeStream(request -> request
                        .streamName(name)
                        .limit(3)
                        .exclusiveStartShardId(expected.get(2)))
                .streamDescription();
        equal(first.shards().stream().map(Shard::shardId).toList(), expected.subList(0, 3));
        equal(second.shards().stream().map(Shard::shardId).toList(), expected.subList(3, 5));
        equal(List.of(first.hasMoreShards(), second.hasMoreShards()), List.of(true, false));
    }

    private void tags() {
        String name = streams.create(1);
        List<String> keys = numbered("tag-");
        kinesis.addTagsToStream(request -> request
                .streamName(name)
                .tags(keys.stream().collect(Collectors.toMap(key -> key, key -> "of " + key))));
        List<Tag> found = new ArrayList<>();
        ListTagsForStreamResponse page;
        do {
            String last = found.isEmpty() ? null : found.get(found.size() - 1).key();
            page = kinesis.listTagsForStream(
                    request -> request.streamName(name).limit(2).exclusiveStartTagKey(last));
            found.addAll(page.tags());
        } while (page.hasMoreTags());
        equal(found.stream().map(Tag::key).toList(), keys);
        found.forEach(tag -> equal(tag.value(), "of " + tag.key()));
    }

    private void consumers() throws Exception {
        String arn = streams.arn(streams.create(1));
        Set<String> names = new HashSet<>(numbered("consumer-"));
        for (String name : names) {
            kinesis.registerStreamConsumer(request -> request.streamARN(arn).consumerName(name));
            until(name + " is ACTIVE", () -> kinesis
                    .describeStreamConsumer(request -> request.streamARN(arn).consumerName(name))
                    .consumerDescription()
                    .consumerStatus() == ConsumerStatus.ACTIVE);
        }
        List<String> found = new ArrayList<>();
        List<Integer> sizes = new ArrayList<>();
        ListStreamConsumersRequest request =
                ListStreamConsumersRequest.builder().streamARN(arn).maxResults(2).build();
        new ListStreamConsumersIterable(kinesis, request).forEach(page -> {
            page.consumers().stream().map(Consumer::consumerName).forEach(found::add);
            sizes.add(page.consumers().size());
        });
        equal(sizes, List.of(2, 2, 1));
        equal(Set.copyOf(found), names);
    }

    private static List<String> numbered(String prefix) {
        return IntStream.range(0, COUNT).mapToObj(number -> prefix + number).toList();
    }

    /** An access key of twelve digits, which is an account. The emulator knows ten for each run. */
    static String newAccount() {
        return Long.toString(ACCOUNTS.incrementAndGet());
    }
}
