"""boto3 without an endpoint: the service's own host names, on port 443, with TLS."""

import os
import sys
import urllib.request
from pathlib import Path

import boto3
import processes
from runner import check, equal, main, until

NAME = sys.argv[1]
processes.bound_time(120)
os.environ["AWS_CA_BUNDLE"] = "own-ca.pem"


def start_minikin():
    output = Path("minikin.out")
    flags = ["--port", "443", "--tls-name", "kinesis.eu-west-1.amazonaws.com"]
    processes.start([os.environ["MINIKIN"], *flags, "--stream", "orders:1"], output, "minikin.log")
    until(lambda: "Ready." in output.read_text())
    urllib.request.urlretrieve("http://127.0.0.1:443/_minikin/ca.pem", os.environ["AWS_CA_BUNDLE"])


def read(kinesis, **stream):
    shard = kinesis.list_shards(**stream)["Shards"][0]["ShardId"]
    iterator = kinesis.get_shard_iterator(
        ShardId=shard, ShardIteratorType="TRIM_HORIZON", **stream
    )["ShardIterator"]
    records = kinesis.get_records(ShardIterator=iterator)["Records"]
    return [record["Data"] for record in records]


@check
def by_name():
    """the host name of the region"""
    kinesis = boto3.client("kinesis")
    equal(kinesis.meta.endpoint_url, "https://kinesis.us-east-1.amazonaws.com")
    kinesis.put_record(StreamName="orders", PartitionKey="customer-7", Data=b"hello")
    equal(read(kinesis, StreamName="orders"), [b"hello"])


@check
def by_arn():
    """the host names of the account, which calls with an ARN go to"""
    kinesis = boto3.client("kinesis")
    hosts = set()
    kinesis.meta.events.register(
        "before-send.kinesis", lambda request, **_: hosts.add(request.url.split("/")[2])
    )
    arn = kinesis.describe_stream_summary(StreamName="orders")["StreamDescriptionSummary"]["StreamARN"]
    hosts.clear()
    kinesis.put_record(StreamARN=arn, PartitionKey="customer-7", Data=b"by ARN")
    equal(read(kinesis, StreamARN=arn)[-1:], [b"by ARN"])
    own = {f"000000000000.{kind}-kinesis.us-east-1.amazonaws.com" for kind in ("data", "control")}
    equal(hosts >= own, True)


@check
def in_another_region():
    """the host name of another region, by --tls-name"""
    kinesis = boto3.client("kinesis", region_name="eu-west-1")
    kinesis.create_stream(StreamName="elsewhere", ShardCount=1)
    kinesis.put_record(StreamName="elsewhere", PartitionKey="customer-7", Data=b"hello")
    equal(read(kinesis, StreamName="elsewhere"), [b"hello"])


start_minikin()
main(NAME)
