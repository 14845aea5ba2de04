"""Apache Flink against minikin: a job from stream to stream, polling and with enhanced fan-out.

The source begins with the children of a shard before it has read the shard to its end, so it
promises no order across a split: only completeness is checked.
"""

import os
import sys

import processes
from runner import main
from scenario import LONG, Scenario, checks, decode_text, encode_text

WORK, NAME = sys.argv[1:]
processes.bound_time(900 if LONG else 500)


def start(source, target, publisher):
    return processes.start(
        [
            *processes.JAVA, "-Xmx768m",
            "--add-opens=java.base/java.util=ALL-UNNAMED",
            "--add-opens=java.base/java.lang=ALL-UNNAMED",
            "-cp", f"{WORK}/classes:{WORK}/jars/*", "Relay",
            os.environ["ENDPOINT"], source, target, publisher,
        ],
        output=f"{source}.log",
    )


for way, publisher in {"polling": "POLLING", "enhanced fan-out": "EFO"}.items():
    source = publisher.lower()
    checks(
        Scenario(source, f"{source}-target", encode_text, decode_text),
        lambda source=source, publisher=publisher: start(source, f"{source}-target", publisher),
        way, in_order=False,
    )
main(NAME)
