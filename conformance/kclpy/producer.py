"""Writes numbered records to a stream, and remembers them."""

import itertools
import threading

KEYS = [f"key-{index}" for index in range(40)]


class Producer:
    """Puts records of all keys until it is stopped.

    A key's next record is put only when the one before is in, so that their order is known.
    """

    def __init__(self, kinesis, stream, pause_seconds=0.25):
        self.kinesis = kinesis
        self.stream = stream
        self.pause_seconds = pause_seconds
        # For each key, the sequence numbers in the order of the records.
        self.put = {key: [] for key in KEYS}
        self.error = None
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            for number in itertools.count():
                self.put_round(number)
                if self.stopping.wait(self.pause_seconds):
                    return
        except Exception as error:
            self.error = error

    def put_round(self, number):
        waiting = KEYS
        while waiting:
            entries = [{"PartitionKey": key, "Data": str(number).encode()} for key in waiting]
            results = self.kinesis.put_records(StreamName=self.stream, Records=entries)["Records"]
            for key, result in zip(waiting, results):
                if "ErrorCode" not in result:
                    self.put[key].append(result["SequenceNumber"])
            waiting = [key for key, result in zip(waiting, results) if "ErrorCode" in result]

    def stop(self):
        """Stops the producer. Returns everything that was put."""
        self.stopping.set()
        self.thread.join()
        if self.error:
            raise self.error
        return self.put
