"""A producer: the library in a JVM of its own, which starts the native daemon."""

import base64
import subprocess
from collections import namedtuple
from pathlib import Path

import processes

Put = namedtuple("Put", "key hash_key data")
# The outcome of a user record; `errors` are the errors of its failed attempts.
Result = namedtuple("Result", "ok shard sequence errors")


class Producer:
    """Puts user records into a stream until it is closed."""

    count = 0

    def __init__(self, work, stream, address, **properties):
        Producer.count += 1
        label = f"producer-{Producer.count}"
        self.log = f"{label}.log"
        host, port = address.split(":")
        settings = {
            "KinesisEndpoint": host,
            "KinesisPort": port,
            "Region": "us-east-1",
            "MetricsLevel": "none",
            # No server listens there: a request to another service would be an error in the log.
            "CloudwatchEndpoint": "127.0.0.1",
            "CloudwatchPort": 1,
            "StsEndpoint": "127.0.0.1",
            "StsPort": 1,
            # The KPL otherwise omits explicit hash keys until it knows the stream's strategy.
            "RecordDistributionStrategyDefault": "USER_PARTITION_KEY",
            # The daemon is unpacked only once.
            "TempDirectory": f"{work}/daemon",
            **properties,
        }
        Path(work, "daemon").mkdir(exist_ok=True)
        file = Path(f"{label}.properties")
        file.write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
        self.results_file = Path(f"{label}.results")
        self.process = processes.start(
            ["java", "-Xmx512m", "-cp", f"{work}/producer:{work}/producer/*", "Produce", stream, str(file)],
            output=self.results_file, errors=self.log, stdin=subprocess.PIPE,
        )
        self.puts = []

    def put(self, key, data, hash_key=None):
        self.puts.append(Put(key, hash_key, data))
        line = f"{key}\t{'' if hash_key is None else hash_key}\t{base64.b64encode(data).decode()}\n"
        self.process.stdin.write(line.encode())

    def flush(self):
        """Hands over what was put, which need not be in then."""
        self.process.stdin.flush()

    def results(self):
        """The results so far, in the order of the puts."""
        lines = self.results_file.read_text().rpartition("\n")[0]
        results = []
        for line in lines.splitlines():
            ok, shard, sequence, errors = line.split("\t")
            results.append(Result(ok == "true", shard, sequence, errors.split(",") if errors else []))
        return results

    def close(self, seconds=60):
        """Waits until everything is in, or has failed; each record and what became of it."""
        self.process.stdin.close()
        status = self.process.wait(seconds)
        assert status == 0, f"the producer ended with status {status}; see {self.log}"
        results = self.results()
        assert len(results) == len(self.puts), f"{len(results)} results of {len(self.puts)}"
        return list(zip(self.puts, results))
