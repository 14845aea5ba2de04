"""Streaming tables: boto3 creates channels into Iceberg tables, PyIceberg and DuckDB read them."""

import json
import sys
import threading
import uuid
import zlib
from pathlib import Path

import delivery
import duckdb
import duckdb_extension_avro
import duckdb_extension_iceberg
import processes
from delivery import SCHEMAS, VERSION, Server, encoded, order
from pyiceberg.table import StaticTable
from runner import check, equal, main
from scenario import LONG

NAME = sys.argv[2]
TABLES = Path("tables").absolute()
BUCKETS = Path("buckets").absolute()
KILLS = 12 if LONG else 4
processes.bound_time(500 if LONG else 280)


def create(table, *settings, **more):
    return delivery.create(server, table, *settings, **more)


def put(stream, payloads):
    delivery.put(server, stream, payloads)


def flush(channel):
    delivery.flush(server, channel)


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


delivery.write_schemas()
server = Server("--channels-s3tables-local-dir", TABLES, "--channels-s3-local-dir", BUCKETS)
if delivery.is_left_out(server):
    print(f"LEFT OUT {NAME}: this program was built without the cargo feature streaming-tables")
    sys.exit(0)
main(NAME)
