// What enqueue is compared with: a file of JSON lines onto the queue with aws-sdk-go-v2, ten a request, 32 in flight.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const (
	inFlight  = 32
	batchSize = 10
	lineMax   = 2 << 20
)

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// The row with an idempotency key, as a producer would make it.
func bodyOf(line []byte) (string, error) {
	row := map[string]json.RawMessage{}
	if err := json.Unmarshal(line, &row); err != nil {
		return "", err
	}
	if len(row["id"]) == 0 || len(row["attributes"]) == 0 {
		return "", fmt.Errorf("no update message: %s", line)
	}
	if _, there := row["idempotency_key"]; !there {
		var key [16]byte
		if _, err := rand.Read(key[:]); err != nil {
			return "", err
		}
		row["idempotency_key"] = json.RawMessage(strconv.Quote(hex.EncodeToString(key[:])))
	}
	body, err := json.Marshal(row)
	return string(body), err
}

func send(client *sqs.Client, url *string, batches <-chan [][]byte) {
	for lines := range batches {
		entries := make([]types.SendMessageBatchRequestEntry, 0, len(lines))
		for number, line := range lines {
			body, err := bodyOf(line)
			fail(err)
			entries = append(entries, types.SendMessageBatchRequestEntry{
				Id: aws.String(strconv.Itoa(number)), MessageBody: &body})
		}
		answer, err := client.SendMessageBatch(context.Background(),
			&sqs.SendMessageBatchInput{QueueUrl: url, Entries: entries})
		fail(err)
		if len(answer.Failed) > 0 {
			fail(fmt.Errorf("refused: %v", answer.Failed))
		}
	}
}

func main() {
	// Without this each host keeps ten connections, and the others are opened anew for each request.
	transport := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = inFlight
	})
	settings, err := config.LoadDefaultConfig(context.Background(), config.WithHTTPClient(transport))
	fail(err)
	client := sqs.NewFromConfig(settings)
	queue, err := client.GetQueueUrl(context.Background(),
		&sqs.GetQueueUrlInput{QueueName: aws.String(os.Getenv("QUEUE_URL"))})
	fail(err)
	file, err := os.Open(os.Args[1])
	fail(err)
	batches := make(chan [][]byte)
	var group sync.WaitGroup
	for range inFlight {
		group.Go(func() { send(client, queue.QueueUrl, batches) })
	}
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 128<<10), lineMax)
	batch := make([][]byte, 0, batchSize)
	for lines.Scan() {
		batch = append(batch, bytes.Clone(lines.Bytes()))
		if len(batch) == batchSize {
			batches <- batch
			batch = make([][]byte, 0, batchSize)
		}
	}
	fail(lines.Err())
	if len(batch) > 0 {
		batches <- batch
	}
	close(batches)
	group.Wait()
}
