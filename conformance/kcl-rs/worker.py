"""A worker of kcl-rs that prints each record: worker.py STREAM MODE.

The library has one option for the endpoint of all services. Its SDK also reads the variables
AWS_ENDPOINT_URL_KINESIS and AWS_ENDPOINT_URL_DYNAMODB, which name one endpoint each.
"""

import sys

from kcl_rs import RecordProcessorBase, Scheduler

STREAM, MODE = sys.argv[1:]


class Printer(RecordProcessorBase):
    def initialize(self, initialize_input):
        pass

    def process_records(self, process_records_input):
        # Write all lines at once: the library runs the processors of other shards in other threads.
        lines = [record.data.decode() + "\n" for record in process_records_input.records]
        sys.stdout.write("".join(lines))
        sys.stdout.flush()
        process_records_input.checkpointer.checkpoint()

    def lease_lost(self, lease_lost_input):
        pass

    def shard_ended(self, shard_ended_input):
        shard_ended_input.checkpointer.checkpoint()

    def shutdown_requested(self, shutdown_requested_input):
        shutdown_requested_input.checkpointer.checkpoint()


Scheduler(
    stream_name=STREAM, application_name=f"app-{STREAM}", record_processor_factory=Printer,
    worker_identifier="worker", region="us-east-1", initial_position="TRIM_HORIZON",
    retrieval_mode=MODE, shard_sync_interval_millis=1000,
    **({"idle_time_between_reads_millis": 250} if MODE == "POLLING" else {}),
).run()
