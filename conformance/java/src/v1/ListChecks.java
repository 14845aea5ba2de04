package v1;

import static common.Expect.equal;
import static common.Expect.until;

import com.amazonaws.services.kinesis.AmazonKinesis;
import com.amazonaws.services.kinesis.model.AddTagsToStreamRequest;
import com.amazonaws.services.kinesis.model.Consumer;
import com.amazonaws.services.kinesis.model.DescribeStreamConsumerRequest;
import com.amazonaws.services.kinesis.model.ListShardsRequest;
import com.amazonaws.services.kinesis.model.ListShardsResult;
import com.amazonaws.services.kinesis.model.ListStreamConsumersRequest;
import com.amazonaws.services.kinesis.model.ListStreamConsumersResult;
import com.amazonaws.services.kinesis.model.ListStreamsRequest;
import com.amazonaws.services.kinesis.model.ListStreamsResult;
import com.amazonaws.services.kinesis.model.ListTagsForStreamRequest;
import com.amazonaws.services.kinesis.model.ListTagsForStreamResult;
import com.amazonaws.services.kinesis.model.RegisterStreamConsumerRequest;
import com.amazonaws.services.kinesis.model.Shard;
import com.amazonaws.services.kinesis.model.StreamDescription;
import com.amazonaws.services.kinesis.model.Tag;
import common.Checks;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The lists that come in pages. */
final class ListChecks {
    /** The runs over CBOR and over JSON use one emulator, and the same accounts would be in each other's way. */
    private static final AtomicLong ACCOUNTS =
            new AtomicLong(Boolean.getBoolean("aws.cborEnabled") ? 300_000_000_000L : 300_000_000_010L);
    private static final int COUNT = 5;

    private final Connection connection;
    private final AmazonKinesis kinesis;
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
        AmazonKinesis client = connection.as(newAccount()).open();
        List<String> names = numbered("page-");
        names.forEach(name -> new Streams(client).create(name, 1));
        List<String> found = new ArrayList<>();
        ListStreamsResult page = client.listStreams(2, null);
        found.addAll(page.getStreamNames());
        equal(found, names.subList(0, 2));
        while (page.getHasMoreStreams()) {
            page = client.listStreams(
                    new ListStreamsRequest().withLimit(2).withNextToken(page.getNextToken()));
            found.addAll(page.getStreamNames());
        }
        equal(found, names);
        equal(page.getNextToken(), null);
        // The older way to page: with ExclusiveStartStreamName instead of a token.
        equal(client.listStreams(2, names.get(2)).getStreamNames(), names.subList(3, 5));
    }

    private void shards() {
        String name = streams.create(COUNT);
        List<String> found = new ArrayList<>();
        List<Integer> sizes = new ArrayList<>();
        String token = null;
        do {
            // The service refuses a token beside the stream's name.
            ListShardsResult page = kinesis.listShards(new ListShardsRequest()
                    .withStreamName(token == null ? name : null)
                    .withNextToken(token)
                    .withMaxResults(2));
            page.getShards().forEach(shard -> found.add(shard.getShardId()));
            sizes.add(page.getShards().size());
            token = page.getNextToken();
        } while (token != null);
        equal(found, numbered("shardId-00000000000"));
        equal(sizes, List.of(2, 2, 1));
    }

    private void description() {
        String name = streams.create(COUNT);
        List<String> expected = numbered("shardId-00000000000");
        StreamDescription first = kinesis.describeStream(name, 3, null).getStreamDescription();
        StreamDescription second =
                kinesis.describeStream(name, 3, expected.get(2)).getStreamDescription();
        equal(first.getShards().stream().map(Shard::getShardId).toList(), expected.subList(0, 3));
        equal(second.getShards().stream().map(Shard::getShardId).toList(), expected.subList(3, 5));
        equal(List.of(first.getHasMoreShards(), second.getHasMoreShards()), List.of(true, false));
    }

    private void tags() {
        String name = streams.create(1);
        List<String> keys = numbered("tag-");
        kinesis.addTagsToStream(new AddTagsToStreamRequest()
                .withStreamName(name)
                .withTags(keys.stream().collect(Collectors.toMap(key -> key, key -> "of " + key))));
        List<Tag> found = new ArrayList<>();
        ListTagsForStreamResult page;
        do {
            String last = found.isEmpty() ? null : found.get(found.size() - 1).getKey();
            page = kinesis.listTagsForStream(new ListTagsForStreamRequest()
                    .withStreamName(name)
                    .withLimit(2)
                    .withExclusiveStartTagKey(last));
            found.addAll(page.getTags());
        } while (page.getHasMoreTags());
        equal(found.stream().map(Tag::getKey).toList(), keys);
        found.forEach(tag -> equal(tag.getValue(), "of " + tag.getKey()));
    }

    private void consumers() throws Exception {
        String arn = streams.arn(streams.create(1));
        List<String> names = numbered("consumer-");
        for (String name : names) {
            kinesis.registerStreamConsumer(new RegisterStreamConsumerRequest()
                    .withStreamARN(arn)
                    .withConsumerName(name));
            until(name + " is ACTIVE", () -> kinesis
                    .describeStreamConsumer(new DescribeStreamConsumerRequest()
                            .withStreamARN(arn)
                            .withConsumerName(name))
                    .getConsumerDescription()
                    .getConsumerStatus()
                    .equals("ACTIVE"));
        }
        List<String> found = new ArrayList<>();
        List<Integer> sizes = new ArrayList<>();
        String token = null;
        do {
            ListStreamConsumersResult page = kinesis.listStreamConsumers(
                    new ListStreamConsumersRequest()
                            .withStreamARN(arn)
                            .withMaxResults(2)
                            .withNextToken(token));
            page.getConsumers().stream().map(Consumer::getConsumerName).forEach(found::add);
            sizes.add(page.getConsumers().size());
            token = page.getNextToken();
        } while (token != null);
        equal(sizes, List.of(2, 2, 1));
        equal(Set.copyOf(found), Set.copyOf(names));
    }

    private static List<String> numbered(String prefix) {
        return IntStream.range(0, COUNT).mapToObj(number -> prefix + number).toList();
    }

    /** An access key of twelve digits, which is an account. The emulator knows ten for each run. */
    static String newAccount() {
        return Long.toString(ACCOUNTS.incrementAndGet());
    }
}
