"""A record processor as users write it, which tells what happens to it.

The daemon starts one process of this for each shard. Each writes a file of its own into the folder
EVENTS; a line is an event, with the time at which it was written.
"""

import json
import os
import time
import uuid

from amazon_kclpy import kcl
from amazon_kclpy.v3 import processor


class RecordProcessor(processor.RecordProcessorBase):
    def __init__(self):
        self.shard = None
        self.file = open(os.path.join(os.environ["EVENTS"], uuid.uuid4().hex), "w")

    def tell(self, event, **more):
        # The machine's clock for intervals is the same in all processes.
        line = {"event": event, "shard": self.shard, "time": time.monotonic_ns(), **more}
        self.file.write(json.dumps(line) + "\n")
        self.file.flush()

    def initialize(self, initialize_input):
        self.shard = initialize_input.shard_id
        self.tell("initialized", after=initialize_input.sequence_number)

    def process_records(self, process_records_input):
        records = [
            {
                "key": record.partition_key,
                "data": record.binary_data.decode(),
                "sequence": record.sequence_number,
                "sub": record.sub_sequence_number,
                "arrived": record.timestamp_millis,
            }
            for record in process_records_input.records
        ]
        self.tell("records", records=records, behind=process_records_input.millis_behind_latest)
        process_records_input.checkpointer.checkpoint()
        self.tell("checkpointed")

    def lease_lost(self, lease_lost_input):
        self.tell("lease lost")

    def shard_ended(self, shard_ended_input):
        # Before the checkpoint, which lets the children begin.
        self.tell("ended")
        shard_ended_input.checkpointer.checkpoint()

    def shutdown_requested(self, shutdown_requested_input):
        shutdown_requested_input.checkpointer.checkpoint()
        self.tell("shut down")


if __name__ == "__main__":
    kcl.KCLProcess(RecordProcessor()).run()
