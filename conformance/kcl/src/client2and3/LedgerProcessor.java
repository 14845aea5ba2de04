package client2and3;

import common.Ledger;
import common.Message;
import java.nio.charset.StandardCharsets;
import software.amazon.kinesis.exceptions.InvalidStateException;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.processor.RecordProcessorCheckpointer;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/** Enters all that a processor meets into the ledger. */
final class LedgerProcessor implements ShardRecordProcessor {
    private final Ledger.Processor ledger;

    LedgerProcessor(Ledger.Processor ledger) {
        this.ledger = ledger;
    }

    @Override
    public void initialize(InitializationInput input) {
        ledger.begin(input.shardId());
    }

    @Override
    public void processRecords(ProcessRecordsInput input) {
        for (KinesisClientRecord record : input.records()) {
            String text = StandardCharsets.UTF_8.decode(record.data()).toString();
            ledger.process(Message.parse(text));
        }
        checkpoint(input.checkpointer());
    }

    @Override
    public void leaseLost(LeaseLostInput input) {
        // The next processor goes on where this one wrote its last checkpoint.
    }

    @Override
    public void shardEnded(ShardEndedInput input) {
        ledger.end();
        checkpoint(input.checkpointer());
    }

    @Override
    public void shutdownRequested(ShutdownRequestedInput input) {
        checkpoint(input.checkpointer());
    }

    private static void checkpoint(RecordProcessorCheckpointer checkpointer) {
        try {
            checkpointer.checkpoint();
        } catch (ShutdownException leaseIsLost) {
            // Records since the last checkpoint come again to the next processor.
        } catch (InvalidStateException error) {
            throw new IllegalStateException(error);
        }
    }
}
