package v2;

import common.Checks;
import common.Emulator;

/** The second version of the SDK: both its kinds of client, over CBOR or over JSON. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        String client = arguments[0];
        boolean isCbor = Boolean.parseBoolean(System.getProperty("aws.cborEnabled"));
        String encoding = isCbor ? "CBOR" : "JSON";
        boolean failed = false;
        for (Connection.Kind kind : Connection.Kind.values()) {
            Connection connection = new Connection(kind);
            Checks checks = new Checks(client, kind.text + ", " + encoding);
            new ScopeChecks(connection)
                    .run(checks, isCbor ? "application/x-amz-cbor-1.1" : "application/x-amz-json-1.1");
            new StreamChecks(connection).run(checks);
            new RecordChecks(connection).run(checks);
            new ListChecks(connection).run(checks);
            new ErrorChecks(connection).run(checks);
            failed |= checks.haveFailed();
        }
        failed |= subscribe(client, encoding);
        // The SDK's threads live on.
        System.exit(failed ? 1 : 0);
    }

    /** Subscriptions are in JSON always; the encoding is that of the calls around them. */
    private static boolean subscribe(String client, String encoding) {
        Connection connection = new Connection(Connection.Kind.ASYNC);
        Checks plain = new Checks(client, "push, " + encoding);
        new PushChecks(connection).run(plain);
        new PushChecks(connection.to(Emulator.VIRTUAL_ENDPOINT)).runVirtual(plain);
        Checks tls = new Checks(client, "push over TLS, " + encoding);
        new PushChecks(connection.to(Emulator.TLS_ENDPOINT)).run(tls);
        return plain.haveFailed() | tls.haveFailed();
    }
}
