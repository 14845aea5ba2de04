package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

func recordChecks() []check {
	return []check{
		{name: "puts one record and reads back every byte value", run: everyByteComesBack},
		{name: "reads back partition keys beyond ASCII", run: unicodeKeysComeBack},
		{name: "reads from all five types of iterator", run: iteratorsOfAllTypesWork},
		{name: "says when records arrived, to the millisecond", run: arrivalTimesHaveMilliseconds},
		{name: "puts the throttled entries of PutRecords again until all are in", run: throttledEntriesArePutAgain},
		{name: "retries a throttled put by itself", run: throttledPutsAreRetried},
		{name: "puts and reads a record of 10 MiB", run: tenMegabytesComeBack},
	}
}

func everyByteComesBack(ctx context.Context) {
	client := connect(endpoint)
	name := createStream(ctx, client, 2)
	data := make([]byte, 256)
	for index := range data {
		data[index] = byte(index)
	}
	answer := put(ctx, client, name, "key", data)
	records := read(ctx, client, name, *answer.ShardId, fromStart)
	equal(len(records), 1)
	equal(records[0].Data, data)
	equal(*records[0].PartitionKey, "key")
	equal(records[0].SequenceNumber, answer.SequenceNumber)
	equal(records[0].EncryptionType, types.EncryptionType(""))
}

func unicodeKeysComeBack(ctx context.Context) {
	client := connect(endpoint)
	name := createStream(ctx, client, 1)
	// Two, three and four bytes of UTF-8, a right-to-left script, and what JSON escapes.
	keys := []string{"ключ", "鍵", "🔑", "مفتاح", "a \"key\"\\\n", "\u2028"}
	for _, key := range keys {
		put(ctx, client, name, key, []byte(key))
	}
	for index, record := range read(ctx, client, name, shardID(0), fromStart) {
		equal(*record.PartitionKey, keys[index])
		equal(string(record.Data), keys[index])
	}
}

func iteratorsOfAllTypesWork(ctx context.Context) {
	client := connect(endpoint)
	name := createStream(ctx, client, 1)
	var numbers []*string
	for _, data := range []string{"0", "1", "2"} {
		numbers = append(numbers, put(ctx, client, name, "key", []byte(data)).SequenceNumber)
		// The next record is to be a later one by the clock, too, for AT_TIMESTAMP.
		time.Sleep(2 * time.Millisecond)
	}
	second := read(ctx, client, name, shardID(0), fromStart)[1].ApproximateArrivalTimestamp
	data := func(kind types.ShardIteratorType, number *string, timestamp *time.Time) []string {
		position := types.StartingPosition{Type: kind, SequenceNumber: number, Timestamp: timestamp}
		return dataOf(read(ctx, client, name, shardID(0), position))
	}
	equal(data(types.ShardIteratorTypeTrimHorizon, nil, nil), []string{"0", "1", "2"})
	equal(data(types.ShardIteratorTypeAtSequenceNumber, numbers[1], nil), []string{"1", "2"})
	equal(data(types.ShardIteratorTypeAfterSequenceNumber, numbers[1], nil), []string{"2"})
	equal(data(types.ShardIteratorTypeAtTimestamp, nil, second), []string{"1", "2"})
	equal(data(types.ShardIteratorTypeAtTimestamp, nil, aws.Time(second.Add(time.Millisecond))), []string{"2"})
	latest := iterator(ctx, client, name, shardID(0), fromTip)
	put(ctx, client, name, "key", []byte("3"))
	page := must(client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: latest}))
	equal(dataOf(page.Records), []string{"3"})
}

func arrivalTimesHaveMilliseconds(ctx context.Context) {
	client := connect(endpoint)
	name := createStream(ctx, client, 1)
	before := time.Now().Truncate(time.Millisecond)
	for range 5 {
		put(ctx, client, name, "key", []byte("x"))
	}
	after := time.Now()
	fractions := 0
	for _, record := range read(ctx, client, name, shardID(0), fromStart) {
		arrived := *record.ApproximateArrivalTimestamp
		assert(!arrived.Before(before) && !arrived.After(after), "%v is not now", arrived)
		equal(arrived.Nanosecond()%1_000_000, 0)
		fractions += arrived.Nanosecond()
	}
	assert(fractions > 0, "whole seconds")
}

