package common;

/** One version of the Kinesis Client Library. */
public interface Library {
    /** Creates a stream and waits until it is ACTIVE. */
    Stream create(String streamName, int shards);

    /** Starts a worker of the application that is named like the stream. */
    Worker start(Stream stream, Mode mode, String workerName, Ledger ledger);

    enum Mode {
        POLLING("polling"),
        FAN_OUT("enhanced fan-out");

        public final String text;

        Mode(String text) {
            this.text = text;
        }
    }

    interface Worker {
        /** Asks the processors to checkpoint, gives the leases back, and ends. */
        void stop() throws Exception;

        /** Ends where it is; others find its leases expired. */
        void abandon() throws Exception;
    }
}
