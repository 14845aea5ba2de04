"""Lambda functions that consume a stream: unchanged handlers on Lambda's Python runtime, behind
Lambda's own Runtime Interface Emulator, as in its base images. minikin invokes them."""

import base64
import json
import os
import socket
import sys
import urllib.request
from pathlib import Path

import boto3
import processes
from runner import check, equal, main, until

WORK, NAME = sys.argv[1:]
processes.bound_time(200)


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def start_function(handler):
    """Starts a function behind the emulator: its address, and the file that its handler writes."""
    output = Path(f"{handler}.out").absolute()
    output.touch()
    port, runtime_port = free_ports(2)
    command = [
        f"{WORK}/rie", "--runtime-interface-emulator-address", f"127.0.0.1:{port}",
        "--runtime-api-address", f"127.0.0.1:{runtime_port}",
        f"{WORK}/venv/bin/python", "-m", "awslambdaric", f"handler.{handler}",
    ]
    environment = {**os.environ, "OUTPUT": str(output), "POWERTOOLS_SERVICE_NAME": "orders"}
    processes.start(command, f"{handler}.log", cwd=WORK, env=environment)
    return f"http://127.0.0.1:{port}", output


def start_wrapper():
    """Starts a function behind the guide's own wrapper: its address, and the file that it writes."""
    guide = Path(__file__).resolve().parents[2] / "src/guide/lambda.md"
    blocks = guide.read_text().split("```")
    wrapper = next(block for block in blocks if "class Function(BaseHTTPRequestHandler)" in block)
    [port] = free_ports(1)
    home = Path("wrapper").absolute()
    home.mkdir()
    (home / "wrapper.py").write_text(wrapper.removeprefix("python\n").replace("9000", str(port)))
    (home / "app.py").write_text(
        "import base64\n"
        "def handler(event, context):\n"
        "    for record in event['Records']:\n"
        "        text = base64.b64decode(record['kinesis']['data']).decode()\n"
        "        if text == 'bad':\n"
        "            raise ValueError('a bad record')\n"
        "        with open('output', 'a') as output:\n"
        "            print(text, file=output)\n"
    )
    processes.start([sys.executable, "wrapper.py"], "wrapper.log", cwd=home)
    return f"http://127.0.0.1:{port}", home / "output"


def start_minikin(*arguments):
    """Starts an emulator of our own, and returns its address."""
    credential = f"{os.environ['AWS_ACCESS_KEY_ID']}:{os.environ['AWS_SECRET_ACCESS_KEY']}"
    processes.start(
        [os.environ["MINIKIN"], "--port", "0", "--auth", "verify", *arguments], "minikin.out",
        "minikin.log", env={**os.environ, "MINIKIN_CREDENTIAL": credential},
    )
    listening = Path("minikin.out")
    until(lambda: "Ready." in listening.read_text())
    return "http://" + listening.read_text().split()[2]


def own(path, body=None):
    """Calls a path of minikin's own."""
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(f"{endpoint}/_minikin/{path}", data=data, timeout=60) as answer:
        return json.load(answer)


def put(stream, texts):
    entries = [{"PartitionKey": text, "Data": text.encode()} for text in texts]
    equal(kinesis.put_records(StreamName=stream, Records=entries)["FailedRecordCount"], 0)


def mapping_of(stream):
    found = [each for each in own("event-sources")["event_sources"] if stream in each["EventSourceArn"]]
    equal(len(found), 1)
    return found[0]["UUID"]


def payloads(failure):
    """The data of the records in a discarded batch."""
    event = json.loads(failure["Payload"])
    return [base64.b64decode(record["kinesis"]["data"]) for record in event["Records"]]


plain_url, plain_output = start_function("plain")
partial_url, partial_output = start_function("partial")
wrapped_url, wrapped_output = start_wrapper()
endpoint = start_minikin(
    "--stream", "whole:4", "--stream", "parts:1", "--stream", "wrapped:1",
    "--event-source", f"wrapped={wrapped_url}?BatchSize=1&MaximumRetryAttempts=0",
    "--function", f"plain={plain_url}", "--function", f"partial={partial_url}",
    "--event-source", "whole=plain?BatchSize=10&MaximumRetryAttempts=2&BisectBatchOnFunctionError=true"
    f"&OnFailure=file:{Path('failed.jsonl').absolute()}",
    "--event-source", "parts=partial?BatchSize=10&MaximumRetryAttempts=1&ReportBatchItemFailures=true",
)
kinesis = boto3.client("kinesis", endpoint_url=endpoint)
lambda_client = boto3.client("lambda", endpoint_url=endpoint)


