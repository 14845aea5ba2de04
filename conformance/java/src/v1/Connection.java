package v1;

import com.amazonaws.ClientConfiguration;
import com.amazonaws.Request;
import com.amazonaws.auth.AWSStaticCredentialsProvider;
import com.amazonaws.auth.BasicAWSCredentials;
import com.amazonaws.client.builder.AwsClientBuilder.EndpointConfiguration;
import com.amazonaws.handlers.RequestHandler2;
import com.amazonaws.http.conn.ssl.SdkTLSSocketFactory;
import com.amazonaws.services.kinesis.AmazonKinesis;
import com.amazonaws.services.kinesis.AmazonKinesisClientBuilder;
import common.Emulator;
import common.Trust;
import java.net.URI;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.SSLContext;

/** A client's connection: endpoint, region and access key. */
record Connection(URI endpoint, String region, String accessKey) {
    /** The content types of all requests, for one check to look at. */
    static final List<String> CONTENT_TYPES = new CopyOnWriteArrayList<>();

    Connection() {
        this(Emulator.ENDPOINT, "us-east-1", "conformance");
    }

    Connection to(URI otherEndpoint) {
        return new Connection(otherEndpoint, region, accessKey);
    }

    Connection in(String otherRegion) {
        return new Connection(endpoint, otherRegion, accessKey);
    }

    Connection as(String otherAccessKey) {
        return new Connection(endpoint, region, otherAccessKey);
    }

    AmazonKinesis open() {
        // No retries: they would hide errors of the server.
        ClientConfiguration configuration = new ClientConfiguration().withMaxErrorRetry(0);
        if (endpoint.getScheme().equals("https")) {
            configuration.getApacheHttpClientConfig()
                    .setSslSocketFactory(new SdkTLSSocketFactory(trusting(), null));
        }
        return AmazonKinesisClientBuilder.standard()
                .withClientConfiguration(configuration)
                .withEndpointConfiguration(new EndpointConfiguration(endpoint.toString(), region))
                .withCredentials(new AWSStaticCredentialsProvider(
                        new BasicAWSCredentials(accessKey, "secret")))
                .withRequestHandlers(new ContentTypes())
                .build();
    }

    private static SSLContext trusting() {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, Trust.managers(), null);
            return context;
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException(error);
        }
    }

    private static final class ContentTypes extends RequestHandler2 {
        @Override
        public void beforeRequest(Request<?> request) {
            CONTENT_TYPES.add(request.getHeaders().get("Content-Type"));
        }
    }
}
