"""Debezium Server's Kinesis sink against minikin: the lines of a file become records of a stream."""

import glob
import json
import os
import sys

import processes
import streams
from runner import check, equal, main, until

WORK, NAME = sys.argv[1:]
LONG = os.environ.get("LONG") == "true"
STREAM = "lines"
LIMIT_SECONDS = 120
LINES_A_ROUND = 200

processes.bound_time(900 if LONG else 300)


def configure():
    settings = {
        "debezium.sink.type": "kinesis",
        "debezium.sink.kinesis.region": os.environ["AWS_REGION"],
        "debezium.sink.kinesis.endpoint": os.environ["ENDPOINT"],
        "debezium.source.connector.class":
            "org.apache.kafka.connect.file.FileStreamSourceConnector",
        "debezium.source.file": os.path.abspath("source.txt"),
        "debezium.source.topic": STREAM,
        "debezium.source.topic.prefix": "conformance",
        "debezium.source.offset.storage.file.filename": os.path.abspath("offsets"),
        "debezium.source.offset.flush.interval.ms": "0",
        "debezium.format.key": "json",
        "debezium.format.value": "json",
        "quarkus.http.host": "127.0.0.1",
        "quarkus.http.port": "0",
    }
    os.mkdir("conf")
    with open("conf/application.properties", "w") as file:
        file.writelines(f"{name}={value}\n" for name, value in settings.items())


def start():
    runner = glob.glob(f"{WORK}/debezium-server/debezium-server-*-runner.jar")[0]
    path = f"conf:{runner}:{WORK}/debezium-server/lib/*:{WORK}/connector/*"
    return processes.start(
        [*processes.JAVA, "-cp", path, "io.debezium.server.Main"], output="debezium.log"
    )


class Lines:
    """Numbered lines in the file, and the numbers of the records that they became."""

    def __init__(self):
        self.written = 0
        self.reader = streams.Reader(STREAM)

    def write(self):
        with open("source.txt", "a") as file:
            for number in range(self.written, self.written + LINES_A_ROUND):
                file.write(f"{number}\n")
        self.written += LINES_A_ROUND

    def numbers(self):
        return [int(json.loads(record["Data"])["payload"]) for record in self.reader.records()]

    def wait(self):
        def is_passed_on():
            assert process.poll() is None, f"Debezium ended with status {process.poll()}"
            return len(set(self.numbers())) >= self.written

        until(is_passed_on, LIMIT_SECONDS)


streams.create(STREAM)
open("source.txt", "w").close()
configure()
process = start()
lines = Lines()


@check
def passes_all_on():
    """passes on every line to a stream that is split and merged"""
    lines.write()
    lines.wait()
    for _ in range(3 if LONG else 1):
        for change in (streams.split, streams.merge):
            lines.write()
            change(STREAM)
            lines.write()
            lines.wait()


@check
def keeps_order():
    """passes on the lines in order, none of them twice"""
    # Lines have no key, so all records have the same one.
    equal(lines.numbers(), list(range(lines.written)))


main(NAME)
