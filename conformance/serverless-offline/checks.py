"""serverless-offline-kinesis against minikin: it hands the records of a stream to a function.

The plugin lists the shards once, when it starts, and reads a closed shard again and again. So the
shards change between two runs, and the second run may repeat records.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path

import processes
import streams
from runner import check, equal, main, until
from scenario import LONG, PrintedOutput, encode_text

WORK, NAME = sys.argv[1:]
START_SECONDS = 90
processes.bound_time(400)


def start(run):
    """Starts the service; each run prints into a file of its own."""
    output = Path(f"{run}.out").absolute()
    output.touch()
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = [str(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    environment = {
        **os.environ, "OUTPUT": str(output), "HTTP_PORT": ports[0], "LAMBDA_PORT": ports[1],
        "WEBSOCKET_PORT": ports[2], "SLS_TELEMETRY_DISABLED": "1", "SLS_NOTIFICATIONS_MODE": "off",
        # Newer versions of Node load the plugin in a way that its modules do not allow.
        "NODE_OPTIONS": "--no-experimental-require-module", "CI": "1",
    }
    process = processes.start(
        ["node", f"{WORK}/node_modules/serverless/bin/serverless.js", "offline", "start"],
        output=f"{run}.log", cwd=WORK, env=environment,
    )
    return process, PrintedOutput(output)


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
    process, output = start("first")
    writer = streams.Writer("source", encode_text, lead=25)
    until(output.messages, START_SECONDS)
    until(lambda: writer.rounds > (200 if LONG else 20))
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
    _, output = start("second")

    def is_complete():
        found = numbers_of(output.messages())
        # Twice: once from each run of the writer. The first shard's may come more often.
        return all(
            found[key].count(number) >= 2
            for key, numbers in written.items() for number in numbers[:20]
        )

    until(is_complete, START_SECONDS)


main(NAME)
