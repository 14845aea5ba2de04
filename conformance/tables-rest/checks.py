"""Streaming tables in a REST catalog: Apache Iceberg's RESTCatalogServer holds the tables, whose files
lie in a local directory or in moto's S3. PyIceberg reads them through the catalog."""

import os
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import boto3
import delivery
import processes
from delivery import Server, encoded, flush, order, put
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField, StringType
from runner import check, equal, main, until
from scenario import LONG

WORK, NAME = sys.argv[1:]
BUCKETS = Path("buckets").absolute()
KILLS = 8 if LONG else 3
processes.bound_time(900 if LONG else 400)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Catalog:
    """Apache Iceberg's RESTCatalogServer. It keeps its tables in a file of SQLite, so that it can be
    killed and started again."""

    def __init__(self, name, warehouse, **settings):
        self.name = name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = {
            "CATALOG_REST_PORT": str(self.port),
            "CATALOG_WAREHOUSE": warehouse,
            "CATALOG_URI": f"jdbc:sqlite:{Path(name).absolute()}.db",
            # SQLite locks the whole file, so one connection.
            "CATALOG_CLIENTS": "1",
            **settings,
        }

    def start(self):
        self.process = processes.start(
            [*processes.JAVA, "-cp", f"{WORK}/jars/*", "org.apache.iceberg.rest.RESTCatalogServer"],
            f"{self.name}.log", env={**os.environ, **self.settings},
        )
        until(self.answers, 60)
        return self

    def answers(self):
        try:
            urllib.request.urlopen(f"{self.url}/v1/config", timeout=5).close()
            return True
        except OSError:
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def client(self):
        return RestCatalog("client", uri=self.url, **client_settings)

    def table(self, name):
        return self.client().load_table(f"shop.{name}")

    def ids(self, name, **scan):
        return sorted(self.table(name).scan(**scan).to_arrow()["id"].to_pylist())


@check
def every_record_is_in_the_table_once():
    """PyIceberg finds every record once through the catalog, with every type"""
    stream, channel = delivery.create(server, "orders")
    equal((channel["ChannelStatus"], channel.get("ChannelStatusReason")), ("ACTIVE", None))
    put(server, stream, encoded(range(2000)))
    flush(server, "orders")
    equal(catalog.ids("orders"), list(range(2000)))
    row = catalog.table("orders").scan(row_filter="id == 1234").to_arrow().to_pylist()[0]
    expected = order(1234)
    equal(float(row["price"]), expected["price"])
    equal(row["at"].isoformat(), "2026-03-02T10:15:00.500000+00:00")
    equal((row["kind"], row["tags"]), (expected["kind"], expected["tags"]))
    equal((dict(row["sizes"]), row["buyer"]), (expected["sizes"], expected["buyer"]))


@check
def filters_by_hour_read_few_files():
    """filters by hour find their records, and read the files of that hour only"""
    hour = "at >= '2026-03-01T03:00:00+00:00' and at < '2026-03-01T04:00:00+00:00'"
    expected = [n for n in range(2000) if n % 3 == 0 and n % 24 == 3]
    equal(catalog.ids("orders", row_filter=hour), expected)
    scan = catalog.table("orders").scan(row_filter=hour)
    files = {task.file.file_path for task in scan.plan_files()}
    assert files and all("at_hour=2026-03-01-03" in file for file in files), files


@check
def a_catalog_that_goes_and_comes_back_loses_nothing():
    """delivers after the catalog was killed and came back"""
    stream, _ = delivery.create(server, "waiting")
    put(server, stream, encoded(range(500)))
    flush(server, "waiting")
    catalog.kill()
    put(server, stream, encoded(range(500, 1000)))
    try:
        flush(server, "waiting")
        raise AssertionError("a flush succeeds without the catalog")
    except urllib.error.HTTPError as error:
        reason = error.read().decode()
        assert "channels.s3tables.rest_catalog" in reason, reason
    catalog.start()
    flush(server, "waiting")
    equal(catalog.ids("waiting"), list(range(1000)))


@check
def kills_of_the_catalog_and_of_the_emulator_repeat_nothing():
    """holds every record once after kills of the catalog and of the emulator during deliveries"""
    stream, _ = delivery.create(server, "crashed")
    unsure, last = set(), 0
    for at in range(2 * KILLS):
        victim = [catalog.kill, server.process.kill][at % 2]
        killer = threading.Timer(0.3 + 0.17 * at, victim)
        killer.start()
        try:
            while killer.is_alive():
                put(server, stream, encoded(range(last, last + 100)))
                last += 100
        except Exception:
            # A batch that was not acknowledged may be there or not.
            unsure.update(range(last, last + 100))
            last += 100
        killer.join()
        if at % 2:
            server.restart(lambda process: None)
        else:
            catalog.start()
        flush(server, "crashed")
        found = catalog.ids("crashed")
        equal(len(found), len(set(found)))
        missing = set(range(last)) - unsure - set(found)
        assert not missing, f"{len(missing)} records are missing"


