import java.net.URI;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.io.aws2.kinesis.KinesisIO;
import org.apache.beam.sdk.io.aws2.kinesis.KinesisPartitioner;
import org.apache.beam.sdk.io.aws2.kinesis.KinesisRecord;
import org.apache.beam.sdk.io.aws2.options.AwsOptions;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.transforms.MapElements;
import org.apache.beam.sdk.transforms.SerializableFunction;
import org.apache.beam.sdk.values.TypeDescriptors;
import software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.kinesis.common.InitialPositionInStream;

/** A pipeline from one stream to another: Relay ENDPOINT SOURCE TARGET [CONSUMER_ARN]. */
public final class Relay {
    private Relay() {}

    public static void main(String[] arguments) {
        AwsOptions options = PipelineOptionsFactory.fromArgs("--targetParallelism=4").as(AwsOptions.class);
        options.setAwsRegion(Region.of(System.getenv("AWS_REGION")));
        options.setEndpoint(URI.create(arguments[0]));
        options.setAwsCredentialsProvider(EnvironmentVariableCredentialsProvider.create());
        KinesisIO.Read read = KinesisIO.read()
                .withStreamName(arguments[1])
                .withInitialPositionInStream(InitialPositionInStream.TRIM_HORIZON);
        if (arguments.length > 3) read = read.withConsumerArn(arguments[3]);
        SerializableFunction<KinesisRecord, byte[]> data = KinesisRecord::getDataAsBytes;
        Pipeline pipeline = Pipeline.create(options);
        pipeline.apply(read)
                .apply(MapElements.into(TypeDescriptors.strings())
                        .via(record -> new String(data.apply(record))))
                .apply(KinesisIO.<String>write()
                        .withStreamName(arguments[2])
                        .withSerializer(String::getBytes)
                        .withRecordAggregationDisabled()
                        .withPartitioner(new ByKey()));
        pipeline.run().waitUntilFinish();
    }

    /** The first word of the message is its key. */
    private static final class ByKey implements KinesisPartitioner<String> {
        private static final long serialVersionUID = 1L;

        @Override
        public String getPartitionKey(String message) {
            return message.substring(0, message.indexOf(' '));
        }
    }
}
