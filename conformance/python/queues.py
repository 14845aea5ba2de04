"""boto3 against queues: the whole life of a queue, with several workers."""

import threading
import uuid

from clients import kinesis, refused
from runner import check, equal, until


def create_queue(records=0, **attributes):
    """A queue on a new on-demand stream of so many records; the stream's name and the queue's ARN."""
    stream = f"stream-{uuid.uuid4().hex[:12]}"
    kinesis.create_stream(StreamName=stream, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    kinesis.get_waiter("stream_exists").wait(StreamName=stream)
    arn = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]
    put(stream, range(records))
    queue = kinesis.create_queue(
        QueueName=f"queue-{uuid.uuid4().hex[:12]}",
        StreamConfigurationList=[
            {"StreamARN": arn, "StartingPosition": {"Type": "TRIM_HORIZON"}}
        ],
        QueueAttributes=attributes,
    )["QueueDescription"]
    equal(queue["QueueStatus"], "CREATING")
    described = lambda: kinesis.describe_queue(QueueARN=queue["QueueARN"])["QueueDescription"]
    until(lambda: described()["QueueStatus"] == "ACTIVE")
    return stream, queue["QueueARN"]


def put(stream, numbers):
    for start in range(0, len(numbers), 500):
        chunk = numbers[start:start + 500]
        records = [{"Data": b"%d" % number, "PartitionKey": str(number)} for number in chunk]
        equal(kinesis.put_records(StreamName=stream, Records=records)["FailedRecordCount"], 0)


def handles(records):
    return [{"ReceiptHandle": record["ReceiptHandle"]} for record in records]


@check
def a_queue_lives_its_whole_life():
    """creates, describes, lists, updates and deletes a queue"""
    stream, arn = create_queue()
    queue = kinesis.describe_queue(QueueARN=arn)["QueueDescription"]
    equal(queue["QueueAttributes"], {
        "VisibilityTimeoutSeconds": 30,
        "DeadLetterConfiguration": {"TargetType": "BUILT_IN", "MaxReceiveCount": 6},
    })
    [configuration] = queue["StreamConfigurationList"]
    equal(configuration["StartingPosition"]["Type"], "TRIM_HORIZON")
    assert configuration["StartingPosition"]["Timestamp"] < queue["QueueCreationTimestamp"]
    filter = [{"StreamARN": configuration["StreamARN"]}]
    [listed] = kinesis.list_queues(StreamFilter=filter)["QueueSummaries"]
    equal((listed["QueueARN"], listed["QueueStatus"]), (arn, "ACTIVE"))
    updated = kinesis.update_queue(QueueARN=arn, QueueAttributes={"VisibilityTimeoutSeconds": 5})
    equal(updated["QueueDescription"]["QueueStatus"], "UPDATING")
    equal(updated["QueueDescription"]["QueueAttributes"]["VisibilityTimeoutSeconds"], 5)
    kinesis.tag_resource(ResourceARN=arn, Tags={"team": "blue"})
    equal(kinesis.list_tags_for_resource(ResourceARN=arn)["Tags"], [{"Key": "team", "Value": "blue"}])
    refused(
        "ResourceInUseException",
        f"Stream {stream} under account 000000000000 has queues. Delete them first.",
        kinesis.delete_stream, StreamName=stream,
    )
    kinesis.delete_queue(QueueARN=arn)
    gone = f"Queue {arn} not found."
    refused("ResourceNotFoundException", gone, kinesis.describe_queue, QueueARN=arn)
    kinesis.delete_stream(StreamName=stream)


@check
def workers_share_a_queue():
    """has eight workers acknowledge each of 2,000 records exactly once"""
    _, arn = create_queue(records=2000)
    acknowledged, lock = [], threading.Lock()

    def work():
        while records := kinesis.receive_queue_records(QueueARN=arn, WaitTimeSeconds=1)["QueueRecords"]:
            done = kinesis.acknowledge_queue_records(QueueARN=arn, Entries=handles(records))
            equal((len(done["Successful"]), done["Failed"]), (len(records), []))
            with lock:
                acknowledged.extend(int(record["Data"]) for record in records)

    workers = [threading.Thread(target=work) for _ in range(8)]
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]
    equal(sorted(acknowledged), list(range(2000)))


@check
def a_long_poll_ends_with_a_record():
    """waits for a record that is put meanwhile"""
    stream, arn = create_queue()
    threading.Timer(0.2, put, (stream, range(1))).start()
    [record] = kinesis.receive_queue_records(QueueARN=arn)["QueueRecords"]
    equal((record["Data"], record["PartitionKey"], record["ReceiveCount"]), (b"0", "0", 1))
    assert record["FirstReceiveTimestamp"] >= record["ApproximateArrivalTimestamp"]


@check
def a_record_becomes_dead_letter_and_is_restored():
    """takes a record through visibility, dead letter, restore and acknowledgement"""
    limit = {"DeadLetterConfiguration": {"TargetType": "BUILT_IN", "MaxReceiveCount": 1}}
    _, arn = create_queue(records=1, **limit)
    [record] = kinesis.receive_queue_records(QueueARN=arn)["QueueRecords"]
    entry = {"ReceiptHandle": record["ReceiptHandle"], "VisibilityTimeoutSeconds": 0}
    kinesis.update_queue_records_visibility(QueueARN=arn, Entries=[entry])
    [dead] = kinesis.receive_dead_letter_queue_records(QueueARN=arn)["QueueRecords"]
    equal((dead["RecordId"], dead["ReceiveCount"]), (record["RecordId"], 2))
    entry = {"ReceiptHandle": dead["ReceiptHandle"], "VisibilityTimeoutSeconds": 60}
    done = kinesis.update_dead_letter_queue_records_visibility(QueueARN=arn, Entries=[entry])
    equal(done["Failed"], [])
    [failed] = kinesis.acknowledge_queue_records(QueueARN=arn, Entries=handles([dead]))["Failed"]
    equal(failed["ErrorCode"], "InvalidArgumentException")
    kinesis.restore_dead_letter_queue_records(QueueARN=arn, Entries=handles([dead]))
    [record] = kinesis.receive_queue_records(QueueARN=arn)["QueueRecords"]
    equal(record["ReceiveCount"], 1)
    kinesis.acknowledge_queue_records(QueueARN=arn, Entries=handles([record]))
    equal(kinesis.receive_queue_records(QueueARN=arn, WaitTimeSeconds=1)["QueueRecords"], [])
    equal(kinesis.receive_dead_letter_queue_records(QueueARN=arn, WaitTimeSeconds=1)["QueueRecords"], [])
