package main

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// Every round puts one record for each key, so that no two records of a key are in one batch: of a
// batch that is throttled in part, any record may be in before any other.
const keys = 250

func rounds() int {
	if long {
		return 400
	}
	return 20
}

// The data of the last record of an open shard.
const theEnd = "the end"

func fanOutName() string {
	return fmt.Sprintf("is pushed %d records once and in order while their stream is written and resharded", keys*rounds())
}

func fanOutFollowsReshards(ctx context.Context) {
	client := connect(endpoint)
	name := createStream(ctx, client, 4)
	arn := summary(ctx, client, name).StreamARN
	family := &family{
		client:   client,
		consumer: registerConsumer(ctx, client, arn, "reader"),
		waiting:  map[string][]string{},
		ended:    map[string]bool{},
		next:     map[string]int{},
		failures: make(chan error, 1),
	}
	for _, shard := range openShards(ctx, client, name) {
		family.read(ctx, *shard.ShardId)
	}
	progress := make(chan int, rounds())
	together(
		func() { write(ctx, client, name, progress) },
		func() { reshard(ctx, client, name, progress) },
	)
	for _, shard := range openShards(ctx, client, name) {
		entry := types.PutRecordsRequestEntry{
			PartitionKey:    aws.String(theEnd),
			ExplicitHashKey: shard.HashKeyRange.StartingHashKey,
			Data:            []byte(theEnd),
		}
		putAll(ctx, client, name, []types.PutRecordsRequestEntry{entry})
	}
	family.await(ctx)
	equal(len(family.next), keys)
	for key, next := range family.next {
		assert(next == rounds(), "%s ends with %d of %d records", key, next, rounds())
	}
	must(client.DeleteStream(ctx, &kinesis.DeleteStreamInput{
		StreamName:              name,
		EnforceConsumerDeletion: aws.Bool(true),
	}))
}

// openShards lists them in the order of their hash keys.
func openShards(ctx context.Context, client *kinesis.Client, name *string) []types.Shard {
	shards := must(client.ListShards(ctx, &kinesis.ListShardsInput{
		StreamName:  name,
		ShardFilter: &types.ShardFilter{Type: types.ShardFilterTypeAtLatest},
	})).Shards
	slices.SortFunc(shards, func(a, b types.Shard) int {
		return number(a.HashKeyRange.StartingHashKey).Cmp(number(b.HashKeyRange.StartingHashKey))
	})
	return shards
}

func number(text *string) *big.Int {
	number, valid := new(big.Int).SetString(*text, 10)
	assert(valid, "%s is no number", *text)
	return number
}

// write puts round after round and says which are in.
func write(ctx context.Context, client *kinesis.Client, name *string, progress chan<- int) {
	defer close(progress)
	for round := range rounds() {
		batch := make([]types.PutRecordsRequestEntry, keys)
		for key := range batch {
			batch[key] = types.PutRecordsRequestEntry{
				PartitionKey: aws.String(fmt.Sprintf("key-%d", key)),
				Data:         []byte(strconv.Itoa(round)),
			}
		}
		putAll(ctx, client, name, batch)
		progress <- round
	}
}

// putAll puts a batch, and again what was throttled.
func putAll(ctx context.Context, client *kinesis.Client, name *string, waiting []types.PutRecordsRequestEntry) {
	until(ctx, func() bool {
		answer := must(client.PutRecords(ctx, &kinesis.PutRecordsInput{
			StreamName: name,
			Records:    waiting,
		}))
		var failed []types.PutRecordsRequestEntry
		for index, result := range answer.Records {
			if result.ErrorCode != nil {
				failed = append(failed, waiting[index])
			}
		}
		waiting = failed
		return len(waiting) == 0
	})
}

// reshard changes the shards in each way, at steps of the writer's progress.
func reshard(ctx context.Context, client *kinesis.Client, name *string, progress <-chan int) {
	for round := range progress {
		open := openShards(ctx, client, name)
		switch round {
		case rounds() * 2 / 10:
			split(ctx, client, name, open[0])
		case rounds() * 3 / 10:
			split(ctx, client, name, open[len(open)-1])
		case rounds() * 4 / 10:
			merge(ctx, client, name, open[1], open[2])
		case rounds() * 5 / 10:
			scale(ctx, client, name, int32(len(open)+2))
		case rounds() * 7 / 10:
			merge(ctx, client, name, open[0], open[1])
		case rounds() * 8 / 10:
			scale(ctx, client, name, 4)
		}
	}
}

