"""Apache Beam against minikin: a pipeline from stream to stream, polling and with fan-out.

Beam promises no order, neither between bundles nor within one: only completeness is checked.

The runner for one process closes a reader at random and continues with a new one. The new reader
subscribes to the shard again at once. The service refuses this for five seconds, which ends the
pipeline (apache/beam#26293). The emulator therefore runs without this limit (file `flags`).
"""

import os
import sys

import processes
import streams
from runner import main
from scenario import LONG, Scenario, checks, decode_text, encode_text

WORK, NAME = sys.argv[1:]
processes.bound_time(900 if LONG else 500)


def start(source, target, fan_out):
    consumer = []
    if fan_out:
        answer = streams.kinesis.register_stream_consumer(
            StreamARN=streams.arn_of(source), ConsumerName="beam"
        )
        consumer = [answer["Consumer"]["ConsumerARN"]]
    return processes.start(
        [
            *processes.JAVA, "-Xmx768m", "-cp", f"{WORK}/classes:{WORK}/jars/*", "Relay",
            os.environ["ENDPOINT"], source, target, *consumer,
        ],
        output=f"{source}.log",
    )


for way, fan_out in {"polling": False, "enhanced fan-out": True}.items():
    source, target = ("fanned", "fanned-target") if fan_out else ("polled", "polled-target")
    checks(
        # The runner for one process passes on ten records at a time.
        Scenario(source, target, encode_text, decode_text, lead=5),
        lambda source=source, target=target, fan_out=fan_out: start(source, target, fan_out),
        way, in_order=False,
    )
main(NAME)
