"""Clients of both servers, and what checks do with them again and again."""

import json
import os
import urllib.request
import uuid

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from runner import equal

ENDPOINT = os.environ["ENDPOINT"]
TLS_ENDPOINT = os.environ["TLS_ENDPOINT"]
VIRTUAL_ENDPOINT = os.environ["VIRTUAL_ENDPOINT"]
CA_FILE = os.environ["CA_FILE"]

# No retries: they would hide errors of the server.
STRICT = Config(retries={"total_max_attempts": 1}, parameter_validation=False)


def connect(endpoint=ENDPOINT, region="us-east-1", config=STRICT, **more):
    return boto3.client("kinesis", endpoint_url=endpoint, region_name=region, config=config, **more)


kinesis = connect()


def create_stream(shards=2, client=kinesis):
    """A new stream that is ACTIVE; its name."""
    name = f"stream-{uuid.uuid4().hex[:12]}"
    client.create_stream(StreamName=name, ShardCount=shards)
    client.get_waiter("stream_exists").wait(StreamName=name)
    return name


def shard_ids(name, client=kinesis):
    return [shard["ShardId"] for shard in client.list_shards(StreamName=name)["Shards"]]


def read(name, shard_id, type="TRIM_HORIZON", client=kinesis, limit=None, **position):
    """Reads a shard from a position to its tip, or to its end if it is closed, page by page."""
    iterator = client.get_shard_iterator(
        StreamName=name, ShardId=shard_id, ShardIteratorType=type, **position
    )["ShardIterator"]
    records = []
    while iterator:
        page = client.get_records(ShardIterator=iterator, **({"Limit": limit} if limit else {}))
        records += page["Records"]
        if page["MillisBehindLatest"] == 0:
            break
        iterator = page.get("NextShardIterator")
    return records


def read_all(name, client=kinesis):
    return [record for shard in shard_ids(name, client) for record in read(name, shard, client=client)]


def advance_clock(milliseconds):
    body = json.dumps({"advance_ms": milliseconds}).encode()
    urllib.request.urlopen(f"{VIRTUAL_ENDPOINT}/_minikin/clock", body, timeout=10).close()


def refused(exception, message, call, **arguments):
    """Makes a call that must fail with this exception and text."""
    try:
        call(**arguments)
    except ClientError as error:
        equal(error.response["Error"]["Code"], exception)
        equal(error.response["Error"]["Message"], message)
        equal(error.response["ResponseMetadata"]["HTTPStatusCode"], 400)
        # Exceptions of the model are classes of the client, for `except` clauses.
        if hasattr(kinesis.exceptions, exception):
            equal(type(error).__name__, exception)
        return
    raise AssertionError(f"no {exception}")