func throttledEntriesArePutAgain(ctx context.Context) {
	client := connect(endpoint)
	name := createStream(ctx, client, 1)
	var waiting []types.PutRecordsRequestEntry
	for index := range 500 {
		waiting = append(waiting, types.PutRecordsRequestEntry{
			PartitionKey: aws.String(strconv.Itoa(index)),
			Data:         make([]byte, 5000),
		})
	}
	throttled := 0
	until(ctx, func() bool {
		answer := must(client.PutRecords(ctx, &kinesis.PutRecordsInput{
			StreamName: name,
			Records:    waiting,
		}))
		var failed []types.PutRecordsRequestEntry
		for index, result := range answer.Records {
			if result.ErrorCode == nil {
				continue
			}
			equal(*result.ErrorCode, "ProvisionedThroughputExceededException")
			equal(*result.ErrorMessage, fmt.Sprintf("Rate exceeded for shard %s in stream %s under account 000000000000.", shardID(0), *name))
			equal(result.SequenceNumber == nil, true)
			failed = append(failed, waiting[index])
		}
		equal(int(*answer.FailedRecordCount), len(failed))
		throttled += len(failed)
		waiting = failed
		return len(waiting) == 0
	})
	assert(throttled > 0, "2.5 MB in less than a second were not throttled")
	var keys []int
	for _, record := range read(ctx, client, name, shardID(0), fromStart) {
		keys = append(keys, must(strconv.Atoi(*record.PartitionKey)))
	}
	slices.Sort(keys)
	equal(len(keys), 500)
	equal(len(slices.Compact(keys)), 500)
}

func throttledPutsAreRetried(ctx context.Context) {
	client, patient := connect(endpoint), connect(endpoint, withDefaultRetries)
	name := createStream(ctx, client, 1)
	// The timing decides if the second put succeeds at once or after a retry: repeat until a retry.
	until(ctx, func() bool {
		drain(ctx, client, name)
		answer := put(ctx, patient, name, "key", make([]byte, 20_000))
		attempts, _ := retry.GetAttemptResults(answer.ResultMetadata)
		return len(attempts.Results) > 1
	})
}

// drain uses up what a shard of one-shard stream may take within the second.
func drain(ctx context.Context, client *kinesis.Client, name *string) {
	entry := types.PutRecordsRequestEntry{
		PartitionKey: aws.String("key"),
		Data:         make([]byte, 10_000),
	}
	until(ctx, func() bool {
		answer := must(client.PutRecords(ctx, &kinesis.PutRecordsInput{
			StreamName: name,
			Records:    slices.Repeat([]types.PutRecordsRequestEntry{entry}, 105),
		}))
		return *answer.FailedRecordCount > 0
	})
}

func tenMegabytesComeBack(ctx context.Context) {
	client := connect(endpoint)
	name := createStream(ctx, client, 1)
	arn := summary(ctx, client, name).StreamARN
	data := bytes.Repeat([]byte("0123456789abcdef"), 10<<20/16)
	// The key counts, too.
	data = data[:len(data)-len("key")]
	_, err := client.PutRecord(ctx, &kinesis.PutRecordInput{
		StreamName:   name,
		PartitionKey: aws.String("key"),
		Data:         data,
	})
	refused[*types.ValidationException](err, "1 validation error detected: Value at 'data' failed to satisfy constraint: Member must have length less than or equal to 1048576")
	must(client.UpdateMaxRecordSize(ctx, &kinesis.UpdateMaxRecordSizeInput{
		StreamARN:          arn,
		MaxRecordSizeInKiB: aws.Int32(10240),
	}))
	awaitActive(ctx, client, name)
	put(ctx, client, name, "key", data)
	records := read(ctx, client, name, shardID(0), fromStart)
	equal(len(records), 1)
	assert(bytes.Equal(records[0].Data, data), "other data")
	equal(int(*summary(ctx, client, name).MaxRecordSizeInKiB), 10240)
}
