"""An application of the KCL for Python: its daemon, in Java, and the record processors it starts."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import processes

HERE = Path(__file__).parent
# The default times are made for fleets and hours.
HURRY = {
    "failoverTimeMillis": 4000,
    "leaseAssignmentIntervalMillis": 1000,
    "shardSyncIntervalMillis": 1000,
    "parentShardPollIntervalMillis": 500,
    "workerMetricsReporterFreqInMillis": 1000,
}


class Application:
    """One worker of an application; two of the same name share its leases."""

    def __init__(self, name, stream, endpoint, dynamodb, worker="worker", java=(), **properties):
        self.name = name
        label = f"{name}-{worker}"
        self.events_folder = Path(f"{label}.events").absolute()
        self.events_folder.mkdir()
        self.reported = {}
        self.killed = False
        self.log = f"{label}.log"
        processor = Path(f"{label}.sh").absolute()
        processor.write_text(
            f"#!/bin/sh\nexec {shlex.join([sys.executable, str(HERE / 'record_processor.py')])}\n"
        )
        processor.chmod(0o755)
        settings = {
            "executableName": processor,
            "applicationName": name,
            "streamName": stream,
            "workerId": worker,
            "kinesisEndpoint": endpoint,
            "dynamoDBEndpoint": dynamodb,
            "regionName": "us-east-1",
            "AwsCredentialsProvider": "DefaultCredentialsProvider",
            "initialPositionInStream": "TRIM_HORIZON",
            "metricsLevel": "NONE",
            "disableWorkerMetrics": "true",
            **HURRY,
            **properties,
        }
        file = Path(f"{label}.properties")
        file.write_text("".join(f"{key} = {value}\n" for key, value in settings.items()))
        self.process = processes.start(
            command(["java", "-Xmx256m", *java], file),
            output=self.log,
            env={**os.environ, "EVENTS": str(self.events_folder)},
        )

    def events(self):
        """The events that the record processors have reported, in the order of their times."""
        assert self.killed or self.process.poll() is None, f"the daemon ended; see {self.log}"
        for path in self.events_folder.iterdir():
            if path not in self.reported:
                self.reported[path] = (path.open(), [])
            file, events = self.reported[path]
            while True:
                place = file.tell()
                line = file.readline()
                if not line.endswith("\n"):
                    # The line is still being written.
                    file.seek(place)
                    break
                events.append(json.loads(line))
        every = [event for _, events in self.reported.values() for event in events]
        return sorted(every, key=lambda event: event["time"])

    def kill(self):
        """Ends the worker as a crash of its machine would."""
        self.killed = True
        self.process.kill()
        self.process.wait()


def command(java, properties):
    """The command that the package's helper prints."""
    helper = Path(sys.executable).with_name("amazon_kclpy_helper.py")
    printed = subprocess.run(
        [
            sys.executable, helper, "--print_command",
            "--java", shlex.join(java), "--properties", properties,
        ],
        check=True, capture_output=True, text=True,
    )
    return shlex.split(printed.stdout)


def of(events, name):
    return [event for event in events if event["event"] == name]
