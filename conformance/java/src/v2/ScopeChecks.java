package v2;

import static common.Expect.equal;
import static common.Expect.that;
import static v2.Streams.refused;
import static v2.Streams.texts;

import common.Checks;
import common.Emulator;
import java.util.List;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.ResourceNotFoundException;

/** Checks of content types and TLS, and of streams by ARN, region and account. */
final class ScopeChecks {
    private final Connection connection;
    private final KinesisClient kinesis;
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
        String shard = kinesis.putRecord(request -> request
                        .streamARN(arn)
                        .partitionKey("key")
                        .data(SdkBytes.fromUtf8String("by arn")))
                .shardId();
        equal(
                texts(streams.read(null, shard, request -> request.streamARN(arn))),
                List.of("by arn"));
        equal(kinesis.listShards(request -> request.streamARN(arn)).shards().size(), 2);
        kinesis.deleteStream(request -> request.streamARN(arn));
        refused(ResourceNotFoundException.class,
                "Stream " + name + " under account 000000000000 not found.",
                () -> kinesis.describeStream(request -> request.streamARN(arn)));
    }

    private void regions() {
        Connection account = connection.as(ListChecks.newAccount());
        KinesisClient earth = account.in("ca-central-1").open();
        KinesisClient mars = account.in("mars-north-1").open();
        for (KinesisClient client : List.of(earth, mars)) new Streams(client).create("same", 1);
        new Streams(earth).put("same", "earth");
        equal(texts(new Streams(earth).readAll("same")), List.of("earth"));
        equal(new Streams(mars).readAll("same"), List.of());
        String arn = new Streams(mars).arn("same");
        that(arn.startsWith("arn:aws:kinesis:mars-north-1:"), arn);
    }

    private void accounts() throws Exception {
        String account = ListChecks.newAccount();
        KinesisClient ours = connection.as(account).open();
        KinesisClient theirs = connection.as("222222222222").open();
        String name = new Streams(ours).create(1);
        equal(ours.listStreams().streamNames(), List.of(name));
        equal(new Streams(ours).arn(name),
                "arn:aws:kinesis:us-east-1:" + account + ":stream/" + name);
        refused(ResourceNotFoundException.class,
                "Stream " + name + " under account 222222222222 not found.",
                () -> theirs.describeStream(request -> request.streamName(name)));
    }
}
