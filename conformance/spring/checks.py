"""The Kinesis binder of Spring Cloud Stream against minikin: a function from stream to stream."""

import os
import sys

import processes
from dynamodb_local import DynamoDbLocal
from runner import main
from scenario import LONG, Scenario, checks

WORK, NAME = sys.argv[1:]
processes.bound_time(900 if LONG else 300)
dynamodb = DynamoDbLocal(f"{WORK}/../dynamodb-local/jars")


def start():
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL_KINESIS": os.environ["ENDPOINT"],
        "AWS_ENDPOINT_URL_DYNAMODB": dynamodb.endpoint,
    }
    return processes.start(
        [*processes.JAVA, "-cp", f"{WORK}/classes:{WORK}/jars/*", "relay.Relay"],
        output="spring.log", env=environment,
    )


checks(Scenario("source", "target"), start)
main(NAME)
