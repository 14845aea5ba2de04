package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
)

func pageChecks() []check {
	return []check{
		{name: "follows NextShardIterator in small pages to the tip and beyond", run: recordsComeInPages},
		{name: "pages through ListStreams", run: streamsAreListedInPages},
		{name: "pages through ListShards and DescribeStream", run: shardsAreListedInPages},
		{name: "pages through ListStreamConsumers", run: consumersAreListedInPages},
		{name: "pages through ListTagsForStream", run: tagsAreListedInPages},
	}
}

func numbered(format string, count int) []string {
	var names []string
	for index := range count {
		names = append(names, fmt.Sprintf(format, index))
	}
	return names
}

func recordsComeInPages(ctx context.Context) {
	client := connect(endpoint)
	name := createStream(ctx, client, 1)
	expected := numbered("%d", 25)
	for _, data := range expected {
		put(ctx, client, name, "key", []byte(data))
	}
	var sizes []int
	var data []string
	next := iterator(ctx, client, name, shardID(0), fromStart)
	for len(data) < 25 {
		page := must(client.GetRecords(ctx, &kinesis.GetRecordsInput{
			ShardIterator: next,
			Limit:         aws.Int32(10),
		}))
		sizes = append(sizes, len(page.Records))
		data = append(data, dataOf(page.Records)...)
		next = page.NextShardIterator
	}
	equal(sizes, []int{10, 10, 5})
	equal(data, expected)
	put(ctx, client, name, "key", []byte("late"))
	equal(dataOf(must(client.GetRecords(ctx, &kinesis.GetRecordsInput{
		ShardIterator: next,
	})).Records), []string{"late"})
}

func streamsAreListedInPages(ctx context.Context) {
	// A region of its own, so that no other check's streams are in the list.
	client := connect(endpoint, inRegion("eu-north-1"))
	expected := numbered("page-%d", 5)
	for _, name := range expected {
		must(client.CreateStream(ctx, &kinesis.CreateStreamInput{
			StreamName: &name,
			ShardCount: aws.Int32(1),
		}))
	}
	var sizes []int
	var names []string
	pages := kinesis.NewListStreamsPaginator(client, &kinesis.ListStreamsInput{Limit: aws.Int32(2)})
	for pages.HasMorePages() {
		page := must(pages.NextPage(ctx))
		sizes = append(sizes, len(page.StreamSummaries))
		names = append(names, page.StreamNames...)
	}
	equal(sizes, []int{2, 2, 1})
	equal(names, expected)
}

func shardsAreListedInPages(ctx context.Context) {
	client := connect(endpoint)
	name := createStream(ctx, client, 5)
	expected := numbered("shardId-%012d", 5)

	var sizes []int
	var found []string
	input := &kinesis.ListShardsInput{StreamName: name, MaxResults: aws.Int32(2)}
	for input != nil {
		page := must(client.ListShards(ctx, input))
		sizes = append(sizes, len(page.Shards))
		for _, shard := range page.Shards {
			found = append(found, *shard.ShardId)
		}
		input = nil
		if page.NextToken != nil {
			// The service refuses a token beside the stream's name.
			input = &kinesis.ListShardsInput{NextToken: page.NextToken, MaxResults: aws.Int32(2)}
		}
	}
	equal(sizes, []int{2, 2, 1})
	equal(found, expected)

	found = nil
	pages := kinesis.NewDescribeStreamPaginator(client, &kinesis.DescribeStreamInput{
		StreamName: name,
		Limit:      aws.Int32(2),
	})
	for pages.HasMorePages() {
		for _, shard := range must(pages.NextPage(ctx)).StreamDescription.Shards {
			found = append(found, *shard.ShardId)
		}
	}
	equal(found, expected)
}

func consumersAreListedInPages(ctx context.Context) {
	client := connect(endpoint)
	name := createStream(ctx, client, 1)
	arn := summary(ctx, client, name).StreamARN
	expected := numbered("consumer-%d", 5)
	for _, consumer := range expected {
		registerConsumer(ctx, client, arn, consumer)
	}
	var sizes []int
	found := map[string]bool{}
	pages := kinesis.NewListStreamConsumersPaginator(client, &kinesis.ListStreamConsumersInput{
		StreamARN:  arn,
		MaxResults: aws.Int32(2),
	})
	for pages.HasMorePages() {
		page := must(pages.NextPage(ctx))
		sizes = append(sizes, len(page.Consumers))
		for _, consumer := range page.Consumers {
			found[*consumer.ConsumerName] = true
		}
	}
	equal(sizes, []int{2, 2, 1})
	for _, consumer := range expected {
		equal(found[consumer], true)
	}
}

func tagsAreListedInPages(ctx context.Context) {
	client := connect(endpoint)
	name := createStream(ctx, client, 1)
	expected := numbered("tag-%d", 5)
	for _, tag := range expected {
		must(client.AddTagsToStream(ctx, &kinesis.AddTagsToStreamInput{
			StreamName: name,
			Tags:       map[string]string{tag: tag},
		}))
	}
	var found []string
	var last *string
	for {
		page := must(client.ListTagsForStream(ctx, &kinesis.ListTagsForStreamInput{
			StreamName:           name,
			Limit:                aws.Int32(2),
			ExclusiveStartTagKey: last,
		}))
		for _, tag := range page.Tags {
			found = append(found, *tag.Key)
			last = tag.Key
		}
		if !*page.HasMoreTags {
			break
		}
		equal(len(page.Tags), 2)
	}
	equal(found, expected)
}
