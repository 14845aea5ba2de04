"""aws-kcl, the KCL for Node, against minikin: processors in Node under the daemon in Java."""

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
    settings = {
        "executableName": f"node {WORK}/processor.js",
        "applicationName": f"app-{stream}",
        "streamName": stream,
        "workerId": "worker",
        "kinesisEndpoint": os.environ["ENDPOINT"],
        "dynamoDBEndpoint": dynamodb.endpoint,
        "regionName": "us-east-1",
        "AwsCredentialsProvider": "DefaultCredentialsProvider",
        "initialPositionInStream": "TRIM_HORIZON",
        "metricsLevel": "NONE",
        "retrievalMode": mode,
        # The default times are made for fleets and hours.
        "failoverTimeMillis": 4000,
        "shardSyncIntervalMillis": 1000,
        "parentShardPollIntervalMillis": 500,
        **({"idleTimeBetweenReadsInMillis": 250} if mode == "POLLING" else {}),
    }
    file = Path(f"{stream}.properties")
    file.write_text("".join(f"{key} = {value}\n" for key, value in settings.items()))
    output = Path(f"{stream}.out").absolute()
    output.touch()
    return processes.start(
        [
            *processes.JAVA, "-cp", f"{WORK}/jars/*",
            "software.amazon.kinesis.multilang.MultiLangDaemon", "--properties-file", file,
        ],
        output=f"{stream}.log", env={**os.environ, "OUTPUT": str(output)},
    )


WAYS = {"POLLING": "polling", "FANOUT": "enhanced fan-out"}
for mode, way in WAYS.items() if LONG else [("FANOUT", WAYS["FANOUT"])]:
    checks(
        Scenario(mode.lower(), encode=encode_text),
        lambda mode=mode: start(mode.lower(), mode),
        way,
    )
main(NAME)
