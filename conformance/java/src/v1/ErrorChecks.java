package v1;

import static common.Expect.equal;
import static common.Expect.that;
import static common.Expect.thrown;
import static v1.Streams.FIRST_SHARD;
import static v1.Streams.oldest;
import static v1.Streams.refused;

import com.amazonaws.services.kinesis.AmazonKinesis;
import com.amazonaws.services.kinesis.model.AmazonKinesisException;
import com.amazonaws.services.kinesis.model.ExpiredIteratorException;
import com.amazonaws.services.kinesis.model.ExpiredNextTokenException;
import com.amazonaws.services.kinesis.model.InvalidArgumentException;
import com.amazonaws.services.kinesis.model.KMSAccessDeniedException;
import com.amazonaws.services.kinesis.model.KMSDisabledException;
import com.amazonaws.services.kinesis.model.KMSInvalidStateException;
import com.amazonaws.services.kinesis.model.KMSNotFoundException;
import com.amazonaws.services.kinesis.model.KMSOptInRequiredException;
import com.amazonaws.services.kinesis.model.KMSThrottlingException;
import com.amazonaws.services.kinesis.model.LimitExceededException;
import com.amazonaws.services.kinesis.model.ListShardsRequest;
import com.amazonaws.services.kinesis.model.ProvisionedThroughputExceededException;
import com.amazonaws.services.kinesis.model.ResourceInUseException;
import com.amazonaws.services.kinesis.model.ResourceNotFoundException;
import com.amazonaws.services.kinesis.model.StartStreamEncryptionRequest;
import com.amazonaws.services.kinesis.model.UpdateShardCountRequest;
import com.amazonaws.services.kinesis.model.ValidationException;
import common.Checks;
import common.Emulator;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;

/** Errors, as exceptions of classes that users catch. */
final class ErrorChecks {
    private final Connection connection;
    private final AmazonKinesis kinesis;
    private final Streams streams;

    ErrorChecks(Connection connection) {
        this.connection = connection;
        kinesis = connection.open();
        streams = new Streams(kinesis);
    }

    void run(Checks checks) {
        checks.check("meets ResourceNotFoundException", this::notFound);
        checks.check("meets ResourceInUseException", this::inUse);
        checks.check("meets InvalidArgumentException", this::invalidArgument);
        checks.check("meets ValidationException with the service's text", this::validation);
        checks.check("meets LimitExceededException", this::limit);
        checks.check("meets ProvisionedThroughputExceededException", this::throughput);
        checks.check("meets ExpiredIteratorException after five minutes", this::expiredIterator);
        checks.check("meets ExpiredNextTokenException after five minutes", this::expiredToken);
        checks.check("meets each exception about keys", this::keys);
    }

    private void notFound() throws Exception {
        String message = "Stream nowhere under account 000000000000 not found.";
        refused(ResourceNotFoundException.class, message, () -> kinesis.describeStream("nowhere"));
        refused(ResourceNotFoundException.class, message, () -> kinesis.deleteStream("nowhere"));
        refused(ResourceNotFoundException.class, message, () -> streams.put("nowhere", "x"));
        refused(ResourceNotFoundException.class,
                "Shard " + FIRST_SHARD
                        + " in stream nowhere under account 000000000000 does not exist",
                () -> streams.iterator(oldest("nowhere", FIRST_SHARD)));
    }

    private void inUse() throws Exception {
        String name = streams.create(1);
        refused(ResourceInUseException.class,
                "Stream " + name + " under account 000000000000 already exists.",
                () -> streams.create(name, 1));
    }

    private void invalidArgument() throws Exception {
        refused(InvalidArgumentException.class, "Invalid ShardIterator.",
                () -> streams.page("nonsense"));
        String name = streams.create(1);
        refused(InvalidArgumentException.class,
                "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. "
                        + "Current request has no timestamp parameter.",
                () -> streams.iterator(
                        oldest(name, FIRST_SHARD).withShardIteratorType("AT_TIMESTAMP")));
    }

    private void validation() throws Exception {
        refused(ValidationException.class,
                "2 validation errors detected: Value '0' at 'limit' failed to satisfy constraint: "
                        + "Member must have value greater than or equal to 1; Value '' at "
                        + "'shardIterator' failed to satisfy constraint: Member must have length "
                        + "greater than or equal to 1",
                () -> streams.page("", 0));
    }

    private void limit() throws Exception {
        String name = streams.create(1);
        refused(LimitExceededException.class,
                "Target shard count or number of open shards cannot be greater than 10000. "
                        + "Current open shard count: 1, Target shard count: 10001",
                () -> kinesis.updateShardCount(new UpdateShardCountRequest()
                        .withStreamName(name)
                        .withTargetShardCount(10_001)
                        .withScalingType("UNIFORM_SCALING")));
    }

    /** A shard takes 1 MiB in a second. */
    private void throughput() throws Exception {
        String name = streams.create(1);
        refused(ProvisionedThroughputExceededException.class,
                "Rate exceeded for shard " + FIRST_SHARD + " in stream " + name
                        + " under account 000000000000.",
                () -> {
                    for (int time = 0; time < 10; time++) {
                        kinesis.putRecord(name, ByteBuffer.allocate(600_000), "key");
                    }
                });
    }

    private void expiredIterator() throws Exception {
        Streams virtual = new Streams(connection.to(Emulator.VIRTUAL_ENDPOINT).open());
        String iterator = virtual.iterator(oldest(virtual.create(1), FIRST_SHARD));
        Emulator.advanceClock(299_000);
        virtual.page(iterator);
        Emulator.advanceClock(2_000);
        String message = thrown(ExpiredIteratorException.class, () -> virtual.page(iterator))
                .getErrorMessage();
        that(message.startsWith("Iterator expired. The iterator was created at time "), message);
        that(message.endsWith("the tolerated delay of 300000 milliseconds."), message);
    }

    private void expiredToken() throws Exception {
        AmazonKinesis virtual = connection.to(Emulator.VIRTUAL_ENDPOINT).open();
        String name = new Streams(virtual).create(2);
        String token = virtual
                .listShards(new ListShardsRequest().withStreamName(name).withMaxResults(1))
                .getNextToken();
        Emulator.advanceClock(301_000);
        thrown(ExpiredNextTokenException.class,
                () -> virtual.listShards(new ListShardsRequest().withNextToken(token)));
    }

    /** The options of the emulator list the keys that cannot be used, each with its state. */
    private void keys() throws Exception {
        Map<String, Class<? extends AmazonKinesisException>> exceptions = new LinkedHashMap<>();
        exceptions.put("disabled", KMSDisabledException.class);
        exceptions.put("pending", KMSInvalidStateException.class);
        exceptions.put("denied", KMSAccessDeniedException.class);
        exceptions.put("missing", KMSNotFoundException.class);
        exceptions.put("opt-in", KMSOptInRequiredException.class);
        exceptions.put("throttled", KMSThrottlingException.class);
        String[] options = exceptions.keySet().stream()
                .map(state -> "--kms-key=alias/" + state + "=" + state)
                .toArray(String[]::new);
        try (Emulator emulator = Emulator.start(options)) {
            AmazonKinesis client = connection.to(emulator.endpoint()).open();
            String name = new Streams(client).create(1);
            for (var each : exceptions.entrySet()) {
                AmazonKinesisException error = thrown(each.getValue(),
                        () -> client.startStreamEncryption(new StartStreamEncryptionRequest()
                                .withStreamName(name)
                                .withEncryptionType("KMS")
                                .withKeyId("alias/" + each.getKey())));
                equal(error.getStatusCode(), 400);
            }
        }
    }
}
