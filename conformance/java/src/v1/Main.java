package v1;

import common.Checks;

/** The first version of the SDK, over CBOR or over JSON. It has no SubscribeToShard. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        boolean isCbor = System.getProperty("com.amazonaws.sdk.disableCbor") == null;
        Checks checks = new Checks(arguments[0], isCbor ? "CBOR" : "JSON");
        Connection connection = new Connection();
        new ScopeChecks(connection)
                .run(checks, isCbor ? "application/x-amz-cbor-1.1" : "application/x-amz-json-1.1");
        new StreamChecks(connection).run(checks);
        new RecordChecks(connection).run(checks, isCbor);
        new ListChecks(connection).run(checks);
        new ErrorChecks(connection).run(checks);
        // The SDK's threads live on.
        System.exit(checks.haveFailed() ? 1 : 0);
    }
}
