"""A client reads a stream that is written, split and merged meanwhile, and passes each record on.

It passes the records on to a second stream, which is split meanwhile too, or prints them.
"""

import json
import os
from collections import defaultdict

import streams
from runner import check, until

# The default times of consumers are made for fleets: some wait half a minute before they start.
LIMIT_SECONDS = 120
LONG = os.environ.get("LONG") == "true"


def encode_json(key, number):
    return json.dumps({"key": key, "number": number}).encode()


def decode_json(data):
    message = json.loads(data)
    return [(message["key"], message["number"])]


def encode_text(key, number):
    """The line that a client prints for the record."""
    return f"{key} {number}".encode()


def decode_text(data):
    key, number = data.decode().split()
    return [(key, int(number))]


class StreamOutput:
    """Records that the client put into a stream."""

    def __init__(self, stream, decode):
        self.reader = streams.Reader(stream)
        self.decode = decode

    def messages(self):
        return [
            message for record in self.reader.records() for message in self.decode(record["Data"])
        ]


class PrintedOutput:
    """Lines `KEY NUMBER` that the client printed into a file, among others."""

    def __init__(self, path):
        self.path = path

    def messages(self):
        found = []
        with open(self.path) as file:
            for line in file:
                key, _, number = line.strip().rpartition(" ")
                if line.endswith("\n") and key in streams.KEYS and number.isdigit():
                    found.append((key, int(number)))
        return found


class Scenario:
    """Runs a client once; the checks look at what it passed on."""

    def __init__(self, source, target=None, encode=encode_json, decode=decode_json, lead=50):
        self.source = source
        self.target = target
        self.encode = encode
        self.decode = decode
        self.lead = lead
        self.written = None
        self.numbers = None

    def run(self, start):
        """`start()` starts the client after the streams exist, and gives its process.

        The client prints into the file `SOURCE.out` if there is no target.
        """
        streams.create(self.source)
        if self.target:
            streams.create(self.target)
        process = start()
        self.output = (
            StreamOutput(self.target, self.decode)
            if self.target
            else PrintedOutput(f"{self.source}.out")
        )
        writer = streams.Writer(self.source, self.encode, self.lead)
        self.process = process
        self.wait_for_round(writer)
        for _ in range(3 if LONG else 1):
            self.reshard(writer)
        self.written = writer.stop()
        until(self.is_complete, LIMIT_SECONDS)

    def reshard(self, writer):
        streams.split(self.source)
        if self.target:
            streams.split(self.target)
        self.wait_for_round(writer)
        streams.merge(self.source)
        self.wait_for_round(writer)

    def wait_for_round(self, writer):
        """Waits until a record of each key that is written from now on was passed on."""
        next_round = writer.rounds + 1

        def is_passed_on():
            if writer.error:
                raise writer.error
            numbers = self.read()
            writer.passed_on = min(max(numbers[key], default=-1) for key in streams.KEYS)
            return writer.passed_on >= next_round

        until(is_passed_on, LIMIT_SECONDS)

    def read(self):
        assert self.process.poll() is None, f"the client ended with status {self.process.poll()}"
        self.numbers = defaultdict(list)
        for key, number in self.output.messages():
            self.numbers[key].append(number)
        return self.numbers

    def is_complete(self):
        numbers = self.read()
        return all(set(numbers[key]) >= set(self.written[key]) for key in streams.KEYS)


def checks(scenario, start, way=None, in_order=True):
    """Registers the checks of a scenario; `way` tells apart several scenarios of a client.

    A client that promises no order is checked with `in_order=False`: each record passes once.
    """
    suffix = f" ({way})" if way else ""

    def passes_all_on():
        scenario.run(start)

    def is_in_order():
        assert scenario.written is not None, "the client did not pass everything on"
        for key, written in scenario.written.items():
            numbers = scenario.numbers[key]
            if not in_order:
                numbers = sorted(numbers)
            assert numbers == written, f"{key}: {first_difference(numbers, written)}"

    passes_all_on.__doc__ = "passes on every record of a stream that is split and merged" + suffix
    is_in_order.__doc__ = (
        "passes on the records of each key in order, none of them twice" if in_order
        else "passes on no record twice"
    ) + suffix
    check(passes_all_on)
    check(is_in_order)


def first_difference(numbers, written):
    for index, expected in enumerate(written):
        if index >= len(numbers) or numbers[index] != expected:
            return f"{numbers[index:index + 5]} instead of {written[index:index + 5]}, at {index}"
    return f"{numbers[len(written):][:5]} beyond the last one"