@check
def every_record_reaches_an_unchanged_handler():
    """gives every record of four shards to an unchanged handler, one request at a time (case 35)"""
    texts = [f"order-{index}" for index in range(200)]
    put("whole", texts)
    own("event-sources/drain", {"timeout_ms": 60_000})
    equal(sorted(plain_output.read_text().split()), sorted(texts))
    # The emulator refuses a second request at a time with status 400 and an empty body.
    events = own(f"event-sources/{mapping_of('whole')}/events")["events"]
    outcomes = {(each["Status"], each["Detail"]) for each in events if each["Event"] == "outcome"}
    equal(outcomes, {(200, "success")})
    equal(len({each["ShardId"] for each in events if each["Event"] == "outcome"}), 4)


@check
def a_bad_record_is_found_among_the_failures():
    """retries a batch with a bad record, then lists it with its payload"""
    put("whole", ["bad", "good"])
    own("event-sources/drain", {"timeout_ms": 60_000})
    assert "good" in plain_output.read_text().split()
    failures = own(f"event-sources/{mapping_of('whole')}/failures")["failures"]
    equal([payloads(failure) for failure in failures], [[b"bad"]])
    discarded = [json.loads(line) for line in Path("failed.jsonl").read_text().splitlines()]
    equal(len(discarded), 1)
    equal(discarded[0]["requestContext"]["condition"], "RetryAttemptsExhausted")


@check
def powertools_reports_the_failed_record():
    """takes the partial batch response of Powertools' batch processor"""
    put("parts", ["first", "bad", "last"])
    own("event-sources/drain", {"timeout_ms": 60_000})
    delivered = partial_output.read_text().split()
    # The records after a failed record are delivered again with it.
    equal((delivered.count("first"), set(delivered)), (1, {"first", "last"}))
    failures = own(f"event-sources/{mapping_of('parts')}/failures")["failures"]
    assert any(b"bad" in payloads(failure) for failure in failures)


@check
def the_wrapper_of_the_guide_runs_a_handler():
    """invokes a handler behind the guide's wrapper, and shows the handler's error"""
    put("wrapped", ["one", "bad", "two"])
    own("event-sources/drain", {"timeout_ms": 60_000})
    equal(wrapped_output.read_text().split(), ["one", "two"])
    events = own(f"event-sources/{mapping_of('wrapped')}/events")["events"]
    errors = [each["Error"] for each in events if each["Event"] == "outcome" and "Error" in each]
    equal([json.loads(error)["errorMessage"] for error in errors], ["a bad record"])


@check
def mappings_are_managed_with_boto3():
    """creates, reads, updates, lists and deletes a mapping with boto3's Lambda client (case 58)"""
    kinesis.create_stream(StreamName="managed", ShardCount=1)
    arn = kinesis.describe_stream_summary(StreamName="managed")["StreamDescriptionSummary"]["StreamARN"]
    made = lambda_client.create_event_source_mapping(
        EventSourceArn=arn, FunctionName="plain", StartingPosition="TRIM_HORIZON", BatchSize=5
    )
    uuid = made["UUID"]
    until(lambda: lambda_client.get_event_source_mapping(UUID=uuid)["State"] == "Enabled")
    put("managed", ["managed-1"])
    until(lambda: "managed-1" in plain_output.read_text().split())
    equal(lambda_client.update_event_source_mapping(UUID=uuid, BatchSize=7)["BatchSize"], 7)
    pages = lambda_client.get_paginator("list_event_source_mappings").paginate(EventSourceArn=arn)
    equal([each["UUID"] for page in pages for each in page["EventSourceMappings"]], [uuid])
    lambda_client.delete_event_source_mapping(UUID=uuid)

    def is_gone():
        try:
            lambda_client.get_event_source_mapping(UUID=uuid)
        except lambda_client.exceptions.ResourceNotFoundException:
            return True

    until(is_gone)


main(NAME)
