package client2and3;

import common.Ledger;
import common.Library;
import common.Stream;
import common.WorkerThread;
import java.net.URI;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.common.KinesisClientUtil;
import software.amazon.kinesis.coordinator.CoordinatorConfig;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.processor.SingleStreamTracker;
import software.amazon.kinesis.retrieval.RetrievalConfig;
import software.amazon.kinesis.retrieval.RetrievalSpecificConfig;
import software.amazon.kinesis.retrieval.fanout.FanOutConfig;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

/** The library as its users set it up: two endpoints are all that is not as for the service. */
final class KclLibrary implements Library {
    private final KinesisAsyncClient kinesis;
    private final DynamoDbAsyncClient dynamo;
    // Asked for by the library, and not called, since metrics are off.
    private final CloudWatchAsyncClient cloudWatch;

    KclLibrary(URI kinesisEndpoint, URI leaseEndpoint) {
        Region region = Region.of(System.getenv("AWS_REGION"));
        kinesis = KinesisClientUtil.createKinesisAsyncClient(
                KinesisAsyncClient.builder().endpointOverride(kinesisEndpoint).region(region));
        dynamo = DynamoDbAsyncClient.builder().endpointOverride(leaseEndpoint).region(region).build();
        cloudWatch =
                CloudWatchAsyncClient.builder().endpointOverride(leaseEndpoint).region(region).build();
    }

    @Override
    public Stream create(String streamName, int shards) {
        kinesis.createStream(request -> request.streamName(streamName).shardCount(shards)).join();
        SdkStream stream = new SdkStream(kinesis, streamName);
        stream.awaitActive();
        return stream;
    }

    @Override
    public Worker start(Stream stream, Mode mode, String workerName, Ledger ledger) {
        Scheduler scheduler = schedule(stream.name(), mode, workerName, ledger);
        Thread thread = new Thread(scheduler, workerName);
        thread.start();
        return new WorkerThread(thread, scheduler::startGracefulShutdown, scheduler::shutdown);
    }

    private Scheduler schedule(String stream, Mode mode, String workerName, Ledger ledger) {
        SingleStreamTracker tracker = new SingleStreamTracker(
                stream,
                InitialPositionInStreamExtended.newInitialPosition(
                        InitialPositionInStream.TRIM_HORIZON));
        ConfigsBuilder configs = new ConfigsBuilder(
                tracker, stream, kinesis, dynamo, cloudWatch, workerName,
                () -> new LedgerProcessor(ledger.processor(workerName)));
        return new Scheduler(
                configs.checkpointConfig(),
                hasten(configs.coordinatorConfig()),
                hasten(configs.leaseManagementConfig()),
                configs.lifecycleConfig(),
                configs.metricsConfig().metricsFactory(new NullMetricsFactory()),
                configs.processorConfig(),
                retrieve(configs.retrievalConfig(), stream, mode));
    }

    private RetrievalConfig retrieve(RetrievalConfig config, String stream, Mode mode) {
        RetrievalSpecificConfig way = mode == Mode.POLLING
                ? new PollingConfig(stream, kinesis).idleTimeBetweenReadsInMillis(500)
                : new FanOutConfig(kinesis).streamName(stream).applicationName(stream);
        return config.retrievalSpecificConfig(way);
    }

    // The library's intervals are made for fleets of workers and days of work.

    private static CoordinatorConfig hasten(CoordinatorConfig config) {
        return config.parentShardPollIntervalMillis(500).shardConsumerDispatchPollIntervalMillis(200);
    }

    private static LeaseManagementConfig hasten(LeaseManagementConfig config) {
        Tuning.hasten(config);
        return config.failoverTimeMillis(2000).shardSyncIntervalMillis(5000);
    }
}
