package client2and3;

import common.Conformance;
import common.Library.Mode;
import java.net.URI;
import java.util.List;

/** The second and third version of the library have the same interface; Tuning has what differs. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws InterruptedException {
        String client = arguments[0];
        URI kinesis = URI.create(System.getenv("ENDPOINT"));
        URI leases = URI.create(arguments[1]);
        KclLibrary library = new KclLibrary(kinesis, leases);
        // Threads of the library may live on.
        System.exit(Conformance.run(client, library, List.of(Mode.POLLING, Mode.FAN_OUT)));
    }
}
