import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.main.Main;

/** A route from one stream to another: Relay ENDPOINT SOURCE TARGET. */
public final class Relay extends RouteBuilder {
    private final String endpoint;
    private final String source;
    private final String target;

    private Relay(String endpoint, String source, String target) {
        this.endpoint = endpoint;
        this.source = source;
        this.target = target;
    }

    @Override
    public void configure() {
        // The consumer sets the headers that the producer takes: the partition key, and the
        // sequence number for ordering. Without shardClosed this version fails at a closed shard.
        from(stream(source) + "&iteratorType=TRIM_HORIZON&delay=200"
                + "&maxResultsPerRequest=1000&shardMonitorInterval=1000&shardClosed=silent")
                .to(stream(target));
    }

    private String stream(String name) {
        return "aws2-kinesis://" + name
                + "?useDefaultCredentialsProvider=true&overrideEndpoint=true"
                + "&uriEndpointOverride=" + endpoint
                + "&region=" + System.getenv("AWS_REGION");
    }

    public static void main(String[] arguments) throws Exception {
        Main main = new Main();
        main.configure().addRoutesBuilder(new Relay(arguments[0], arguments[1], arguments[2]));
        main.run();
    }
}
