package v1;

import static common.Expect.equal;
import static common.Expect.that;
import static v1.Streams.oldest;
import static v1.Streams.refused;
import static v1.Streams.texts;

import com.amazonaws.services.kinesis.AmazonKinesis;
import com.amazonaws.services.kinesis.model.DeleteStreamRequest;
import com.amazonaws.services.kinesis.model.DescribeStreamRequest;
import com.amazonaws.services.kinesis.model.ListShardsRequest;
import com.amazonaws.services.kinesis.model.PutRecordRequest;
import com.amazonaws.services.kinesis.model.ResourceNotFoundException;
import common.Checks;
import common.Emulator;
import java.util.List;

/** Checks of content types and TLS, and of streams by ARN, region and account. */
final class ScopeChecks {
    private final Connection connection;
    private final AmazonKinesis kinesis;
    private final Streams streams;

    ScopeChecks(Connection connection) {
        this.connection = connection;
        kinesis = connection.open();
        streams = new Streams(kinesis);
    }

    void run(Checks checks, String contentType) {
        checks.check("speaks " + contentType, () -> contentType(contentType));
        checks.check("speaks TLS that it verifies with minikin's certificate authority", this::tls);
        checks.check("addresses a stream by its ARN", this::arn);
        checks.check("keeps two regions apart, one of which does not exist", this::regions);
        checks.check("keeps two accounts apart, each an access key of twelve digits", this::accounts);
    }

    private void contentType(String expected) {
        Connection.CONTENT_TYPES.clear();
        kinesis.listStreams();
        equal(Connection.CONTENT_TYPES, List.of(expected));
    }

    private void tls() {
        String name = new Streams(connection.to(Emulator.TLS_ENDPOINT).open()).create(1);
        // The same port, the same streams.
        that(streams.arn(name).endsWith(name), "no stream " + name);
    }

    private void arn() throws Exception {
        String name = streams.create(2);
        String arn = streams.arn(name);
        String shard = kinesis.putRecord(new PutRecordRequest()
                        .withStreamARN(arn)
                        .withPartitionKey("key")
                        .withData(Streams.bytes("by arn")))
                .getShardId();
        equal(texts(streams.read(oldest(null, shard).withStreamARN(arn))), List.of("by arn"));
        equal(kinesis.listShards(new ListShardsRequest().withStreamARN(arn)).getShards().size(), 2);
        kinesis.deleteStream(new DeleteStreamRequest().withStreamARN(arn));
        refused(ResourceNotFoundException.class,
                "Stream " + name + " under account 000000000000 not found.",
                () -> kinesis.describeStream(new DescribeStreamRequest().withStreamARN(arn)));
    }

    private void regions() {
        Connection account = connection.as(ListChecks.newAccount());
        Streams earth = new Streams(account.in("ca-central-1").open());
        Streams mars = new Streams(account.in("mars-north-1").open());
        for (Streams each : List.of(earth, mars)) each.create("same", 1);
        earth.put("same", "earth");
        equal(texts(earth.readAll("same")), List.of("earth"));
        equal(mars.readAll("same"), List.of());
        that(mars.arn("same").startsWith("arn:aws:kinesis:mars-north-1:"), mars.arn("same"));
    }

    private void accounts() throws Exception {
        String account = ListChecks.newAccount();
        AmazonKinesis ours = connection.as(account).open();
        AmazonKinesis theirs = connection.as("222222222222").open();
        String name = new Streams(ours).create(1);
        equal(ours.listStreams().getStreamNames(), List.of(name));
        equal(new Streams(ours).arn(name),
                "arn:aws:kinesis:us-east-1:" + account + ":stream/" + name);
        refused(ResourceNotFoundException.class,
                "Stream " + name + " under account 222222222222 not found.",
                () -> theirs.describeStream(name));
    }
}
