"""serverless-offline beside minikin, in two ways.

serverless-offline-kinesis hands the records of a stream to a function. The plugin lists the shards
once, when it starts, and reads a closed shard again and again. So the shards change between two
runs, and the second run may repeat records.

minikin's own mappings invoke the same function on serverless-offline's endpoint of Lambda.
"""

import json
import os
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import boto3
import processes
import streams
from runner import check, equal, main, until
from scenario import LONG, PrintedOutput, encode_text

WORK, NAME = sys.argv[1:]
START_SECONDS = 90
processes.bound_time(400)


def start(run, source="source"):
    """Starts the service; each run prints into a file of its own.

    The result is the process, what it prints, and the port of its endpoint of Lambda.
    """
    output = Path(f"{run}.out").absolute()
    output.touch()
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = [str(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    environment = {
        **os.environ, "OUTPUT": str(output), "HTTP_PORT": ports[0], "LAMBDA_PORT": ports[1],
        "SOURCE": source,
        "WEBSOCKET_PORT": ports[2], "SLS_TELEMETRY_DISABLED": "1", "SLS_NOTIFICATIONS_MODE": "off",
        # Newer versions of Node load the plugin in a way that its modules do not allow.
        "NODE_OPTIONS": "--no-experimental-require-module", "CI": "1",
    }
    process = processes.start(
        ["node", f"{WORK}/node_modules/serverless/bin/serverless.js", "offline", "start"],
        output=f"{run}.log", cwd=WORK, env=environment,
    )
    return process, PrintedOutput(output), ports[1]


def numbers_of(messages):
    found = {key: [] for key in streams.KEYS}
    for key, number in messages:
        found[key].append(number)
    return found


@check
def records_are_handed_over():
    """hands each record to the function, once and in the order of its key"""
    global process
    streams.create("source")
    process, output, _ = start("first")
    rounds = 100 if LONG else 20
    writer = streams.Writer("source", encode_text, lead=rounds + 5)
    until(output.messages, START_SECONDS)
    until(lambda: writer.rounds > rounds, START_SECONDS)
    written = writer.stop()
    count = sum(map(len, written.values()))
    until(lambda: len(output.messages()) >= count, START_SECONDS)
    equal(numbers_of(output.messages()), written)


@check
def a_split_is_followed_by_a_restart():
    """hands over the records of all shards, after a split and a restart"""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
    streams.split("source")
    writer = streams.Writer("source", encode_text)
    until(lambda: writer.rounds > 20)
    written = writer.stop()
    _, output, _ = start("second")

    def is_complete():
        found = numbers_of(output.messages())
        # Twice: once from each run of the writer. The first shard's may come more often.
        return all(
            found[key].count(number) >= 2
            for key, numbers in written.items() for number in numbers[:20]
        )

    until(is_complete, START_SECONDS)


def start_minikin(lambda_port):
    """Starts an emulator whose functions are all at serverless-offline, and returns its address."""
    processes.start(
        [
            os.environ["MINIKIN"], "serve", "--host", "127.0.0.1", "--port", "0", "--stream",
            "mapped:2", "--function", f"*=http://localhost:{lambda_port}", "--event-source",
            "mapped=conformance-dev-print?BatchSize=10", "--event-source",
            "mapped=conformance-dev-fail?MaximumRetryAttempts=1", "--event-source",
            "mapped=nobody",
        ],
        "minikin.out", "minikin.log",
    )
    listening = Path("minikin.out")
    until(lambda: "Ready." in listening.read_text())
    return "http://" + listening.read_text().split()[2].removeprefix("http://")


@check
def its_lambda_endpoint_is_invoked():
    """is invoked by minikin on its endpoint of Lambda; its errors and unknown names are told apart"""
    # A plugin that reads to the end of a closed shard ends the process: this stream is not split.
    streams.create("quiet")
    _, _, port = start("third", "quiet")

    def listens():
        try:
            socket.create_connection(("localhost", int(port))).close()
            return True
        except ConnectionRefusedError:
            return False

    until(listens, START_SECONDS)
    endpoint = start_minikin(port)

    def own(path, body=None):
        data = None if body is None else json.dumps(body).encode()
        url = f"{endpoint}/_minikin/event-sources{path}"
        with urllib.request.urlopen(url, data=data, timeout=60) as answer:
            return json.load(answer)

    def events(kind):
        return [each for each in own(f"/{mappings[kind]}/events")["events"] if each["Event"] == "outcome"]

    mappings = {
        each["FunctionArn"].rpartition("-")[2].rpartition(":")[2]: each["UUID"]
        for each in own("")["event_sources"]
    }
    kinesis = boto3.client("kinesis", endpoint_url=endpoint)
    texts = [f"mapped-{index} {index}" for index in range(50)]
    entries = [{"PartitionKey": text, "Data": text.encode()} for text in texts]
    equal(kinesis.put_records(StreamName="mapped", Records=entries)["FailedRecordCount"], 0)
    for name in ("print", "fail"):
        equal(own(f"/{mappings[name]}/drain", {"timeout_ms": 60_000})["drained"], True)
    lines = Path("third.out").read_text().splitlines()
    equal(sorted(line for line in lines if line.startswith("mapped-")), sorted(texts))
    equal({(each["Status"], each["Detail"]) for each in events("print")}, {(200, "success")})
    equal({(each["Status"], each["Detail"]) for each in events("fail")}, {(200, "function error")})
    failures = own(f"/{mappings['fail']}/failures")["failures"]
    errors = {each["Record"]["responseContext"]["functionError"] for each in failures}
    assert len(failures) >= 2
    equal(errors, {"Unhandled"})
    until(lambda: events("nobody"))
    equal({(each["Status"], each["Detail"]) for each in events("nobody")}, {(404, "not reached")})
    equal(own(f"/{mappings['nobody']}/failures")["failures"], [])


main(NAME)
