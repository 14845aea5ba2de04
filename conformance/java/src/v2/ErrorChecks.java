package v2;

import static common.Expect.equal;
import static common.Expect.that;
import static common.Expect.thrown;
import static v2.Streams.FIRST_SHARD;
import static v2.Streams.refused;

import common.Checks;
import common.Emulator;
import java.util.LinkedHashMap;
import java.util.Map;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.EncryptionType;
import software.amazon.awssdk.services.kinesis.model.ExpiredIteratorException;
import software.amazon.awssdk.services.kinesis.model.ExpiredNextTokenException;
import software.amazon.awssdk.services.kinesis.model.InvalidArgumentException;
import software.amazon.awssdk.services.kinesis.model.KinesisException;
import software.amazon.awssdk.services.kinesis.model.KmsAccessDeniedException;
import software.amazon.awssdk.services.kinesis.model.KmsDisabledException;
import software.amazon.awssdk.services.kinesis.model.KmsInvalidStateException;
import software.amazon.awssdk.services.kinesis.model.KmsNotFoundException;
import software.amazon.awssdk.services.kinesis.model.KmsOptInRequiredException;
import software.amazon.awssdk.services.kinesis.model.KmsThrottlingException;
import software.amazon.awssdk.services.kinesis.model.LimitExceededException;
import software.amazon.awssdk.services.kinesis.model.ProvisionedThroughputExceededException;
import software.amazon.awssdk.services.kinesis.model.ResourceInUseException;
import software.amazon.awssdk.services.kinesis.model.ResourceNotFoundException;
import software.amazon.awssdk.services.kinesis.model.ScalingType;
import software.amazon.awssdk.services.kinesis.model.ShardIteratorType;
import software.amazon.awssdk.services.kinesis.model.ValidationException;

/** Errors, as exceptions of classes that users catch. */
final class ErrorChecks {
    private final Connection connection;
    private final KinesisClient kinesis;
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
        refused(ResourceNotFoundException.class, message,
                () -> kinesis.describeStream(request -> request.streamName("nowhere")));
        refused(ResourceNotFoundException.class, message,
                () -> kinesis.deleteStream(request -> request.streamName("nowhere")));
        refused(ResourceNotFoundException.class, message, () -> streams.put("nowhere", "x"));
        refused(ResourceNotFoundException.class,
                "Shard " + FIRST_SHARD
                        + " in stream nowhere under account 000000000000 does not exist",
                () -> streams.oldest("nowhere", FIRST_SHARD));
    }

    private void inUse() throws Exception {
        String name = streams.create(1);
        refused(ResourceInUseException.class,
                "Stream " + name + " under account 000000000000 already exists.",
                () -> streams.create(name, 1));
    }

    private void invalidArgument() throws Exception {
        refused(InvalidArgumentException.class, "Invalid ShardIterator.",
                () -> kinesis.getRecords(request -> request.shardIterator("nonsense")));
        String name = streams.create(1);
        refused(InvalidArgumentException.class,
                "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. "
                        + "Current request has no timestamp parameter.",
                () -> streams.iterator(name, FIRST_SHARD,
                        request -> request.shardIteratorType(ShardIteratorType.AT_TIMESTAMP)));
    }

    private void validation() throws Exception {
        refused(ValidationException.class,
                "2 validation errors detected: Value '0' at 'limit' failed to satisfy constraint: "
                        + "Member must have value greater than or equal to 1; Value '' at "
                        + "'shardIterator' failed to satisfy constraint: Member must have length "
                        + "greater than or equal to 1",
                () -> kinesis.getRecords(request -> request.shardIterator("").limit(0)));
    }

    private void limit() throws Exception {
        String name = streams.create(1);
        refused(LimitExceededException.class,
                "Target shard count or number of open shards cannot be greater than 10000. "
                        + "Current open shard count: 1, Target shard count: 10001",
                () -> kinesis.updateShardCount(request -> request
                        .streamName(name)
                        .targetShardCount(10_001)
                        .scalingType(ScalingType.UNIFORM_SCALING)));
    }

    /** A shard takes 1 MiB in a second. */
    private void throughput() throws Exception {
        String name = streams.create(1);
        SdkBytes half = SdkBytes.fromByteArray(new byte[600_000]);
        refused(ProvisionedThroughputExceededException.class,
                "Rate exceeded for shard " + FIRST_SHARD + " in stream " + name
                        + " under account 000000000000.",
                () -> {
                    for (int time = 0; time < 10; time++) {
                        kinesis.putRecord(request ->
                                request.streamName(name).partitionKey("key").data(half));
                    }
                });
    }

    private void expiredIterator() throws Exception {
        KinesisClient virtual = connection.to(Emulator.VIRTUAL_ENDPOINT).open();
        Streams virtualStreams = new Streams(virtual);
        String iterator = virtualStreams.oldest(virtualStreams.create(1), FIRST_SHARD);
        Emulator.advanceClock(299_000);
        virtual.getRecords(request -> request.shardIterator(iterator));
        Emulator.advanceClock(2_000);
        String message = thrown(ExpiredIteratorException.class,
                        () -> virtual.getRecords(request -> request.shardIterator(iterator)))
                .awsErrorDetails()
                .errorMessage();
        that(message.startsWith("Iterator expired. The iterator was created at time "), message);
        that(message.endsWith("the tolerated delay of 300000 milliseconds."), message);
    }

    private void expiredToken() throws Exception {
        KinesisClient virtual = connection.to(Emulator.VIRTUAL_ENDPOINT).open();
        String name = new Streams(virtual).create(2);
        String token =
                virtual.listShards(request -> request.streamName(name).maxResults(1)).nextToken();
        Emulator.advanceClock(301_000);
        thrown(ExpiredNextTokenException.class,
                () -> virtual.listShards(request -> request.nextToken(token)));
    }

    /** The options of the emulator list the keys that cannot be used, each with its state. */
    private void keys() throws Exception {
        Map<String, Class<? extends KinesisException>> exceptions = new LinkedHashMap<>();
        exceptions.put("disabled", KmsDisabledException.class);
        exceptions.put("pending", KmsInvalidStateException.class);
        exceptions.put("denied", KmsAccessDeniedException.class);
        exceptions.put("missing", KmsNotFoundException.class);
        exceptions.put("opt-in", KmsOptInRequiredException.class);
        exceptions.put("throttled", KmsThrottlingException.class);
        String[] options = exceptions.keySet().stream()
                .map(state -> "--kms-key=alias/" + state + "=" + state)
                .toArray(String[]::new);
        try (Emulator emulator = Emulator.start(options)) {
            KinesisClient client = connection.to(emulator.endpoint()).open();
            String name = new Streams(client).create(1);
            for (var each : exceptions.entrySet()) {
                KinesisException error = thrown(each.getValue(),
                        () -> client.startStreamEncryption(request -> request
                                .streamName(name)
                                .encryptionType(EncryptionType.KMS)
                                .keyId("alias/" + each.getKey())));
                equal(error.statusCode(), 400);
            }
        }
    }
}
