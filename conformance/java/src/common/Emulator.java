package common;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The emulators that conformance/run started, and those that a check starts for itself. */
public final class Emulator implements AutoCloseable {
    public static final URI ENDPOINT = URI.create(System.getenv("ENDPOINT"));
    public static final URI TLS_ENDPOINT = URI.create(System.getenv("TLS_ENDPOINT"));
    public static final URI VIRTUAL_ENDPOINT = URI.create(System.getenv("VIRTUAL_ENDPOINT"));

    private static final String LISTENING = "Listening on ";

    private final Process process;
    private final BufferedReader output;

    private Emulator(Process process) {
        this.process = process;
        // Stop the emulator even if the checks run out of time.
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
        output = new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    /** Starts an emulator with these options. It runs until it is closed. */
    public static Emulator start(String... options) throws IOException {
        List<String> command = new ArrayList<>(
                List.of(System.getenv("MINIKIN"), "serve", "--host", "127.0.0.1", "--port", "0"));
        command.addAll(List.of(options));
        return new Emulator(new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start());
    }

    /** Reads the endpoint from the emulator's output. Call this only once. */
    public URI endpoint() throws IOException {
        for (String line; (line = output.readLine()) != null; ) {
            if (!line.startsWith(LISTENING)) continue;
            String address = line.substring(LISTENING.length());
            return URI.create(address.contains("://") ? address : "http://" + address);
        }
        throw new IOException("minikin did not start");
    }

    @Override
    public void close() {
        process.destroy();
        process.onExit().join();
    }

    /** Moves the time of the emulator at VIRTUAL_ENDPOINT. */
    public static void advanceClock(long milliseconds) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(VIRTUAL_ENDPOINT.resolve("/_minikin/clock"))
                .POST(HttpRequest.BodyPublishers.ofString("{\"advance_ms\":" + milliseconds + "}"))
                .build();
        HttpResponse<String> response =
                HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        Expect.equal(response.statusCode(), 200);
    }
}
