"""aiokpl against minikin: it aggregates records by the shards that it predicts."""

import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import processes
import streams
from runner import check, equal, main
from scenario import LONG

WORK, NAME = sys.argv[1:]
SECONDS = 30 if LONG else 3
PYTHON = f"{WORK}/venv/bin/python"
processes.bound_time(2 * SECONDS + 200)
user_records = []


@check
def every_record_is_found():
    """puts every record, before and after a split and a merge"""
    streams.create("stream")
    # aiokpl 0.2.0 does not list the shards again when a record comes to a shard that it does not
    # know: it puts the record again and again. So the shards change between two producers.
    rounds = [produce(0)]
    streams.split("stream")
    streams.merge("stream")
    rounds.append(produce(rounds[0]))
    records = streams.Reader("stream").records()
    user_records.extend(take_apart(records))
    equal(len(set(user_records)), rounds[-1] * len(streams.KEYS))
    assert len(records) < len(user_records) / 2, "nothing was aggregated"


@check
def each_key_is_in_order():
    """puts the records of each key in order, none of them twice"""
    by_key = defaultdict(list)
    for key, number in user_records:
        by_key[key].append(number)
    equal(by_key.keys(), set(streams.KEYS))
    for numbers in by_key.values():
        equal(numbers, list(range(len(numbers))))


def produce(first):
    """Runs a producer, and gives the number after its last."""
    script = Path(__file__).with_name("produce.py")
    printed = subprocess.run(
        [PYTHON, script, "stream", str(first), str(SECONDS)],
        check=True, stdout=subprocess.PIPE, timeout=SECONDS + 60,
    )
    return int(printed.stdout)


def take_apart(records):
    """The user records, as the aggregation library finds them."""
    printed = subprocess.run(
        [PYTHON, Path(__file__).with_name("take_apart.py")],
        input=b"".join(record["Data"].hex().encode() + b"\n" for record in records),
        check=True, capture_output=True,
    )
    for line in printed.stdout.decode().splitlines():
        key, number = line.split()
        yield key, int(number)


main(NAME)
