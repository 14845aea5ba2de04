"""The calls of Terraform's AWS provider 6, replayed for a stream, a consumer, a policy and an event
source mapping (case 59 of the mappings).

The provider itself is in no registry that conformance/run uses. Its resources make the calls below
in this order, and compare these members in the next plan: a difference there is a drift, which
Terraform would show to the user for ever.
"""

import json
import os
import sys
import time

import boto3

import processes
from mapping import Mapping
from runner import check, equal, main, until

NAME = sys.argv[2]
processes.bound_time(120)

# The members of the state of aws_kinesis_stream, and how DescribeStreamSummary names them.
STREAM_STATE = {
    "name": "StreamName",
    "encryption_type": "EncryptionType",
    "kms_key_id": "KeyId",
    "retention_period": "RetentionPeriodHours",
    "shard_count": "OpenShardCount",
    "max_record_size_in_kib": "MaxRecordSizeInKiB",
}
FIRST = {
    "name": "terraform", "shard_count": 2, "retention_period": 24, "encryption_type": "NONE",
    "max_record_size_in_kib": 1024, "shard_level_metrics": [], "tags": {"team": "a"},
    "stream_mode": "PROVISIONED",
}
SECOND = {
    **FIRST, "shard_count": 3, "retention_period": 48, "encryption_type": "KMS",
    "kms_key_id": "alias/aws/kinesis", "max_record_size_in_kib": 2048,
    "shard_level_metrics": ["IncomingBytes", "OutgoingRecords"], "tags": {"team": "b", "stage": "x"},
}
THIRD = {
    **FIRST, "shard_count": 4, "shard_level_metrics": ["IncomingBytes"], "tags": {},
}


class Provider:
    """Makes the calls of the provider; each `wait` is one of its waiters."""

    def __init__(self, endpoint):
        self.kinesis = boto3.client("kinesis", endpoint_url=endpoint)

    def summary(self, name="terraform"):
        try:
            answer = self.kinesis.describe_stream_summary(StreamName=name)
        except self.kinesis.exceptions.ResourceNotFoundException:
            return None
        return answer["StreamDescriptionSummary"]

    def wait(self, status="ACTIVE", pending=("UPDATING",)):
        """The provider fails on a status that is neither awaited nor pending."""
        deadline = time.monotonic() + 30
        while True:
            summary = self.summary()
            found = summary and summary["StreamStatus"]
            if found == status:
                return summary
            assert found in pending, f"unexpected state {found}"
            assert time.monotonic() < deadline, f"timeout while waiting for state {status}"
            time.sleep(0.05)

    def read_stream(self):
        """The state that the provider writes for the stream."""
        summary = self.summary()
        state = {ours: summary.get(theirs) for ours, theirs in STREAM_STATE.items()}
        metrics = [each["ShardLevelMetrics"] for each in summary["EnhancedMonitoring"]]
        tags = self.kinesis.list_tags_for_stream(StreamName=summary["StreamName"])["Tags"]
        of_resource = self.kinesis.list_tags_for_resource(ResourceARN=summary["StreamARN"])["Tags"]
        equal(of_resource, tags)
        return {
            **{key: value for key, value in state.items() if value is not None},
            "stream_mode": summary["StreamModeDetails"]["StreamMode"],
            "shard_level_metrics": sorted(name for names in metrics for name in names),
            "tags": {each["Key"]: each["Value"] for each in tags},
        }

    def create_stream(self, config):
        self.kinesis.create_stream(
            StreamName=config["name"], ShardCount=config["shard_count"],
            StreamModeDetails={"StreamMode": config["stream_mode"]}, Tags=config["tags"],
            MaxRecordSizeInKiB=config["max_record_size_in_kib"],
        )
        arn = self.wait(pending=["CREATING"])["StreamARN"]
        # Always, also with the default of 24 hours.
        self.kinesis.increase_stream_retention_period(
            StreamName=config["name"], RetentionPeriodHours=config["retention_period"]
        )
        self.wait()
        return arn

    def update_stream(self, arn, old, new):
        """Changes one member after the other, and waits after each."""
        name = new["name"]

        def changed(member):
            return old.get(member) != new.get(member)

        if changed("shard_count"):
            self.kinesis.update_shard_count(
                StreamName=name, TargetShardCount=new["shard_count"],
                ScalingType="UNIFORM_SCALING",
            )
            self.wait()
        if changed("retention_period"):
            grows = new["retention_period"] > old["retention_period"]
            call = "increase" if grows else "decrease"
            getattr(self.kinesis, f"{call}_stream_retention_period")(
                StreamName=name, RetentionPeriodHours=new["retention_period"]
            )
            self.wait()
        self.update_metrics(name, old["shard_level_metrics"], new["shard_level_metrics"])
        if changed("encryption_type"):
            starts = new["encryption_type"] == "KMS"
            call = "start_stream_encryption" if starts else "stop_stream_encryption"
            getattr(self.kinesis, call)(
                StreamName=name, EncryptionType="KMS",
                KeyId=(new if starts else old)["kms_key_id"],
            )
            self.wait()
        if changed("max_record_size_in_kib"):
            self.kinesis.update_max_record_size(
                StreamARN=arn, MaxRecordSizeInKiB=new["max_record_size_in_kib"]
            )
            self.wait()
        self.update_tags(arn, old["tags"], new["tags"])

    def update_metrics(self, name, old, new):
        gone = sorted(set(old) - set(new))
        if gone:
            self.kinesis.disable_enhanced_monitoring(StreamName=name, ShardLevelMetrics=gone)
            self.wait()
        added = sorted(set(new) - set(old))
        if added:
            self.kinesis.enable_enhanced_monitoring(StreamName=name, ShardLevelMetrics=added)
            self.wait()

    def update_tags(self, arn, old, new):
        gone = sorted(old.keys() - new.keys())
        if gone:
            self.kinesis.untag_resource(ResourceARN=arn, TagKeys=gone)
        if new:
            self.kinesis.tag_resource(ResourceARN=arn, Tags=new)

    def consumer(self, arn):
        try:
            answer = self.kinesis.describe_stream_consumer(ConsumerARN=arn)
        except self.kinesis.exceptions.ResourceNotFoundException:
            return None
        return answer["ConsumerDescription"]

    def register(self, stream, name):
        answer = self.kinesis.register_stream_consumer(
            StreamARN=stream, ConsumerName=name, Tags={"team": "a"}
        )
        arn = answer["Consumer"]["ConsumerARN"]
        until(lambda: self.consumer(arn)["ConsumerStatus"] == "ACTIVE")
        return arn


