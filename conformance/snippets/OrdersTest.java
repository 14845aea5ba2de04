import static java.util.Objects.requireNonNullElse;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.ShardIteratorType;

/** A JUnit test that starts minikin. */
class OrdersTest {
    private static Process minikin;
    private static KinesisClient kinesis;

    @BeforeAll
    static void startMinikin() throws IOException {
        String program = requireNonNullElse(System.getenv("MINIKIN"), "minikin");
        minikin = new ProcessBuilder(program, "--port", "0", "--stream", "orders:2").start();
        BufferedReader output = minikin.inputReader();
        // "Listening on 127.0.0.1:41234", perhaps more addresses, and "Ready." at the end.
        String address = output.readLine().replace("Listening on ", "");
        while (!"Ready.".equals(output.readLine())) {}
        kinesis = KinesisClient.builder()
                .endpointOverride(URI.create("http://" + address))
                .region(Region.US_EAST_1)
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("test", "test")))
                .build();
    }

    @AfterAll
    static void stopMinikin() {
        kinesis.close();
        minikin.destroy();
    }

    @Test
    void anOrderIsPut() {
        SdkBytes order = SdkBytes.fromUtf8String("{\"total\":3}");
        String shard = kinesis.putRecord(put -> put.streamName("orders").partitionKey("customer-7").data(order)).shardId();
        String iterator = kinesis.getShardIterator(start -> start.streamName("orders").shardId(shard)
                        .shardIteratorType(ShardIteratorType.TRIM_HORIZON))
                .shardIterator();
        var records = kinesis.getRecords(get -> get.shardIterator(iterator)).records();
        assertEquals(1, records.size());
        assertEquals(order, records.get(0).data());
    }
}
