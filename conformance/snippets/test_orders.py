"""A pytest fixture that starts minikin, and a test that uses it."""

import os
import subprocess

import boto3
import pytest


@pytest.fixture(scope="session")
def kinesis():
    program = [os.environ.get("MINIKIN", "minikin"), "--port", "0", "--stream", "orders:2"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as minikin:
        # "Listening on 127.0.0.1:41234", perhaps more addresses, and "Ready." at the end.
        address = minikin.stdout.readline().split()[-1]
        while minikin.stdout.readline() != "Ready.\n":
            pass
        yield boto3.client(
            "kinesis",
            endpoint_url=f"http://{address}",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        minikin.terminate()


def test_an_order_is_put(kinesis):
    put = kinesis.put_record(StreamName="orders", PartitionKey="customer-7", Data=b'{"total":3}')
    iterator = kinesis.get_shard_iterator(
        StreamName="orders", ShardId=put["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )
    records = kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    assert [record["Data"] for record in records] == [b'{"total":3}']
