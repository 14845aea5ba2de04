package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

var (
	endpoint        = os.Getenv("ENDPOINT")
	tlsEndpoint     = os.Getenv("TLS_ENDPOINT")
	virtualEndpoint = os.Getenv("VIRTUAL_ENDPOINT")
	long            = os.Getenv("LONG") == "true"
)

// connect makes a client of an endpoint. It does not retry: retries would hide errors of the server.
func connect(endpoint string, more ...func(*kinesis.Options)) *kinesis.Client {
	return kinesis.New(kinesis.Options{
		BaseEndpoint: &endpoint,
		Region:       "us-east-1",
		Credentials:  account(os.Getenv("AWS_ACCESS_KEY_ID")),
		Retryer:      aws.NopRetryer{},
		HTTPClient:   patient{awshttp.NewBuildableClient()},
	}, more...)
}

// A patient client hides that the body of a request can write itself (io.WriterTo). Once an answer
// begins, the SDK closes that body, and writing a closed one fails with io.EOF; net/http, which looks
// for surplus bytes after the last, then takes the request for broken and closes the connection
// under the answer. A server that answers within those microseconds, as one on the same machine
// does, would lose many an answer that way (aws-sdk-go-v2 issues 1825 and 2737; its default retries
// hide it, except from event streams). Reading a closed body fails nothing.
type patient struct{ kinesis.HTTPClient }

func (client patient) Do(request *http.Request) (*http.Response, error) {
	if request.Body != nil {
		request.Body = struct{ io.ReadCloser }{request.Body}
	}
	return client.HTTPClient.Do(request)
}

func account(accessKey string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: "secret"}, nil
	})
}

func inRegion(region string) func(*kinesis.Options) {
	return func(options *kinesis.Options) { options.Region = region }
}

func inAccount(id string) func(*kinesis.Options) {
	return func(options *kinesis.Options) { options.Credentials = account(id) }
}

// withDefaultRetries retries as users' clients do.
func withDefaultRetries(options *kinesis.Options) {
	options.Retryer = retry.NewStandard()
}

// trustingAuthority verifies minikin's certificate by the authority that it hands out.
func trustingAuthority(options *kinesis.Options) {
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(must(os.ReadFile(os.Getenv("CA_FILE"))))
	options.HTTPClient = patient{awshttp.NewBuildableClient().WithTransportOptions(func(transport *http.Transport) {
		transport.TLSClientConfig = &tls.Config{RootCAs: authorities}
	})}
}

func advanceClock(duration time.Duration) {
	body := fmt.Appendf(nil, `{"advance_ms": %d}`, duration.Milliseconds())
	answer := must(http.Post(virtualEndpoint+"/_minikin/clock", "application/json", bytes.NewReader(body)))
	answer.Body.Close()
	equal(answer.StatusCode, http.StatusOK)
}

func newName() *string {
	return aws.String("stream-" + rand.Text()[:12])
}

// createStream makes a new stream and waits until it is ACTIVE.
func createStream(ctx context.Context, client *kinesis.Client, shards int32) *string {
	name := newName()
	must(client.CreateStream(ctx, &kinesis.CreateStreamInput{
		StreamName: name,
		ShardCount: &shards,
	}))
	awaitActive(ctx, client, name)
	return name
}

func awaitActive(ctx context.Context, client *kinesis.Client, name *string) {
	waiter := kinesis.NewStreamExistsWaiter(client)
	input := &kinesis.DescribeStreamInput{StreamName: name}
	if err := waiter.Wait(ctx, input, time.Minute); err != nil {
		fail("%v", err)
	}
}

func summary(ctx context.Context, client *kinesis.Client, name *string) *types.StreamDescriptionSummary {
	input := &kinesis.DescribeStreamSummaryInput{StreamName: name}
	return must(client.DescribeStreamSummary(ctx, input)).StreamDescriptionSummary
}

func put(ctx context.Context, client *kinesis.Client, name *string, key string, data []byte) *kinesis.PutRecordOutput {
	input := &kinesis.PutRecordInput{StreamName: name, PartitionKey: &key, Data: data}
	return must(client.PutRecord(ctx, input))
}

// iterator makes one of a shard; the position is for the types that need one.
func iterator(
	ctx context.Context, client *kinesis.Client, name *string, shard string,
	position types.StartingPosition,
) *string {
	return must(client.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
		StreamName:             name,
		ShardId:                &shard,
		ShardIteratorType:      position.Type,
		StartingSequenceNumber: position.SequenceNumber,
		Timestamp:              position.Timestamp,
	})).ShardIterator
}

var fromStart = types.StartingPosition{Type: types.ShardIteratorTypeTrimHorizon}
var fromTip = types.StartingPosition{Type: types.ShardIteratorTypeLatest}

// read returns the records of a shard from a position to its tip, or to its end if it is closed.
func read(
	ctx context.Context, client *kinesis.Client, name *string, shard string,
	position types.StartingPosition,
) []types.Record {
	var records []types.Record
	next := iterator(ctx, client, name, shard, position)
	for {
		page := must(client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: next}))
		records = append(records, page.Records...)
		if *page.MillisBehindLatest == 0 || page.NextShardIterator == nil {
			return records
		}
		next = page.NextShardIterator
	}
}

func dataOf(records []types.Record) []string {
	data := []string{}
	for _, record := range records {
		data = append(data, string(record.Data))
	}
	return data
}

func shardID(index int) string {
	return fmt.Sprintf("shardId-%012d", index)
}
