"""Telegraf against minikin: its Kinesis input and output as a relay from stream to stream."""

import os
import re
import sys
from pathlib import Path

import processes
from runner import main
from scenario import LONG, Scenario, checks

WORK, NAME = sys.argv[1:]
processes.bound_time(900 if LONG else 300)

CONFIGURATION = """
[agent]
  interval = "1s"
  flush_interval = "500ms"
  omit_hostname = true

[[inputs.kinesis_consumer]]
  region = "us-east-1"
  endpoint_url = "{endpoint}"
  streamname = "source"
  shard_iterator_type = "TRIM_HORIZON"
  shard_update_interval = "1s"
  data_format = "influx"

[[outputs.kinesis]]
  region = "us-east-1"
  endpoint_url = "{endpoint}"
  streamname = "target"
  data_format = "influx"
  [outputs.kinesis.partition]
    method = "tag"
    key = "key"
"""


def encode(key, number):
    """A line of the Influx line protocol. The time is that of the message, so that none merge."""
    return f"message,key={key} number={number}i {number + 1}\n".encode()


def decode(data):
    found = re.findall(r"message,key=(\S+) number=(\d+)i", data.decode())
    return [(key, int(number)) for key, number in found]


def start():
    file = Path("telegraf.conf")
    file.write_text(CONFIGURATION.format(endpoint=os.environ["ENDPOINT"]))
    return processes.start([f"{WORK}/telegraf", file], output="telegraf.log")


checks(Scenario("source", "target", encode, decode), start)
main(NAME)
