package client1;

import common.Conformance;
import common.Library.Mode;
import java.util.List;

/** The first version of the library knows no enhanced fan-out. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws InterruptedException {
        KclLibrary library = new KclLibrary(System.getenv("ENDPOINT"), arguments[1]);
        // Threads of the library may live on.
        System.exit(Conformance.run(arguments[0], library, List.of(Mode.POLLING)));
    }
}
