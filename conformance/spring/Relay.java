package relay;

import java.util.function.Function;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.messaging.Message;
import org.springframework.messaging.support.MessageBuilder;

/** Passes each message of the stream `source` on to the stream `target`, under the same key. */
@SpringBootApplication
public class Relay {
    public static void main(String[] arguments) {
        SpringApplication.run(Relay.class, arguments);
    }

    @Bean
    public Function<Message<byte[]>, Message<byte[]>> pass() {
        return message -> MessageBuilder.withPayload(message.getPayload())
                .setHeader("key", message.getHeaders().get("Kinesis_receivedPartitionKey"))
                .build();
    }
}