func split(ctx context.Context, client *kinesis.Client, name *string, shard types.Shard) {
	start, end := number(shard.HashKeyRange.StartingHashKey), number(shard.HashKeyRange.EndingHashKey)
	middle := new(big.Int).Rsh(new(big.Int).Add(start, end), 1).String()
	must(client.SplitShard(ctx, &kinesis.SplitShardInput{
		StreamName:         name,
		ShardToSplit:       shard.ShardId,
		NewStartingHashKey: &middle,
	}))
	awaitActive(ctx, client, name)
}

func merge(ctx context.Context, client *kinesis.Client, name *string, lower, upper types.Shard) {
	must(client.MergeShards(ctx, &kinesis.MergeShardsInput{
		StreamName:           name,
		ShardToMerge:         lower.ShardId,
		AdjacentShardToMerge: upper.ShardId,
	}))
	awaitActive(ctx, client, name)
}

func scale(ctx context.Context, client *kinesis.Client, name *string, shards int32) {
	must(client.UpdateShardCount(ctx, &kinesis.UpdateShardCountInput{
		StreamName:       name,
		TargetShardCount: &shards,
		ScalingType:      types.ScalingTypeUniformScaling,
	}))
	awaitActive(ctx, client, name)
}

// A family is a stream's shards as one consumer reads them: each once, and not before its parents.
type family struct {
	client   *kinesis.Client
	consumer *string
	failures chan error
	readers  sync.WaitGroup

	sync.Mutex
	// The parents of shards that are not read yet, and which shards are read to their end.
	waiting map[string][]string
	ended   map[string]bool
	// The number that a key's next record must have.
	next map[string]int
}

// read follows a shard in the background.
func (family *family) read(ctx context.Context, shard string) {
	family.readers.Go(func() {
		if err := guarded(func() { family.follow(ctx, shard) }); err != nil {
			select {
			case family.failures <- err:
			default: // One failure is enough.
			}
		}
	})
}

func (family *family) follow(ctx context.Context, shard string) {
	atEnd := false
	stream := must(subscribe(ctx, family.client, family.consumer, shard, fromStart))
	err := pushed(stream, func(event types.SubscribeToShardEvent) bool {
		for _, record := range event.Records {
			assert(!atEnd, "%s goes on after its end", shard)
			atEnd = string(record.Data) == theEnd
			if !atEnd {
				family.received(shard, *record.PartitionKey, must(strconv.Atoi(string(record.Data))))
			}
		}
		equal(event.ContinuationSequenceNumber == nil, len(event.ChildShards) > 0)
		if len(event.ChildShards) > 0 {
			family.closed(ctx, shard, event.ChildShards)
			atEnd = true
		}
		return !atEnd
	})
	equal(err, nil)
	assert(atEnd, "the subscription to %s ended before the shard did", shard)
}

func (family *family) received(shard, key string, number int) {
	family.Lock()
	defer family.Unlock()
	assert(number == family.next[key], "%s has record %d of %s in the place of %d", shard, number, key, family.next[key])
	family.next[key]++
}

// closed starts those children whose parents have all ended.
func (family *family) closed(ctx context.Context, shard string, children []types.ChildShard) {
	family.Lock()
	defer family.Unlock()
	family.ended[shard] = true
	for _, child := range children {
		assert(slices.Contains(child.ParentShards, shard), "%s is no child of %s", *child.ShardId, shard)
		family.waiting[*child.ShardId] = child.ParentShards
	}
	for child, parents := range family.waiting {
		if !slices.ContainsFunc(parents, func(parent string) bool { return !family.ended[parent] }) {
			delete(family.waiting, child)
			family.read(ctx, child)
		}
	}
}

// await returns once every shard is read to its end.
func (family *family) await(ctx context.Context) {
	done := make(chan struct{})
	go func() { family.readers.Wait(); close(done) }()
	select {
	case err := <-family.failures:
		fail("%v", err)
	case <-done:
	case <-ctx.Done():
		fail("not all shards ended: %v", ctx.Err())
	}
	select {
	case err := <-family.failures:
		fail("%v", err)
	default:
	}
}
