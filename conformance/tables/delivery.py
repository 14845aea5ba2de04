"""An emulator whose channels write tables, and the records that are put into its streams."""

import json
import os
import urllib.request
import uuid
from pathlib import Path

import boto3
import processes
from runner import equal, until

ACCOUNT = "000000000000"
SCHEMAS = Path("schemas").absolute()
VERSION = uuid.UUID("b7b4a7f0-9c96-4e4a-a687-fb5de9ef0c63")

ORDER = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "integer"},
        "at": {"type": "string", "format": "date-time"},
        "price": {"type": "number", "multipleOf": 0.01},
        "kind": {"enum": ["new", "used"]},
        "key": {"type": "string", "format": "uuid"},
        "day": {"type": "string", "format": "date"},
        "raw": {"type": "string", "contentEncoding": "base64"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "sizes": {"type": "object", "additionalProperties": {"type": "integer", "maximum": 1000}},
        "buyer": {"type": "object", "properties": {"name": {"type": "string"}}},
    },
}


class Server:
    """An emulator with a data directory, which can be stopped, killed and started again. `options`
    name the destination of its channels."""

    def __init__(self, *options, name="server"):
        self.options = options
        self.name = name
        self.starts = 0
        self.start()

    def start(self):
        self.starts += 1
        output = Path(f"{self.name}-{self.starts}.out")
        credential = f"{os.environ['AWS_ACCESS_KEY_ID']}:{os.environ['AWS_SECRET_ACCESS_KEY']}"
        self.process = processes.start(
            [
                os.environ["MINIKIN"], "--port", "0", "--auth", "verify",
                "--data-dir", Path(f"{self.name}-data").absolute(), "--channels-schemas-dir", SCHEMAS,
                "--channels-flush-interval-ms", "200", *self.options,
            ],
            output, f"{self.name}-{self.starts}.log",
            env={**os.environ, "MINIKIN_CREDENTIAL": credential},
        )
        until(lambda: "Ready." in output.read_text())
        self.endpoint = "http://" + output.read_text().split()[2]
        self.kinesis = boto3.client("kinesis", endpoint_url=self.endpoint)

    def restart(self, end):
        end(self.process)
        self.process.wait()
        self.start()


def write_schemas():
    (SCHEMAS / "shop").mkdir(parents=True)
    (SCHEMAS / "shop" / "order.json").write_text(json.dumps(ORDER))
    (SCHEMAS / "versions.json").write_text(json.dumps({str(VERSION): "shop/order"}))


def create(server, table, record_format="JSON", compression="ZSTD", channel=None):
    """Creates a stream, and a channel from it into a table: the stream's name, and the channel."""
    kinesis = server.kinesis
    channel = channel or table
    stream = f"stream-{channel}"
    kinesis.create_stream(StreamName=stream, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    kinesis.get_waiter("stream_exists").wait(StreamName=stream)
    summary = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
    created = kinesis.create_channel(
        ChannelName=channel,
        ServiceExecutionRoleARN=f"arn:aws:iam::{ACCOUNT}:role/delivery",
        StreamConfigurationList=[{
            "StreamARN": summary["StreamARN"],
            "RecordConfiguration": {
                "RecordFormatType": record_format,
                "GSRSchemaARN": f"arn:aws:glue:us-east-1:{ACCOUNT}:schema/shop/order",
            },
        }],
        S3TablesDestinationConfiguration={
            "S3TablesConfigurationList": [{
                "TableBucketARN": f"arn:aws:s3tables:us-east-1:{ACCOUNT}:bucket/analytics",
                "Namespace": "shop",
                "TableName": table,
                "CompressionType": compression,
                "PartitionSpec": {"PartitionFields": [
                    {"Transform": "TIME_HOUR", "SourceName": "at"},
                ]},
            }],
            "DeadLetterQueueS3Configuration": {
                "BucketARN": "arn:aws:s3:::failures",
                "ExpectedBucketOwner": ACCOUNT,
                "ErrorOutputPrefix": "errors/",
            },
        },
    )
    return stream, wait_for_end_of_creation(server, created["ChannelDescription"]["ChannelARN"])


def wait_for_end_of_creation(server, arn):
    def describe():
        return server.kinesis.describe_channel(ChannelARN=arn)["ChannelDescription"]

    until(lambda: describe()["ChannelStatus"] != "CREATING")
    return describe()


def order(number):
    return {
        "id": number, "at": f"2026-03-0{1 + number % 3}T{number % 24:02}:15:00.5Z",
        "price": number / 100, "kind": ["new", "used"][number % 2], "key": str(uuid.UUID(int=number)),
        "day": "2026-03-01", "raw": "AAEC", "tags": ["a", "b"][: number % 3],
        "sizes": {"x": number % 1000}, "buyer": {"name": f"n{number}"},
    }


def put(server, stream, payloads):
    for start in range(0, len(payloads), 500):
        batch = payloads[start : start + 500]
        entries = [{"PartitionKey": str(at), "Data": data} for at, data in enumerate(batch)]
        answer = server.kinesis.put_records(StreamName=stream, Records=entries)
        equal(answer["FailedRecordCount"], 0)


def encoded(numbers):
    return [json.dumps(order(number)).encode() for number in numbers]


def flush(server, channel):
    request = urllib.request.Request(
        f"{server.endpoint}/_minikin/channels/{channel}/flush", method="POST"
    )
    urllib.request.urlopen(request, timeout=60).close()


def is_left_out(server):
    """True for a program without streaming tables."""
    _, channel = create(server, "probe")
    return "cargo feature" in channel.get("ChannelStatusReason", "")
