"""Channels: boto3 creates them, and reads the objects back from a local directory and from moto's S3,
a server that verifies no signature but speaks S3, and that is killed and comes back."""

import gzip
import json
import os
import socket
import sys
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import boto3
import processes
import zstandard
from botocore.config import Config
from botocore.exceptions import ClientError, WaiterError
from runner import check, equal, main, until

WORK, NAME = sys.argv[1:]
processes.bound_time(300)
ACCOUNT = "000000000000"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def start_minikin(name, *arguments):
    """Starts an emulator of our own, and returns its address."""
    credential = f"{os.environ['AWS_ACCESS_KEY_ID']}:{os.environ['AWS_SECRET_ACCESS_KEY']}"
    output = Path(f"{name}.out")
    processes.start(
        [os.environ["MINIKIN"], "--port", "0", "--auth", "verify", *arguments], output,
        f"{name}.log", env={**os.environ, "MINIKIN_CREDENTIAL": credential},
    )
    until(lambda: output.exists() and "Ready." in output.read_text())
    return "http://" + output.read_text().split()[2]


def start_s3():
    """Starts moto's server, and waits until it answers."""
    server = processes.start(
        [f"{WORK}/venv/bin/moto_server", "-H", "127.0.0.1", "-p", str(S3_PORT)], "moto.log"
    )

    def answers():
        try:
            return s3.list_buckets()["ResponseMetadata"]["HTTPStatusCode"] == 200
        except Exception:
            return False

    until(answers)
    return server


def kinesis_at(endpoint):
    return boto3.client("kinesis", endpoint_url=endpoint)


def create(kinesis, bucket, record_format="JSON", **storage):
    """Creates a stream and an ACTIVE channel: the stream's name, and the channel's."""
    name = f"channel-{uuid.uuid4().hex[:12]}"
    kinesis.create_stream(StreamName=name, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    kinesis.get_waiter("stream_exists").wait(StreamName=name)
    stream = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    created = kinesis.create_channel(
        ChannelName=name,
        ServiceExecutionRoleARN=f"arn:aws:iam::{ACCOUNT}:role/delivery",
        StreamConfigurationList=[{
            "StreamARN": stream["StreamARN"],
            "RecordConfiguration": {"RecordFormatType": record_format},
        }],
        S3DestinationConfiguration={"StorageConfiguration": {
            "BucketARN": f"arn:aws:s3:::{bucket}",
            "ExpectedBucketOwner": ACCOUNT,
            "CompressionType": "NONE",
            **storage,
        }},
    )
    arn = created["ChannelDescription"]["ChannelARN"]
    kinesis.get_waiter("channel_active").wait(ChannelARN=arn, WaiterConfig={"Delay": 1})
    return name, arn


def put(kinesis, stream, payloads):
    entries = [{"PartitionKey": str(at), "Data": data} for at, data in enumerate(payloads)]
    equal(kinesis.put_records(StreamName=stream, Records=entries)["FailedRecordCount"], 0)


def flush(endpoint, channel):
    request = urllib.request.Request(f"{endpoint}/_minikin/channels/{channel}/flush", method="POST")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def files_below(folder):
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def objects_in(bucket):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def lines(objects, prefix=""):
    bodies = [body for key, body in objects.items() if key.startswith(prefix)]
    return sorted(line for body in bodies for line in body.split(b"\n") if line)


def documents(count, start=0):
    return [json.dumps({"order": number}).encode() for number in range(start, start + count)]


FOLDER = Path("buckets").absolute()
S3_PORT = free_port()
S3_ENDPOINT = f"http://127.0.0.1:{S3_PORT}"
s3 = boto3.client("s3", endpoint_url=S3_ENDPOINT, config=Config(s3={"addressing_style": "path"}))
s3_server = start_s3()
local = start_minikin("local", "--channels-s3-local-dir", str(FOLDER))
remote = start_minikin("remote", "--profile", "fast", "--channels-s3-endpoint", S3_ENDPOINT)
unset = start_minikin("unset")


@check
def a_directory_receives_every_record():
    """delivers every record of a stream to a local directory, under the default key"""
    kinesis = kinesis_at(local)
    name, arn = create(kinesis, "plain")
    payloads = documents(400)
    put(kinesis, name, payloads)
    equal(flush(local, name), 204)
    files = files_below(FOLDER / "plain")
    equal(lines(files), sorted(payloads))
    identity = arn.rsplit("/", 1)[1]
    for key in files:
        assert key.startswith(f"kinesis-channel/{name}/{identity}/20"), key
        assert key.endswith(".json"), key


@check
def compressed_objects_are_read_by_others():
    """writes gzip and Zstandard that other readers unpack, and templates of keys"""
    kinesis = kinesis_at(local)
    readers = {"GZIP": gzip.decompress, "ZSTD": lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body)}
    for compression, unpack in readers.items():
        bucket = compression.lower()
        name, _ = create(
            kinesis, bucket, "STRING", CompressionType=compression,
            OutputKeyTemplate="year=!{yyyy}/month=!{MM}/!{channel-name}!{extension}",
        )
        put(kinesis, name, [f"text {number}".encode() for number in range(200)])
        equal(flush(local, name), 204)
        ((key, body),) = files_below(FOLDER / bucket).items()
        assert key.startswith("year=20") and ".txt." in key, key
        equal(len(lines({key: unpack(body)})), 200)


