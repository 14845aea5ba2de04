import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import software.amazon.kinesis.retrieval.AggregatorUtil;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/**
 * Takes Kinesis records apart as KCL workers do. Reads a line for each: the first and the last hash
 * key of its shard, its sequence number, partition key, and data in base64, with tabs between.
 * Writes a line for each user record that belongs to the shard: sequence number, number in the
 * Kinesis record, partition key, explicit hash key or nothing, and data in base64.
 */
final class Deaggregate {
    public static void main(String[] arguments) throws Exception {
        var aggregator = new AggregatorUtil();
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (var line = input.readLine(); line != null; line = input.readLine()) {
            var parts = line.split("\t", -1);
            var record =
                    KinesisClientRecord.builder()
                            .sequenceNumber(parts[2])
                            .partitionKey(parts[3])
                            .data(ByteBuffer.wrap(Base64.getDecoder().decode(parts[4])))
                            .build();
            for (var each : aggregator.deaggregate(List.of(record), parts[0], parts[1])) {
                var data = new byte[each.data().remaining()];
                each.data().get(data);
                var hashKey = each.explicitHashKey();
                System.out.println(
                        String.join(
                                "\t",
                                each.sequenceNumber(),
                                String.valueOf(each.subSequenceNumber()),
                                each.partitionKey(),
                                hashKey == null ? "" : hashKey,
                                Base64.getEncoder().encodeToString(data)));
            }
        }
    }
}
