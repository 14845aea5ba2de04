import java.util.Properties;
import org.apache.flink.api.common.serialization.SimpleStringSchema;
import org.apache.flink.connector.kinesis.sink.KinesisStreamsSink;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.connectors.kinesis.FlinkKinesisConsumer;

/** A job from one stream to another: Relay ENDPOINT SOURCE TARGET POLLING|EFO. */
public final class Relay {
    private Relay() {}

    public static void main(String[] arguments) throws Exception {
        Properties client = new Properties();
        client.setProperty("aws.region", System.getenv("AWS_REGION"));
        client.setProperty("aws.endpoint", arguments[0]);

        Properties source = new Properties();
        source.putAll(client);
        source.setProperty("flink.stream.initpos", "TRIM_HORIZON");
        source.setProperty("flink.shard.getrecords.intervalmillis", "250");
        source.setProperty("flink.shard.discovery.intervalmillis", "1000");
        source.setProperty("flink.stream.recordpublisher", arguments[3]);
        source.setProperty("flink.stream.efo.consumername", "flink");

        StreamExecutionEnvironment job = StreamExecutionEnvironment.getExecutionEnvironment();
        job.setParallelism(1);
        job.addSource(new FlinkKinesisConsumer<>(arguments[1], new SimpleStringSchema(), source))
                .sinkTo(KinesisStreamsSink.<String>builder()
                        .setKinesisClientProperties(client)
                        .setStreamName(arguments[2])
                        .setSerializationSchema(new SimpleStringSchema())
                        // The first word of the message is its key.
                        .setPartitionKeyGenerator(message -> message.split(" ")[0])
                        .setMaxInFlightRequests(1)
                        .setMaxTimeInBufferMS(200)
                        .setFailOnError(true)
                        .build());
        job.execute();
    }
}
