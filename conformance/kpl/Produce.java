import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Collectors;
import software.amazon.kinesis.producer.Attempt;
import software.amazon.kinesis.producer.KinesisProducer;
import software.amazon.kinesis.producer.KinesisProducerConfiguration;
import software.amazon.kinesis.producer.UserRecordFailedException;
import software.amazon.kinesis.producer.UserRecordResult;

/**
 * Puts the user records that it reads, a line each: partition key, explicit hash key or nothing,
 * and data in base64, with tabs between. Writes a line for each, in the same order: whether it is
 * in, its shard, its sequence number, and the error code of each attempt that failed.
 *
 * <p>Arguments: the stream, and a file with the properties of the producer.
 */
final class Produce {
    private static final int MAX_OUTSTANDING = 20_000;
    private static final Future<UserRecordResult> END = new CompletableFuture<>();

    public static void main(String[] arguments) throws Exception {
        var stream = arguments[0];
        var producer =
                new KinesisProducer(KinesisProducerConfiguration.fromPropertiesFile(arguments[1]));
        var results = new LinkedBlockingQueue<Future<UserRecordResult>>();
        var writer = new Thread(() -> write(results));
        writer.start();
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (var line = input.readLine(); line != null; line = input.readLine()) {
            var parts = line.split("\t", -1);
            var hashKey = parts[1].isEmpty() ? null : parts[1];
            var data = ByteBuffer.wrap(Base64.getDecoder().decode(parts[2]));
            while (producer.getOutstandingRecordsCount() > MAX_OUTSTANDING) {
                Thread.sleep(1);
            }
            results.add(producer.addUserRecord(stream, parts[0], hashKey, data));
        }
        producer.flushSync();
        results.add(END);
        writer.join();
        producer.destroy();
    }

    private static void write(BlockingQueue<Future<UserRecordResult>> results) {
        try {
            for (var next = results.take(); next != END; next = results.take()) {
                var result = await(next);
                var failures =
                        result.getAttempts().stream()
                                .filter(attempt -> !attempt.isSuccessful())
                                .map(Attempt::getErrorCode)
                                .collect(Collectors.joining(","));
                System.out.println(
                        String.join(
                                "\t",
                                String.valueOf(result.isSuccessful()),
                                String.valueOf(result.getShardId()),
                                String.valueOf(result.getSequenceNumber()),
                                failures));
            }
        } catch (InterruptedException | ExecutionException e) {
            e.printStackTrace();
            System.exit(1);
        }
    }

    private static UserRecordResult await(Future<UserRecordResult> future)
            throws InterruptedException, ExecutionException {
        try {
            return future.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UserRecordFailedException failure) {
                return failure.getResult();
            }
            throw e;
        }
    }
}