@check
def invalid_records_are_listed():
    """lists records that are no JSON below the error prefix, and delivers the others"""
    kinesis = kinesis_at(local)
    name, arn = create(kinesis, "letters")
    put(kinesis, name, [b"{", *documents(3), b"\xff"])
    equal(flush(local, name), 204)
    files = files_below(FOLDER / "letters")
    equal(lines(files, "kinesis-channel/"), documents(3))
    letters = [json.loads(line) for line in lines(files, "kinesis-channel-errors/")]
    equal(sorted(letter["errorCode"] for letter in letters), ["InvalidJson", "InvalidUtf8"])
    equal({letter["channelArn"] for letter in letters}, {arn})


@check
def an_s3_server_receives_every_record():
    """delivers every record to moto's S3, with the storage class as a header"""
    s3.create_bucket(Bucket="remote")
    kinesis = kinesis_at(remote)
    name, _ = create(kinesis, "remote", StorageClass="INTELLIGENT_TIERING")
    payloads = documents(400)
    put(kinesis, name, payloads)
    equal(flush(remote, name), 204)
    objects = objects_in("remote")
    equal(lines(objects), sorted(payloads))
    for key in objects:
        equal(s3.head_object(Bucket="remote", Key=key)["StorageClass"], "INTELLIGENT_TIERING")


@check
def large_objects_are_sent_in_parts():
    """sends an object of several megabytes whose key has characters that a URL encodes"""
    s3.create_bucket(Bucket="large")
    kinesis = kinesis_at(remote)
    name, _ = create(
        kinesis, "large", "BYTE_ARRAY", OutputKeyTemplate="a=b/(c)'!*/!{channel-name}!{extension}"
    )
    body = os.urandom(1 << 20)
    for _ in range(6):
        put(kinesis, name, [body[:900_000]])
    equal(flush(remote, name), 204)
    objects = objects_in("large")
    equal(b"".join(objects.values()), body[:900_000] * 6)
    assert all(key.startswith("a=b/(c)'!*/channel-") for key in objects), list(objects)


@check
def a_server_that_comes_back_receives_what_waited():
    """keeps the records while the S3 server is killed, and delivers them when it is back"""
    global s3_server
    s3.create_bucket(Bucket="killed")
    kinesis = kinesis_at(remote)
    name, _ = create(kinesis, "killed")
    put(kinesis, name, documents(100))
    equal(flush(remote, name), 204)
    equal(lines(objects_in("killed")), sorted(documents(100)))
    s3_server.kill()
    s3_server.wait()
    put(kinesis, name, documents(100, 100))
    equal(flush(remote, name), 409)
    put(kinesis, name, documents(100, 200))
    # moto keeps its buckets in memory, so the new one has none.
    s3_server = start_s3()
    equal(flush(remote, name), 409)
    s3.create_bucket(Bucket="killed")
    equal(flush(remote, name), 204)
    equal(lines(objects_in("killed")), sorted(documents(200, 100)))


@check
def a_channel_that_cannot_deliver_fails():
    """fails a channel without a configured destination, and one whose bucket does not exist"""
    for endpoint, reason in [(unset, "channels.s3"), (remote, "no-such-bucket")]:
        kinesis = kinesis_at(endpoint)
        try:
            create(kinesis, "no-such-bucket")
        except WaiterError as error:
            reached = error.last_response["ChannelDescription"]
        equal(reached["ChannelStatus"], "FAILED")
        assert reason in reached["ChannelStatusReason"], reached["ChannelStatusReason"]
        kinesis.delete_channel(ChannelARN=reached["ChannelARN"])


@check
def a_template_that_leaves_the_bucket_is_refused():
    """refuses templates with relative paths and unknown variables"""
    kinesis = kinesis_at(local)
    for template in ["../x", "a/./b", "!{yyyy", "!{nothing}"]:
        try:
            create(kinesis, "refused", OutputKeyTemplate=template)
        except ClientError as error:
            equal(error.response["Error"]["Code"], "ValidationException")
        else:
            raise AssertionError(f"{template} was accepted")


main(NAME)
