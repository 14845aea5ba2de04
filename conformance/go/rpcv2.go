package main

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go/transport/http/protocol/rpcv2"
)

func rpcV2Checks() []check {
	return []check{
		{name: "speaks Smithy RPC v2 CBOR", run: rpcV2Works},
		{name: "is pushed records by Smithy RPC v2 CBOR", run: rpcV2Pushes},
	}
}

// byRPCV2 chooses the protocol, which the SDK lets its users do.
func byRPCV2(options *kinesis.Options) {
	options.Protocol = rpcv2.NewCBOR(schemas.Kinesis_20131202)
}

func rpcV2Works(ctx context.Context) {
	client := connect(endpoint, byRPCV2)
	before := time.Now().Truncate(time.Millisecond)
	name := createStream(ctx, client, 1)
	data := []byte{0, 1, 254, 255}
	put(ctx, client, name, "key", data)
	batch := must(client.PutRecords(ctx, &kinesis.PutRecordsInput{
		StreamName: name,
		Records: []types.PutRecordsRequestEntry{
			{PartitionKey: aws.String("a"), Data: data},
			{PartitionKey: aws.String("b"), Data: data},
		},
	}))
	equal(*batch.FailedRecordCount, int32(0))
	position := types.StartingPosition{Type: types.ShardIteratorTypeAtTimestamp, Timestamp: &before}
	records := read(ctx, client, name, shardID(0), position)
	equal(len(records), 3)
	for _, record := range records {
		equal(record.Data, data)
		arrived := *record.ApproximateArrivalTimestamp
		assert(!arrived.Before(before) && !arrived.After(time.Now()), "%v is not now", arrived)
	}
	must(client.DescribeLimits(ctx, &kinesis.DescribeLimitsInput{}))
	_, err := client.DescribeStream(ctx, &kinesis.DescribeStreamInput{StreamName: aws.String("absent")})
	var absent *types.ResourceNotFoundException
	assert(errors.As(err, &absent), "%v is no ResourceNotFoundException", err)
}

func rpcV2Pushes(ctx context.Context) {
	client := connect(endpoint, byRPCV2)
	name := createStream(ctx, client, 1)
	put(ctx, client, name, "key", []byte("one"))
	consumer := registerConsumer(ctx, client, summary(ctx, client, name).StreamARN, "reader")
	stream := must(subscribe(ctx, client, consumer, shardID(0), fromStart))
	defer stream.Close()
	for event := range stream.Events() {
		pushed, ok := event.(*types.SubscribeToShardEventStreamMemberSubscribeToShardEvent)
		assert(ok, "%T is no event", event)
		if len(pushed.Value.Records) > 0 {
			equal(string(pushed.Value.Records[0].Data), "one")
			return
		}
	}
	fail("the subscription ended: %v", stream.Err())
}
