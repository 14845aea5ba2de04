"""kcl-rs against minikin: one worker that polls, and one with enhanced fan-out."""

import os
import sys
from pathlib import Path

import processes
from dynamodb_local import DynamoDbLocal
from runner import main
from scenario import LONG, Scenario, checks, encode_text

WORK, NAME = sys.argv[1:]
processes.bound_time(900 if LONG else 400)
dynamodb = DynamoDbLocal(f"{WORK}/../dynamodb-local/jars")


def start(stream, mode):
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL_KINESIS": os.environ["ENDPOINT"],
        "AWS_ENDPOINT_URL_DYNAMODB": dynamodb.endpoint,
        # DynamoDB Local refuses what the worker reports here, and nothing leaves the machine.
        "AWS_ENDPOINT_URL_CLOUDWATCH": dynamodb.endpoint,
    }
    worker = Path(__file__).with_name("worker.py")
    return processes.start(
        [f"{WORK}/venv/bin/python", worker, stream, mode],
        output=f"{stream}.out", errors=f"{stream}.log", env=environment,
    )


for mode, way in {"POLLING": "polling", "FANOUT": "enhanced fan-out"}.items():
    stream = mode.lower()
    checks(
        Scenario(stream, encode=encode_text),
        lambda stream=stream, mode=mode: start(stream, mode),
        way,
    )
main(NAME)
