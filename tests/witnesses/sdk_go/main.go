// What aws-sdk-go-v2 decides: reads a world a line (JSON: "environment", "profile"), writes an answer a line. It asks
// no service but those that give credentials: the requests to DynamoDB and SQS end where they would be sent.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

type world struct {
	Environment map[string]string `json:"environment"`
	Profile     *string           `json:"profile"`
}

type answer struct {
	Provider string `json:"provider,omitempty"`
	Key      string `json:"key,omitempty"`
	Account  string `json:"account"`
	Region   string `json:"region,omitempty"`
	Sqs      string `json:"sqs,omitempty"`
	Dynamodb string `json:"dynamodb,omitempty"`
	Refused  string `json:"refused,omitempty"`
}

const crc32OfBody = "2745614147" // the checksum of {}, which the SDK looks at

// Ends requests where they would be sent, and keeps where that is.
type last struct{ url string }

func (l *last) Do(request *http.Request) (*http.Response, error) {
	l.url = strings.TrimRight(request.URL.String(), "/")
	body := io.NopCloser(strings.NewReader("{}"))
	header := http.Header{"X-Amz-Crc32": {crc32OfBody}}
	return &http.Response{StatusCode: 200, Header: header, Body: body, Request: request}, nil
}

func decide(w world) (answer, error) {
	var a answer
	kept := map[string]string{"HOME": os.Getenv("HOME"), "PATH": os.Getenv("PATH")}
	os.Clearenv()
	for name, value := range kept {
		os.Setenv(name, value)
	}
	for name, value := range w.Environment {
		os.Setenv(name, value)
	}
	// A service that isn't there is waited for by nobody.
	limit, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var options []func(*config.LoadOptions) error
	if w.Profile != nil {
		options = append(options, config.WithSharedConfigProfile(*w.Profile))
	}
	c, err := config.LoadDefaultConfig(limit, options...)
	if err != nil {
		return a, err
	}
	credentials, err := c.Credentials.Retrieve(limit)
	if err != nil {
		return a, err
	}
	if c.Region == "" {
		return a, fmt.Errorf("no region")
	}
	a = answer{Provider: credentials.Source, Key: credentials.AccessKeyID, Account: credentials.AccountID}
	a.Region = c.Region
	c.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	var seen last
	c.HTTPClient = &seen
	_, _ = sqs.NewFromConfig(c).ListQueues(limit, &sqs.ListQueuesInput{})
	a.Sqs = seen.url
	seen.url = ""
	_, _ = dynamodb.NewFromConfig(c).DescribeLimits(limit, &dynamodb.DescribeLimitsInput{})
	a.Dynamodb = seen.url
	return a, nil
}

// One transaction, and nothing else: for tests/bench/first_transaction.py.
func transact() {
	ctx := context.Background()
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		panic(err)
	}
	_, err = dynamodb.NewFromConfig(c).TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
		TransactItems: []types.TransactWriteItem{{Update: &types.Update{
			TableName:                 aws.String("users"),
			Key:                       map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "a"}},
			UpdateExpression:          aws.String("SET #1 = :1"),
			ExpressionAttributeNames:  map[string]string{"#1": "name"},
			ExpressionAttributeValues: map[string]types.AttributeValue{":1": &types.AttributeValueMemberS{Value: "Ada"}},
		}}},
	})
	if err != nil {
		panic(err)
	}
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "transact" {
		transact()
		return
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for in.Scan() {
		var w world
		if err := json.Unmarshal(in.Bytes(), &w); err != nil {
			panic(err)
		}
		a, err := decide(w)
		if err != nil {
			a = answer{Refused: err.Error()}
		}
		if err := out.Encode(a); err != nil {
			panic(err)
		}
	}
}
