"""The calls of Terraform's AWS provider 6 for aws_lambda_event_source_mapping."""

import time

import boto3

from runner import equal

# The members of the state, and how GetEventSourceMapping names them.
STATE = {
    "function_name": "FunctionArn",
    "event_source_arn": "EventSourceArn",
    "starting_position": "StartingPosition",
    "batch_size": "BatchSize",
    "bisect_batch_on_function_error": "BisectBatchOnFunctionError",
    "destination_config": "DestinationConfig",
    "filter_criteria": "FilterCriteria",
    "function_response_types": "FunctionResponseTypes",
    "maximum_batching_window_in_seconds": "MaximumBatchingWindowInSeconds",
    "maximum_record_age_in_seconds": "MaximumRecordAgeInSeconds",
    "maximum_retry_attempts": "MaximumRetryAttempts",
    "parallelization_factor": "ParallelizationFactor",
    "tumbling_window_in_seconds": "TumblingWindowInSeconds",
    "metrics_config": "MetricsConfig",
    "kms_key_arn": "KMSKeyArn",
}
# Members of the state that only the service sets: a change of one is shown to the user, too.
COMPUTED = ("UUID", "State", "StateTransitionReason", "LastModified", "LastProcessingResult")
# Members that are sent empty when the configuration has them no longer.
CLEARED = {
    "filter_criteria": {}, "metrics_config": {}, "function_response_types": [], "kms_key_arn": "",
}
ARN = "arn:aws:{}:us-east-1:000000000000:{}"
FIRST = {
    "function_name": "consume",
    "event_source_arn": ARN.format("kinesis", "stream/mapped"),
    "starting_position": "LATEST",
    "batch_size": 100,
    "enabled": True,
    "bisect_batch_on_function_error": False,
    "destination_config": {"OnFailure": {}},
    "filter_criteria": None,
    "function_response_types": [],
    "maximum_batching_window_in_seconds": 0,
    "maximum_record_age_in_seconds": -1,
    "maximum_retry_attempts": -1,
    "parallelization_factor": 1,
    "tumbling_window_in_seconds": 0,
    "metrics_config": None,
    "kms_key_arn": None,
    "tags": {"team": "a"},
}
SMALLER = {**FIRST, "batch_size": 7, "enabled": False}
EVERYTHING = {
    **FIRST,
    "function_name": ARN.format("lambda", "function:consume:prod"),
    "batch_size": 500,
    "bisect_batch_on_function_error": True,
    "destination_config": {"OnFailure": {"Destination": ARN.format("sqs", "dead")}},
    "filter_criteria": {"Filters": [{"Pattern": '{"data":{"t":["a"]}}'}]},
    "function_response_types": ["ReportBatchItemFailures"],
    "maximum_batching_window_in_seconds": 5,
    "maximum_record_age_in_seconds": 3600,
    "maximum_retry_attempts": 0,
    "parallelization_factor": 2,
    "metrics_config": {"Metrics": ["EventCount"]},
    "kms_key_arn": ARN.format("kms", "key/k"),
    "tags": {"team": "b", "stage": "x"},
}
WINDOWED = {
    **EVERYTHING, "filter_criteria": None, "parallelization_factor": 1,
    "tumbling_window_in_seconds": 60,
}
PASSING = ("Creating", "Enabling", "Disabling", "Updating")


class Mapping:
    """Makes the calls of the provider for one mapping of the stream `mapped`."""

    def __init__(self, endpoint):
        self.client = boto3.client("lambda", endpoint_url=endpoint)
        kinesis = boto3.client("kinesis", endpoint_url=endpoint)
        kinesis.create_stream(StreamName="mapped", ShardCount=1)
        kinesis.get_waiter("stream_exists").wait(
            StreamName="mapped", WaiterConfig={"Delay": 1, "MaxAttempts": 20}
        )
        self.uuid = None
        self.arn = None

    def get(self):
        try:
            return self.client.get_event_source_mapping(UUID=self.uuid)
        except self.client.exceptions.ResourceNotFoundException:
            return None

    def wait(self, pending, targets):
        """The provider fails on a state that is neither awaited nor pending."""
        deadline = time.monotonic() + 1
        while True:
            found = self.get()
            state = found and found["State"]
            if state in targets:
                return
            assert state in pending, f"unexpected state {state}"
            assert time.monotonic() < deadline, f"still {state} after a second"
            time.sleep(0.05)

    def create(self, config):
        members = {
            STATE[name]: value for name, value in config.items()
            if name in STATE and value not in (None, [])
        }
        members |= {"FunctionName": members.pop("FunctionArn"), "Enabled": config["enabled"]}
        made = self.client.create_event_source_mapping(**members, Tags=config["tags"])
        self.uuid, self.arn = made["UUID"], made["EventSourceMappingArn"]
        self.wait(PASSING[:-1], ("Enabled", "Disabled"))

    def update(self, old, new):
        """Sends the members that changed, in one call; then the tags."""
        members = {}
        for name, value in new.items():
            if value != old[name] and name != "tags":
                member = {"function_name": "FunctionName", "enabled": "Enabled"}.get(name)
                value = CLEARED[name] if value is None else value
                if name == "destination_config" and value == {"OnFailure": {}}:
                    value = {"OnFailure": {"Destination": ""}}
                members[member or STATE[name]] = value
        self.client.update_event_source_mapping(UUID=self.uuid, **members)
        self.wait(PASSING[1:], ("Enabled", "Disabled"))
        gone = sorted(old["tags"].keys() - new["tags"].keys())
        if gone:
            self.client.untag_resource(Resource=self.arn, TagKeys=gone)
        if new["tags"] != old["tags"]:
            self.client.tag_resource(Resource=self.arn, Tags=new["tags"])

    def read(self):
        """What the provider writes into the state: the configured members, and the others."""
        found = self.get()
        state = {ours: found.get(theirs) for ours, theirs in STATE.items()}
        state["enabled"] = {"Enabled": True, "Disabled": False}[found["State"]]
        state["tags"] = self.client.list_tags(Resource=self.arn)["Tags"]
        return state, [found[name] for name in COMPUTED]

    def has_no_drift(self, config):
        """Two plans in a row read what the configuration says."""
        first = self.read()
        state = dict(first[0])
        name = state["function_name"]
        # The provider takes a function's name and its ARN for the same.
        if name == ARN.format("lambda", f"function:{config['function_name']}"):
            state["function_name"] = config["function_name"]
        equal(state, config)
        equal(self.read(), first)

    def destroy(self):
        deadline = time.monotonic() + 1
        while True:
            try:
                self.client.delete_event_source_mapping(UUID=self.uuid)
                break
            except self.client.exceptions.ResourceInUseException:
                assert time.monotonic() < deadline, "in use for more than a second"
                time.sleep(0.05)
        self.wait(("Deleting",), (None,))
        # A second destroy takes "not found" for done.
        try:
            self.client.delete_event_source_mapping(UUID=self.uuid)
        except self.client.exceptions.ResourceNotFoundException:
            return
        raise AssertionError("a destroyed mapping was there to delete")

    def live(self):
        self.create(FIRST)
        self.has_no_drift(FIRST)
        steps = (FIRST, SMALLER, EVERYTHING, WINDOWED, EVERYTHING, FIRST)
        for old, new in zip(steps, steps[1:]):
            self.update(old, new)
            self.has_no_drift(new)
        self.destroy()
        self.create(EVERYTHING)
        self.has_no_drift(EVERYTHING)
        self.destroy()
