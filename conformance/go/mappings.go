package main

import (
	"context"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func mappingChecks() []check {
	return []check{
		{name: "creates, reads, updates, lists and deletes an event source mapping (case 58)", run: mappingsLive},
	}
}

func mappingsLive(ctx context.Context) {
	server := startServer("--stream", "mapped:1", "--function", "consume=http://127.0.0.1:1")
	defer server.stop()
	client := lambda.New(lambda.Options{
		BaseEndpoint: &server.endpoint,
		Region:       "us-east-1",
		Credentials:  account(os.Getenv("AWS_ACCESS_KEY_ID")),
		Retryer:      aws.NopRetryer{},
	})
	arn := aws.String("arn:aws:kinesis:us-east-1:000000000000:stream/mapped")
	made := must(client.CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{
		EventSourceArn:   arn,
		FunctionName:     aws.String("consume"),
		StartingPosition: types.EventSourcePositionTrimHorizon,
		Tags:             map[string]string{"team": "a"},
	}))
	equal(*made.State, "Creating")
	equal(*made.BatchSize, int32(100))
	found := must(client.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: made.UUID}))
	equal(*found.State, "Enabled")
	tags := must(client.ListTags(ctx, &lambda.ListTagsInput{Resource: made.EventSourceMappingArn}))
	equal(tags.Tags, map[string]string{"team": "a"})
	updated := must(client.UpdateEventSourceMapping(ctx, &lambda.UpdateEventSourceMappingInput{
		UUID:      made.UUID,
		BatchSize: aws.Int32(7),
	}))
	equal(*updated.BatchSize, int32(7))
	pages := lambda.NewListEventSourceMappingsPaginator(client, &lambda.ListEventSourceMappingsInput{
		EventSourceArn: arn,
	})
	var listed []string
	for pages.HasMorePages() {
		for _, mapping := range must(pages.NextPage(ctx)).EventSourceMappings {
			listed = append(listed, *mapping.UUID)
		}
	}
	equal(listed, []string{*made.UUID})
	deleted := must(client.DeleteEventSourceMapping(ctx, &lambda.DeleteEventSourceMappingInput{UUID: made.UUID}))
	equal(*deleted.State, "Deleting")
	_, err := client.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: made.UUID})
	broken[*types.ResourceNotFoundException](err, "The resource you requested does not exist.")
}
