import java.nio.charset.StandardCharsets;
import java.util.UUID;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.common.KinesisClientUtil;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.exceptions.InvalidStateException;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.processor.SingleStreamTracker;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

/** Prints the records of the stream that the variable STREAM names. */
public final class Consumer implements ShardRecordProcessor {
    public static void main(String[] arguments) {
        String stream = System.getenv("STREAM");
        // The SDK takes both endpoints from AWS_ENDPOINT_URL_KINESIS and AWS_ENDPOINT_URL_DYNAMODB.
        KinesisAsyncClient kinesis =
                KinesisClientUtil.createKinesisAsyncClient(KinesisAsyncClient.builder());
        ConfigsBuilder configs = new ConfigsBuilder(
                new SingleStreamTracker(stream, InitialPositionInStreamExtended
                        .newInitialPosition(InitialPositionInStream.TRIM_HORIZON)),
                "consumer-of-" + stream, kinesis, DynamoDbAsyncClient.create(),
                CloudWatchAsyncClient.create(), UUID.randomUUID().toString(), Consumer::new);
        new Scheduler(
                configs.checkpointConfig(),
                configs.coordinatorConfig(),
                configs.leaseManagementConfig(),
                configs.lifecycleConfig(),
                configs.metricsConfig().metricsFactory(new NullMetricsFactory()),
                configs.processorConfig(),
                configs.retrievalConfig().retrievalSpecificConfig(new PollingConfig(stream, kinesis)))
                .run();
    }

    @Override
    public void initialize(InitializationInput input) {
        System.out.println("reads " + input.shardId());
    }

    @Override
    public void processRecords(ProcessRecordsInput input) {
        input.records().forEach(record -> System.out.println(record.partitionKey() + ": "
                + StandardCharsets.UTF_8.decode(record.data())));
        try {
            input.checkpointer().checkpoint();
        } catch (InvalidStateException | ShutdownException failure) {
            throw new IllegalStateException(failure);
        }
    }

    @Override
    public void leaseLost(LeaseLostInput input) {
    }

    @Override
    public void shardEnded(ShardEndedInput input) {
        try {
            input.checkpointer().checkpoint();
        } catch (InvalidStateException | ShutdownException failure) {
            throw new IllegalStateException(failure);
        }
    }

    @Override
    public void shutdownRequested(ShutdownRequestedInput input) {
    }
}
