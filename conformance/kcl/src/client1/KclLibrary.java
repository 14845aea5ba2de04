package client1;

import com.amazonaws.auth.AWSCredentialsProvider;
import com.amazonaws.auth.DefaultAWSCredentialsProviderChain;
import com.amazonaws.client.builder.AwsClientBuilder.EndpointConfiguration;
import com.amazonaws.services.cloudwatch.AmazonCloudWatch;
import com.amazonaws.services.cloudwatch.AmazonCloudWatchClientBuilder;
import com.amazonaws.services.dynamodbv2.AmazonDynamoDB;
import com.amazonaws.services.dynamodbv2.AmazonDynamoDBClientBuilder;
import com.amazonaws.services.kinesis.AmazonKinesis;
import com.amazonaws.services.kinesis.AmazonKinesisClientBuilder;
import com.amazonaws.services.kinesis.clientlibrary.interfaces.v2.IRecordProcessorFactory;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.InitialPositionInStream;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.KinesisClientLibConfiguration;
import com.amazonaws.services.kinesis.metrics.impl.NullMetricsFactory;
import common.Ledger;
import common.Library;
import common.Stream;
import common.WorkerThread;

/** The library as its users set it up: two endpoints are all that is not as for the service. */
final class KclLibrary implements Library {
    private final AWSCredentialsProvider credentials = new DefaultAWSCredentialsProviderChain();
    private final String region = System.getenv("AWS_REGION");
    private final AmazonKinesis kinesis;
    private final AmazonDynamoDB dynamo;
    // Asked for by the library, and not called, since metrics are off.
    private final AmazonCloudWatch cloudWatch;

    KclLibrary(String kinesisEndpoint, String leaseEndpoint) {
        EndpointConfiguration leases = new EndpointConfiguration(leaseEndpoint, region);
        kinesis = AmazonKinesisClientBuilder.standard()
                .withEndpointConfiguration(new EndpointConfiguration(kinesisEndpoint, region))
                .build();
        dynamo = AmazonDynamoDBClientBuilder.standard().withEndpointConfiguration(leases).build();
        cloudWatch =
                AmazonCloudWatchClientBuilder.standard().withEndpointConfiguration(leases).build();
    }

    @Override
    public Stream create(String streamName, int shards) {
        kinesis.createStream(streamName, shards);
        SdkStream stream = new SdkStream(kinesis, streamName);
        stream.awaitActive();
        return stream;
    }

    @Override
    public Worker start(Stream stream, Mode mode, String workerName, Ledger ledger) {
        IRecordProcessorFactory processors = () -> new LedgerProcessor(ledger.processor(workerName));
        var worker = new com.amazonaws.services.kinesis.clientlibrary.lib.worker.Worker.Builder()
                .recordProcessorFactory(processors)
                .config(configure(stream.name(), workerName))
                .kinesisClient(kinesis)
                .dynamoDBClient(dynamo)
                .cloudWatchClient(cloudWatch)
                .metricsFactory(new NullMetricsFactory())
                .build();
        Thread thread = new Thread(worker, workerName);
        thread.start();
        return new WorkerThread(thread, worker::startGracefulShutdown, worker::shutdown);
    }

    // The library's intervals are made for fleets of workers and days of work.
    @SuppressWarnings("deprecation") // Every one of its constructors is.
    private KinesisClientLibConfiguration configure(String stream, String workerName) {
        return new KinesisClientLibConfiguration(stream, stream, credentials, workerName)
                .withRegionName(region)
                .withInitialPositionInStream(InitialPositionInStream.TRIM_HORIZON)
                .withIdleTimeBetweenReadsInMillis(500)
                .withParentShardPollIntervalMillis(500)
                .withShardSyncIntervalMillis(5000)
                .withFailoverTimeMillis(2000)
                .withLeaseCleanupIntervalMillis(1000)
                .withCompletedLeaseCleanupThresholdMillis(1000)
                .withMaxLeasesToStealAtOneTime(10);
    }
}
