package main

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

func subscriptionChecks() []check {
	return []check{
		{name: fanOutName(), run: fanOutFollowsReshards, limit: 5 * time.Minute},
		{name: "subscribes again after the five minutes, and loses and repeats nothing", run: subscriptionsAreRenewed},
		{name: "meets ResourceInUseException as it subscribes again within five seconds", run: subscriptionsAreNotDoubled},
		{name: "takes a subscription over after five seconds, which the old one meets as ResourceInUseException", run: subscriptionsAreTakenOver},
	}
}

func registerConsumer(ctx context.Context, client *kinesis.Client, stream *string, name string) *string {
	input := &kinesis.RegisterStreamConsumerInput{StreamARN: stream, ConsumerName: &name}
	return must(client.RegisterStreamConsumer(ctx, input)).Consumer.ConsumerARN
}

func subscribe(
	ctx context.Context, client *kinesis.Client, consumer *string, shard string, position types.StartingPosition,
) (*kinesis.SubscribeToShardEventStream, error) {
	input := &kinesis.SubscribeToShardInput{
		ConsumerARN:      consumer,
		ShardId:          &shard,
		StartingPosition: &position,
	}
	answer, err := client.SubscribeToShard(ctx, input)
	if err != nil {
		return nil, err
	}
	return answer.GetStream(), nil
}

// pushed calls back for each event of a subscription until that returns false or the stream ends.
func pushed(
	stream *kinesis.SubscribeToShardEventStream, received func(types.SubscribeToShardEvent) bool,
) error {
	defer stream.Close()
	for event := range stream.Events() {
		if !received(event.(*types.SubscribeToShardEventStreamMemberSubscribeToShardEvent).Value) {
			return nil
		}
	}
	return stream.Err()
}

// aSubscriber makes a stream of one shard and a consumer of it.
func aSubscriber(ctx context.Context, client *kinesis.Client) (name, consumer *string) {
	name = createStream(ctx, client, 1)
	return name, registerConsumer(ctx, client, summary(ctx, client, name).StreamARN, "reader")
}

func subscriptionsAreRenewed(ctx context.Context) {
	client := connect(virtualEndpoint)
	name, consumer := aSubscriber(ctx, client)
	put(ctx, client, name, "key", []byte("first"))
	var records []types.Record
	var last *string
	expired := false
	stream := must(subscribe(ctx, client, consumer, shardID(0), fromStart))
	err := pushed(stream, func(event types.SubscribeToShardEvent) bool {
		records = append(records, event.Records...)
		last = event.ContinuationSequenceNumber
		if len(records) == 1 && !expired {
			expired = true
			advanceClock(5 * time.Minute)
		}
		return true
	})
	equal(err, nil)
	put(ctx, client, name, "key", []byte("second"))
	after := types.StartingPosition{Type: types.ShardIteratorTypeAfterSequenceNumber, SequenceNumber: last}
	stream = must(subscribe(ctx, client, consumer, shardID(0), after))
	err = pushed(stream, func(event types.SubscribeToShardEvent) bool {
		records = append(records, event.Records...)
		return len(event.Records) == 0
	})
	equal(err, nil)
	equal(dataOf(records), []string{"first", "second"})
}

const taken = "Another active subscription exists for this consumer: 000000000000:"

func subscriptionsAreNotDoubled(ctx context.Context) {
	client := connect(endpoint)
	name, consumer := aSubscriber(ctx, client)
	stream := must(subscribe(ctx, client, consumer, shardID(0), fromTip))
	defer stream.Close()
	_, err := subscribe(ctx, client, consumer, shardID(0), fromTip)
	refused[*types.ResourceInUseException](err, taken+*name+":"+shardID(0)+":reader")
}

func subscriptionsAreTakenOver(ctx context.Context) {
	client := connect(virtualEndpoint)
	name, consumer := aSubscriber(ctx, client)
	old := must(subscribe(ctx, client, consumer, shardID(0), fromTip))
	advanceClock(5 * time.Second)
	stream := must(subscribe(ctx, client, consumer, shardID(0), fromTip))
	err := pushed(old, func(types.SubscribeToShardEvent) bool { return true })
	broken[*types.ResourceInUseException](err, taken+*name+":"+shardID(0)+":reader")
	put(ctx, client, name, "key", []byte("data"))
	var records []types.Record
	err = pushed(stream, func(event types.SubscribeToShardEvent) bool {
		records = append(records, event.Records...)
		return len(records) == 0
	})
	equal(err, nil)
	equal(dataOf(records), []string{"data"})
}
