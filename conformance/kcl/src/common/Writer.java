package common;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes to the stream until it is stopped, one record of each key in a request.
 *
 * <p>A record that was refused is put again before the next one of its key, so that the order in
 * the stream is that of the numbers.
 */
final class Writer {
    private static final int KEYS = 60;

    private final Stream stream;
    private final Ledger ledger;
    private final long pauseMillis;
    private final Map<String, Integer> next = new HashMap<>();
    private final Thread thread = new Thread(this::run, "writer");
    private volatile boolean stopped;
    private volatile RuntimeException failure;

    Writer(Stream stream, Ledger ledger, long pauseMillis) {
        this.stream = stream;
        this.ledger = ledger;
        this.pauseMillis = pauseMillis;
        thread.start();
    }

    void stop() throws InterruptedException {
        stopped = true;
        thread.join();
        if (failure != null) throw failure;
    }

    private void run() {
        try {
            while (!stopped) {
                writeOneOfEachKey();
                Thread.sleep(pauseMillis);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException error) {
            failure = error;
        }
    }

    private void writeOneOfEachKey() {
        List<Message> messages = new ArrayList<>();
        for (int key = 0; key < KEYS; key++) {
            messages.add(new Message("key-" + key, next.getOrDefault("key-" + key, 0)));
        }
        List<Boolean> taken = stream.put(messages);
        for (int index = 0; index < messages.size(); index++) {
            if (!taken.get(index)) continue;
            Message message = messages.get(index);
            next.put(message.key(), message.number() + 1);
            ledger.write(message);
        }
    }
}
