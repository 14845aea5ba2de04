package v2;

import common.Emulator;
import common.Trust;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisClient;

/** A client's connection: kind of client, endpoint, region and access key. */
record Connection(Kind kind, URI endpoint, String region, String accessKey) {
    /** The content types of all requests, for one check to look at. */
    static final List<String> CONTENT_TYPES = new CopyOnWriteArrayList<>();

    enum Kind {
        SYNC("sync"),
        ASYNC("async");

        final String text;

        Kind(String text) {
            this.text = text;
        }
    }

    Connection(Kind kind) {
        this(kind, Emulator.ENDPOINT, "us-east-1", "conformance");
    }

    Connection to(URI otherEndpoint) {
        return new Connection(kind, otherEndpoint, region, accessKey);
    }

    Connection in(String otherRegion) {
        return new Connection(kind, endpoint, otherRegion, accessKey);
    }

    Connection as(String otherAccessKey) {
        return new Connection(kind, endpoint, region, otherAccessKey);
    }

    /** A client of this kind; one that answers with futures is waited for in each call. */
    KinesisClient open() {
        return kind == Kind.SYNC ? openSync() : waitFor(openAsync());
    }

    private KinesisClient openSync() {
        var builder = KinesisClient.builder();
        if (isTls()) {
            builder.httpClientBuilder(
                    Apache5HttpClient.builder().tlsTrustManagersProvider(Trust::managers));
        }
        return configure(builder).build();
    }

    /** Kinesis has HTTP/2 in all asynchronous clients: by prior knowledge, or by ALPN over TLS. */
    KinesisAsyncClient openAsync() {
        var builder = KinesisAsyncClient.builder();
        if (isTls()) {
            builder.httpClientBuilder(
                    NettyNioAsyncHttpClient.builder().tlsTrustManagersProvider(Trust::managers));
        }
        return configure(builder).build();
    }

    private boolean isTls() {
        return endpoint.getScheme().equals("https");
    }

    private <B extends AwsClientBuilder<B, ?>> B configure(B builder) {
        return builder
                .endpointOverride(endpoint)
                .region(Region.of(region))
                .credentialsProvider(StaticCredentialsProvider.create(
                        AwsBasicCredentials.create(accessKey, "secret")))
                // No retries: they would hide errors of the server.
                .overrideConfiguration(override -> override
                        .retryStrategy(AwsRetryStrategy.doNotRetry())
                        .addExecutionInterceptor(new ContentTypes()));
    }

    private static final class ContentTypes implements ExecutionInterceptor {
        @Override
        public void beforeTransmission(Context.BeforeTransmission context, ExecutionAttributes more) {
            context.httpRequest().firstMatchingHeader("Content-Type").ifPresent(CONTENT_TYPES::add);
        }
    }

    /** Makes an asynchronous client usable as a synchronous one, by waiting for its futures. */
    private static KinesisClient waitFor(KinesisAsyncClient client) {
        Class<?>[] faces = {KinesisClient.class};
        return (KinesisClient) Proxy.newProxyInstance(
                Connection.class.getClassLoader(), faces, (proxy, method, arguments) -> {
                    try {
                        Object result = KinesisAsyncClient.class
                                .getMethod(method.getName(), method.getParameterTypes())
                                .invoke(client, arguments);
                        return result instanceof CompletableFuture<?> future ? future.join() : result;
                    } catch (InvocationTargetException | CompletionException error) {
                        throw error.getCause();
                    }
                });
    }
}
