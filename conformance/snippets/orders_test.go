// Package orders has a test that starts minikin.
package orders

import (
	"bufio"
	"cmp"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

func startMinikin(t *testing.T) *kinesis.Client {
	minikin := exec.Command(cmp.Or(os.Getenv("MINIKIN"), "minikin"), "--port", "0", "--stream", "orders:2")
	output, err := minikin.StdoutPipe()
	if err != nil || minikin.Start() != nil {
		t.Fatal("minikin does not start")
	}
	t.Cleanup(func() { minikin.Process.Signal(os.Interrupt); minikin.Wait() })
	// "Listening on 127.0.0.1:41234", perhaps more addresses, and "Ready." at the end.
	address := ""
	for lines := bufio.NewScanner(output); lines.Scan() && lines.Text() != "Ready."; {
		words := strings.Fields(lines.Text())
		address = cmp.Or(address, words[len(words)-1])
	}
	return kinesis.New(kinesis.Options{
		BaseEndpoint: aws.String("http://" + address),
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
}

func TestAnOrderIsPut(t *testing.T) {
	ctx, client := context.Background(), startMinikin(t)
	orders := aws.String("orders")
	put, err := client.PutRecord(ctx, &kinesis.PutRecordInput{
		StreamName: orders, PartitionKey: aws.String("customer-7"), Data: []byte(`{"total":3}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	start, err := client.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
		StreamName: orders, ShardId: put.ShardId, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: start.ShardIterator})
	if err != nil || len(got.Records) != 1 || string(got.Records[0].Data) != `{"total":3}` {
		t.Fatal(got, err)
	}
}
