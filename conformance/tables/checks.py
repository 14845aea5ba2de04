"""Streaming tables: boto3 creates channels into Iceberg tables, PyIceberg and DuckDB read them."""

import json
import os
import sys
import threading
import urllib.error
import urllib.request
import uuid
import zlib
from pathlib import Path

import boto3
import duckdb
import duckdb_extension_avro
import duckdb_extension_iceberg
import processes
from pyiceberg.table import StaticTable
from runner import check, equal, main, until
from scenario import LONG

WORK, NAME = sys.argv[1:]
ACCOUNT = "000000000000"
TABLES = Path("tables").absolute()
BUCKETS = Path("buckets").absolute()
SCHEMAS = Path("schemas").absolute()
DATA = Path("data").absolute()
VERSION = uuid.UUID("b7b4a7f0-9c96-4e4a-a687-fb5de9ef0c63")
KILLS = 12 if LONG else 4
processes.bound_time(500 if LONG else 280)

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
    """An emulator with a data directory, which can be stopped, killed and started again."""

    def __init__(self):
        self.starts = 0
        self.start()

    def start(self):
        self.starts += 1
        output = Path(f"server-{self.starts}.out")
        credential = f"{os.environ['AWS_ACCESS_KEY_ID']}:{os.environ['AWS_SECRET_ACCESS_KEY']}"
        self.process = processes.start(
            [
                os.environ["MINIKIN"], "--port", "0", "--auth", "verify", "--data-dir", DATA,
                "--channels-s3tables-local-dir", TABLES, "--channels-s3-local-dir", BUCKETS,
                "--channels-schemas-dir", SCHEMAS, "--channels-flush-interval-ms", "200",
            ],
            output, f"server-{self.starts}.log",
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


def create(table, record_format="JSON", compression="ZSTD", channel=None):
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
    return stream, wait_for_end_of_creation(created["ChannelDescription"]["ChannelARN"])


def wait_for_end_of_creation(arn):
    def describe():
        return server.kinesis.describe_channel(ChannelARN=arn)["ChannelDescription"]

    until(lambda: describe()["ChannelStatus"] != "CREATING")
    return describe()


def is_left_out():
    """True for a program without streaming tables."""
    _, channel = create("probe")
    return "cargo feature" in channel.get("ChannelStatusReason", "")


def order(number):
    return {
        "id": number, "at": f"2026-03-0{1 + number % 3}T{number % 24:02}:15:00.5Z",
        "price": number / 100, "kind": ["new", "used"][number % 2], "key": str(uuid.UUID(int=number)),
        "day": "2026-03-01", "raw": "AAEC", "tags": ["a", "b"][: number % 3],
        "sizes": {"x": number % 1000}, "buyer": {"name": f"n{number}"},
    }


def put(stream, payloads):
    for start in range(0, len(payloads), 500):
        batch = payloads[start : start + 500]
        entries = [{"PartitionKey": str(at), "Data": data} for at, data in enumerate(batch)]
        answer = server.kinesis.put_records(StreamName=stream, Records=entries)
        equal(answer["FailedRecordCount"], 0)


def encoded(numbers):
    return [json.dumps(order(number)).encode() for number in numbers]


def flush(channel):
    request = urllib.request.Request(
        f"{server.endpoint}/_minikin/channels/{channel}/flush", method="POST"
    )
    urllib.request.urlopen(request, timeout=60).close()


def location(table):
    return TABLES / "analytics" / "shop" / table


def opened(table):
    """The table as PyIceberg sees it, by the hint to its newest metadata."""
    return StaticTable.from_metadata(str(location(table)))


def ids(table, **scan):
    return sorted(opened(table).scan(**scan).to_arrow()["id"].to_pylist())


def duck(query, table):
    con = duckdb.connect()
    for module, name in ((duckdb_extension_avro, "avro"), (duckdb_extension_iceberg, "iceberg")):
        file = next(Path(module.__file__).parent.rglob(f"{name}.duckdb_extension"))
        con.execute(f"LOAD '{file}'")
    con.execute("SET TimeZone = 'UTC'")
    return con.execute(query.format(f"iceberg_scan('{location(table)}')")).fetchall()


@check
def every_record_is_in_the_table_once():
    """PyIceberg and DuckDB find every record once, with every type"""
    stream, channel = create("orders")
    equal(channel["ChannelStatus"], "ACTIVE")
    put(stream, encoded(range(2000)))
    flush("orders")
    equal(ids("orders"), list(range(2000)))
    equal(duck("SELECT id FROM {} ORDER BY id", "orders"), [(number,) for number in range(2000)])
    row = opened("orders").scan(row_filter="id == 1234").to_arrow().to_pylist()[0]
    expected = order(1234)
    equal(float(row["price"]), expected["price"])
    equal(row["at"].isoformat(), "2026-03-02T10:15:00.500000+00:00")
    equal((row["kind"], row["tags"]), (expected["kind"], expected["tags"]))
    equal(dict(row["sizes"]), expected["sizes"])
    equal((row["buyer"], row["raw"]), (expected["buyer"], b"\x00\x01\x02"))
    key = row["key"]
    equal(key if isinstance(key, uuid.UUID) else uuid.UUID(bytes=bytes(key)), uuid.UUID(int=1234))


@check
def filters_by_hour_read_few_files():
    """filters by hour find their records, and read the files of that hour only"""
    hour = "at >= '2026-03-01T03:00:00+00:00' and at < '2026-03-01T04:00:00+00:00'"
    expected = [n for n in range(2000) if n % 3 == 0 and n % 24 == 3]
    equal(ids("orders", row_filter=hour), expected)
    files = {task.file.file_path for task in opened("orders").scan(row_filter=hour).plan_files()}
    all_files = {task.file.file_path for task in opened("orders").scan().plan_files()}
    assert files and all("at_hour=2026-03-01-03" in file for file in files), files
    assert len(all_files) >= 24, all_files
    rows = duck(
        "SELECT count(*) FROM {} WHERE \"at\" >= TIMESTAMPTZ '2026-03-01 03:00:00Z'"
        " AND \"at\" < TIMESTAMPTZ '2026-03-01 04:00:00Z'", "orders",
    )
    equal(rows, [(len(expected),)])


@check
def every_compression_is_read():
    """writes Parquet with each compression"""
    for compression in ("NONE", "SNAPPY", "ZSTD"):
        table = f"compressed_{compression.lower()}"
        stream, _ = create(table, compression=compression)
        put(stream, encoded(range(100)))
        flush(table)
        equal(ids(table), list(range(100)))
        equal(duck("SELECT count(*) FROM {}", table), [(100,)])


@check
def records_of_the_schema_registry_are_read():
    """reads the frames of the Glue schema registry, plain and compressed"""
    stream, _ = create("framed", "GSR_JSON")
    plain = [bytes([3, 0]) + VERSION.bytes + data for data in encoded(range(50))]
    packed = [bytes([3, 5]) + VERSION.bytes + zlib.compress(data) for data in encoded(range(50, 100))]
    unknown = bytes([3, 0]) + uuid.uuid4().bytes + b"{}"
    put(stream, plain + packed + [unknown, b"{}"])
    flush("framed")
    equal(ids("framed"), list(range(100)))
    equal(failures("framed"), ["InvalidSchemaFrame", "UnknownSchemaVersion"])


def failures(channel):
    letters = []
    for file in (BUCKETS / "failures" / "errors").rglob("*.json"):
        if f"{channel}-" in file.name:
            letters += [json.loads(line) for line in file.read_text().splitlines()]
    numbers = [(letter["shardId"], letter["sequenceNumber"]) for letter in letters]
    equal(len(numbers), len(set(numbers)))
    return sorted(letter["errorCode"] for letter in letters)


@check
def records_against_the_schema_become_dead_letters():
    """lists records that do not follow the schema in the dead-letter bucket"""
    stream, _ = create("checked")
    bad = [{**order(1), "id": "one"}, {"id": 1}, {**order(2), "at": None}, {**order(3), "price": 0.001}]
    put(stream, [b"{", b"\xff", *(json.dumps(each).encode() for each in bad), *encoded(range(10))])
    flush("checked")
    equal(ids("checked"), list(range(10)))
    equal(failures("checked"), ["InvalidJson", "InvalidUtf8", *["SchemaValidationFailed"] * 4])


@check
def a_restart_and_kills_repeat_nothing():
    """holds every record once after a restart and after kills while records are delivered"""
    stream, _ = create("crashed")
    put(stream, encoded(range(500)))
    flush("crashed")
    server.restart(lambda process: process.terminate())
    put(stream, encoded(range(500, 1000)))
    flush("crashed")
    equal(ids("crashed"), list(range(1000)))
    last = 1000
    for at in range(KILLS):
        # The emulator is killed while it writes: the moments differ.
        killer = threading.Timer(0.15 + 0.11 * at, server.process.kill)
        killer.start()
        acknowledged = last
        try:
            while True:
                put(stream, encoded(range(acknowledged, acknowledged + 100)))
                acknowledged += 100
        except Exception:
            killer.join()
        # A batch that was not acknowledged may be there or not, so its numbers are not used again.
        last = acknowledged + 100
        unsure = set(range(acknowledged, last))
        server.restart(lambda process: None)
        flush("crashed")
        found = ids("crashed")
        equal(len(found), len(set(found)))
        known.update(unsure)
        missing = set(range(last)) - known - set(found)
        assert not missing, f"{len(missing)} records are missing"
    equal(duck("SELECT count(*) - count(DISTINCT id) FROM {}", "crashed"), [(0,)])
    equal(duck("SELECT count(*) FROM {}", "crashed"), [(len(found),)])


known = set()


@check
def a_table_that_exists_is_not_written():
    """fails a channel into a table of another channel, and one without a schema"""
    _, channel = create("orders", channel="second")
    equal(channel["ChannelStatus"], "FAILED")
    assert "exists already" in channel["ChannelStatusReason"], channel["ChannelStatusReason"]
    (SCHEMAS / "shop" / "order.json").rename(SCHEMAS / "shop" / "away.json")
    _, channel = create("without_schema")
    assert "cannot be found" in channel["ChannelStatusReason"], channel["ChannelStatusReason"]
    (SCHEMAS / "shop" / "away.json").rename(SCHEMAS / "shop" / "order.json")


write_schemas()
server = Server()
if is_left_out():
    print(f"LEFT OUT {NAME}: this program was built without the cargo feature streaming-tables")
    sys.exit(0)
main(NAME)
