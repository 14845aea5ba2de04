"""Ansible's kinesis_stream module against minikin: each state is reached once and then kept."""

import json
import os
import subprocess
import sys
from pathlib import Path

import processes
import streams
from runner import check, equal, main

WORK, NAME = sys.argv[1:]
processes.bound_time(300)


def play(**stream):
    """Brings the stream into a state; says whether the module changed something."""
    result = Path("result.json").absolute()
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": f"{WORK}/collections",
        "ANSIBLE_HOME": str(Path("ansible").absolute()),
        "ANSIBLE_PYTHON_INTERPRETER": f"{WORK}/venv/bin/python",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "RESULT": str(result),
        "LC_ALL": "C.UTF-8",
    }
    played = subprocess.run(
        [
            f"{WORK}/venv/bin/ansible-playbook", Path(__file__).with_name("playbook.yml"),
            "--extra-vars", json.dumps({"stream": stream}),
        ],
        env=environment, capture_output=True, text=True, timeout=120,
    )
    with open("ansible.log", "a") as log:
        log.write(played.stdout + played.stderr)
    assert played.returncode == 0, played.stdout[-1000:]
    return json.loads(result.read_text())


def reaches(description, **more):
    """The first run changes the stream; the second finds it as described."""
    assert play(**description, **more)["changed"], "the first run changed nothing"
    assert not play(**description, **more)["changed"], "the second run changed the stream again"


def summary():
    return streams.kinesis.describe_stream_summary(StreamName="ansible")["StreamDescriptionSummary"]


@check
def streams_are_created():
    """creates a stream with tags and a retention period, once"""
    reaches({"shards": 2, "tags": {"team": "a"}, "retention_period": 48})
    equal(summary()["RetentionPeriodHours"], 48)
    equal(len(streams.open_shards("ansible")), 2)


@check
def streams_are_updated():
    """changes shards, tags and retention period, once"""
    streams.kinesis.put_record(StreamName="ansible", PartitionKey="key", Data=b"before")
    reaches({"shards": 3, "tags": {"team": "b"}, "retention_period": 24})
    equal(summary()["RetentionPeriodHours"], 24)
    equal(len(streams.open_shards("ansible")), 3)
    streams.kinesis.put_record(StreamName="ansible", PartitionKey="key", Data=b"after")
    records = streams.Reader("ansible").records()
    equal([record["Data"] for record in records], [b"before", b"after"])
    tags = streams.kinesis.list_tags_for_stream(StreamName="ansible")["Tags"]
    equal(tags, [{"Key": "team", "Value": "b"}])


@check
def streams_are_encrypted():
    """starts the encryption of a stream, once"""
    encryption = {"encryption_state": "enabled", "encryption_type": "KMS", "key_id": "alias/aws/kinesis"}
    assert play(shards=3, tags={"team": "b"}, **encryption)["changed"]
    equal(summary()["EncryptionType"], "KMS")


@check
def streams_are_deleted():
    """deletes a stream, once"""
    reaches({"state": "absent"})
    equal(streams.kinesis.list_streams()["StreamNames"], [])


main(NAME)