class Plan:
    """The state of one run of Terraform, on one server."""

    def __init__(self, endpoint):
        self.provider = Provider(endpoint)
        self.stream = None
        self.consumer = None
        self.policies = {}

    def create(self):
        self.stream = self.provider.create_stream(FIRST)
        has_no_drift(self, FIRST)

    def update(self):
        for old, new in ((FIRST, SECOND), (SECOND, THIRD), (THIRD, FIRST)):
            self.provider.update_stream(self.stream, old, new)
            has_no_drift(self, new)

    def register(self):
        self.consumer = self.provider.register(self.stream, "terraform")
        first = self.provider.consumer(self.consumer)
        equal(first["ConsumerName"], "terraform")
        equal(first["StreamARN"], self.stream)
        # The time is a member of the state, with seconds.
        equal(self.provider.consumer(self.consumer), first)
        tags = self.provider.kinesis.list_tags_for_resource(ResourceARN=self.consumer)["Tags"]
        equal(tags, [{"Key": "team", "Value": "a"}])

    def put_policies(self):
        kinesis = self.provider.kinesis
        actions = {self.stream: "kinesis:GetRecords", self.consumer: "kinesis:SubscribeToShard"}
        for arn, action in actions.items():
            policy = json.dumps({
                "Version": "2012-10-17",
                "Statement": [{
                    "Sid": "share", "Effect": "Allow", "Action": [action], "Resource": arn,
                    "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
                }],
            })
            kinesis.put_resource_policy(ResourceARN=arn, Policy=policy)
            # The provider compares the documents by their meaning.
            read = kinesis.get_resource_policy(ResourceARN=arn)["Policy"]
            equal(json.loads(read), json.loads(policy))

    def destroy(self):
        kinesis = self.provider.kinesis
        for arn in (self.consumer, self.stream):
            kinesis.delete_resource_policy(ResourceARN=arn)
        kinesis.deregister_stream_consumer(ConsumerARN=self.consumer)
        until(lambda: self.provider.consumer(self.consumer) is None)
        kinesis.delete_stream(StreamName="terraform", EnforceConsumerDeletion=False)
        until(lambda: self.provider.summary() is None)
        # A second destroy takes "not found" for done.
        for call, arguments in (
            (kinesis.deregister_stream_consumer, {"ConsumerARN": self.consumer}),
            (kinesis.delete_stream, {"StreamName": "terraform"}),
        ):
            try:
                call(**arguments)
            except kinesis.exceptions.ResourceNotFoundException:
                continue
            raise AssertionError(f"{call.__name__} found something to delete")


def has_no_drift(plan, config):
    """Two plans in a row read what the configuration says."""
    for _ in range(2):
        equal(plan.provider.read_stream(), config)


def start_server(name, *options):
    """Starts a minikin with a function, which no record reaches; gives its endpoint."""
    processes.start(
        [
            os.environ["MINIKIN"], "serve", "--host", "127.0.0.1", "--port", "0",
            "--function", "consume=http://127.0.0.1:1", *options,
        ],
        output=f"{name}.out", errors=f"{name}.log",
    )

    def lines():
        return open(f"{name}.out").read().splitlines()

    until(lambda: "Ready." in lines())
    address = next(line for line in lines() if line.startswith("Listening on "))
    return "http://" + address.removeprefix("Listening on ").removeprefix("http://")


STEPS = {
    "create": "creates a stream, and a second plan finds no drift",
    "update": "updates a stream member by member, and no plan finds a drift",
    "register": "registers a consumer, and a second plan finds no drift",
    "put_policies": "puts the policies of stream and consumer, and reads them back",
    "destroy": "destroys everything, and finds nothing to destroy again",
}
SLOWLY = " (with --transition-ms)"
slow = start_server("slow", "--transition-ms", "300")
plans = {"": Plan(os.environ["ENDPOINT"]), SLOWLY: Plan(slow)}
mappings = {"": Mapping(start_server("quick")), SLOWLY: Mapping(slow)}


def add_check(subject, step, name):
    def run():
        getattr(subject, step)()

    run.__doc__ = name
    check(run)


for way, plan in plans.items():
    for step, name in STEPS.items():
        add_check(plan, step, name + way)
for way, mapping in mappings.items():
    add_check(
        mapping, "live",
        "applies, changes and destroys an event source mapping, and no plan finds a drift" + way,
    )
main(NAME)
