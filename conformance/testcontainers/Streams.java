import java.net.URI;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.utility.DockerImageName;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.ShardIteratorType;

/** Starts the image, puts a record into a stream of the start, and reads it. */
public final class Streams {
    public static void main(String[] arguments) {
        DockerImageName image = DockerImageName.parse(System.getenv("MINIKIN_IMAGE"));
        try (GenericContainer<?> minikin = new GenericContainer<>(image)) {
            minikin.withCommand("--stream", "orders:1")
                    .withExposedPorts(4567)
                    .waitingFor(Wait.forHttp("/health"))
                    .start();
            URI endpoint = URI.create(
                    "http://" + minikin.getHost() + ":" + minikin.getMappedPort(4567));
            try (KinesisClient kinesis = KinesisClient.builder()
                    .endpointOverride(endpoint)
                    .httpClient(UrlConnectionHttpClient.create())
                    .build()) {
                kinesis.putRecord(put -> put.streamName("orders")
                        .partitionKey("customer-7")
                        .data(SdkBytes.fromUtf8String("hello")));
                String iterator = kinesis.getShardIterator(from -> from.streamName("orders")
                        .shardId("shardId-000000000000")
                        .shardIteratorType(ShardIteratorType.TRIM_HORIZON)).shardIterator();
                String data = kinesis.getRecords(read -> read.shardIterator(iterator))
                        .records().get(0).data().asUtf8String();
                if (!data.equals("hello")) {
                    throw new AssertionError(data);
                }
            }
        }
    }
}
