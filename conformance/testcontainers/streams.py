"""Starts the image, puts a record into a stream of the start, and reads it."""

import os

import boto3
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy

image = DockerContainer(os.environ["MINIKIN_IMAGE"]).with_command("--stream orders:1")
image = image.with_exposed_ports(4567).waiting_for(HttpWaitStrategy(4567, "/health"))
with image as minikin:
    host, port = minikin.get_container_host_ip(), minikin.get_exposed_port(4567)
    kinesis = boto3.client("kinesis", endpoint_url=f"http://{host}:{port}")
    kinesis.put_record(StreamName="orders", PartitionKey="customer-7", Data=b"hello")
    iterator = kinesis.get_shard_iterator(
        StreamName="orders", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    records = kinesis.get_records(ShardIterator=iterator)["Records"]
    assert records[0]["Data"] == b"hello", records