@check
def commits_of_another_program_stay():
    """delivers into a table that another program changes at the same time"""
    stream, _ = delivery.create(server, "shared")
    put(server, stream, encoded(range(100)))
    flush(server, "shared")
    with catalog.table("shared").update_schema() as update:
        update.add_column("note", StringType())
    rows = catalog.table("shared").scan().to_arrow()
    at = rows.schema.get_field_index("id")
    rows = rows.set_column(at, rows.schema.field("id"), [list(range(10000, 10100))])

    appended = []

    def append():
        for at in range(5):
            # PyIceberg gives up after four conflicts.
            until(lambda: is_appended(rows))
            appended.append(at)

    other = threading.Thread(target=append)
    other.start()
    last = 100
    while other.is_alive():
        put(server, stream, encoded(range(last, last + 100)))
        last += 100
        flush(server, "shared")
        # Leaves the other program the time for its commit.
        time.sleep(0.5)
    other.join()
    server.restart(lambda process: process.terminate())
    put(server, stream, encoded(range(last, last + 100)))
    flush(server, "shared")
    expected = list(range(last + 100)) + sorted(len(appended) * list(range(10000, 10100)))
    equal((len(appended), catalog.ids("shared")), (5, expected))


def is_appended(rows):
    try:
        catalog.table("shared").append(rows)
        return True
    except CommitFailedException:
        return False


@check
def a_table_of_another_program_is_not_written():
    """fails a channel into a table that it did not create, and one without a catalog"""
    _, channel = delivery.create(server, "orders", channel="second")
    equal(channel["ChannelStatus"], "FAILED")
    assert "exists already" in channel["ChannelStatusReason"], channel["ChannelStatusReason"]
    schema = Schema(NestedField(1, "id", LongType()))
    catalog.client().create_table("shop.foreign", schema)
    _, channel = delivery.create(server, "foreign")
    assert "exists already" in channel["ChannelStatusReason"], channel["ChannelStatusReason"]
    options = ["--channels-s3tables-rest-catalog", f"http://127.0.0.1:{free_port()}"]
    alone = Server(*options, "--channels-s3-local-dir", BUCKETS, name="alone")
    _, channel = delivery.create(alone, "alone")
    reason = channel["ChannelStatusReason"]
    assert "rest_catalog" in reason and "Connection refused" in reason, reason


@check
def tables_lie_in_the_bucket_of_the_catalog():
    """writes the files of a table to S3 if the catalog places the table there"""
    s3_port = free_port()
    s3_url = f"http://127.0.0.1:{s3_port}"
    processes.start(
        [f"{WORK}/venv/bin/moto_server", "-H", "127.0.0.1", "-p", str(s3_port)], "moto.log"
    )
    s3 = boto3.client("s3", endpoint_url=s3_url)
    until(lambda: bucket_exists(s3, "warehouse"))
    until(lambda: bucket_exists(s3, "failures"))
    client_settings.update({
        "s3.endpoint": s3_url, "s3.access-key-id": "minikin", "s3.secret-access-key": "minikin",
        "s3.region": "us-east-1",
    })
    remote = Catalog(
        "remote", "s3://warehouse/tables", CATALOG_IO__IMPL="org.apache.iceberg.aws.s3.S3FileIO",
        CATALOG_S3_ENDPOINT=s3_url, CATALOG_S3_PATH__STYLE__ACCESS="true",
        CATALOG_S3_ACCESS__KEY__ID="minikin", CATALOG_S3_SECRET__ACCESS__KEY="minikin",
    ).start()
    options = ["--channels-s3tables-rest-catalog", remote.url]
    there = Server(*options, "--channels-s3-endpoint", s3_url, name="there")
    stream, channel = delivery.create(there, "remote")
    equal((channel["ChannelStatus"], channel.get("ChannelStatusReason")), ("ACTIVE", None))
    for start in range(0, 1500, 500):
        put(there, stream, encoded(range(start, start + 500)))
        flush(there, "remote")
    equal(remote.ids("remote"), list(range(1500)))
    assert remote.table("remote").location().startswith("s3://warehouse/tables")
    # Without the endpoint, the reason names it, and the table does not stay in the catalog.
    without = Server(*options, "--channels-s3-local-dir", BUCKETS, name="without")
    _, channel = delivery.create(without, "without")
    reason = channel["ChannelStatusReason"]
    assert "s3://warehouse/tables" in reason and "channels.s3.endpoint" in reason, reason
    equal(remote.client().table_exists("shop.without"), False)


def bucket_exists(s3, name):
    try:
        s3.create_bucket(Bucket=name)
        return True
    except Exception:
        return False


client_settings = {}
delivery.write_schemas()
catalog = Catalog("catalog", f"file://{Path('warehouse').absolute()}").start()
server = Server(
    "--channels-s3tables-rest-catalog", catalog.url, "--channels-s3-local-dir", BUCKETS
)
if delivery.is_left_out(server):
    print(f"LEFT OUT {NAME}: this program was built without the cargo feature streaming-tables")
    sys.exit(0)
main(NAME)
