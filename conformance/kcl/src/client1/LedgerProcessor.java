package client1;

import com.amazonaws.services.kinesis.clientlibrary.exceptions.InvalidStateException;
import com.amazonaws.services.kinesis.clientlibrary.exceptions.ShutdownException;
import com.amazonaws.services.kinesis.clientlibrary.exceptions.ThrottlingException;
import com.amazonaws.services.kinesis.clientlibrary.interfaces.IRecordProcessorCheckpointer;
import com.amazonaws.services.kinesis.clientlibrary.interfaces.v2.IRecordProcessor;
import com.amazonaws.services.kinesis.clientlibrary.interfaces.v2.IShutdownNotificationAware;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.ShutdownReason;
import com.amazonaws.services.kinesis.clientlibrary.types.InitializationInput;
import com.amazonaws.services.kinesis.clientlibrary.types.ProcessRecordsInput;
import com.amazonaws.services.kinesis.clientlibrary.types.ShutdownInput;
import com.amazonaws.services.kinesis.model.Record;
import common.Ledger;
import common.Message;
import java.nio.charset.StandardCharsets;

/** Enters all that a processor meets into the ledger. */
final class LedgerProcessor implements IRecordProcessor, IShutdownNotificationAware {
    private final Ledger.Processor ledger;

    LedgerProcessor(Ledger.Processor ledger) {
        this.ledger = ledger;
    }

    @Override
    public void initialize(InitializationInput input) {
        ledger.begin(input.getShardId());
    }

    @Override
    public void processRecords(ProcessRecordsInput input) {
        for (Record record : input.getRecords()) {
            String text = StandardCharsets.UTF_8.decode(record.getData()).toString();
            ledger.process(Message.parse(text));
        }
        checkpoint(input.getCheckpointer());
    }

    @Override
    public void shutdown(ShutdownInput input) {
        // At any other end the next processor goes on where this one wrote its last checkpoint.
        if (input.getShutdownReason() == ShutdownReason.TERMINATE) {
            ledger.end();
            checkpoint(input.getCheckpointer());
        }
    }

    @Override
    public void shutdownRequested(IRecordProcessorCheckpointer checkpointer) {
        checkpoint(checkpointer);
    }

    private static void checkpoint(IRecordProcessorCheckpointer checkpointer) {
        try {
            checkpointer.checkpoint();
        } catch (ShutdownException leaseIsLost) {
            // Records since the last checkpoint come again to the next processor.
        } catch (InvalidStateException | ThrottlingException error) {
            throw new IllegalStateException(error);
        }
    }
}
