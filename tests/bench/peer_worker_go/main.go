// The same work as people do it with aws-sdk-go-v2: goroutines that receive ten, write each with its audit record in
// one transaction, delete the ten.
//
// Works until the queue gives nothing any more. The settings are table-updater's own variables (TABLE_NAME,
// AUDIT_LOG_TABLE, QUEUE_URL, AWS_...); PEER_TASKS: how many receive at once.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// A message of the measurements. Its condition is a name, an operator, a number.
type updateMessage struct {
	ID                  string         `json:"id"`
	Attributes          map[string]any `json:"attributes"`
	ConditionExpression string         `json:"condition_expression"`
	EnableLogging       bool           `json:"enable_logging"`
}

type worker struct {
	sqs               *sqs.Client
	dynamodb          *dynamodb.Client
	queue             *string
	table, auditTable string
}

func attributeValue(value any) (dynamodbtypes.AttributeValue, error) {
	switch value := value.(type) {
	case nil:
		return &dynamodbtypes.AttributeValueMemberNULL{Value: true}, nil
	case bool:
		return &dynamodbtypes.AttributeValueMemberBOOL{Value: value}, nil
	case json.Number:
		return &dynamodbtypes.AttributeValueMemberN{Value: value.String()}, nil
	case string:
		return &dynamodbtypes.AttributeValueMemberS{Value: value}, nil
	case []any:
		list := make([]dynamodbtypes.AttributeValue, len(value))
		for n, item := range value {
			var err error
			if list[n], err = attributeValue(item); err != nil {
				return nil, err
			}
		}
		return &dynamodbtypes.AttributeValueMemberL{Value: list}, nil
	case map[string]any:
		members, err := attributeMap(value)
		return &dynamodbtypes.AttributeValueMemberM{Value: members}, err
	}
	return nil, fmt.Errorf("no JSON value: %T", value)
}

func attributeMap(members map[string]any) (map[string]dynamodbtypes.AttributeValue, error) {
	result := make(map[string]dynamodbtypes.AttributeValue, len(members))
	for name, value := range members {
		var err error
		if result[name], err = attributeValue(value); err != nil {
			return nil, err
		}
	}
	return result, nil
}

func parse(body string) (*updateMessage, error) {
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	var update updateMessage
	if err := decoder.Decode(&update); err != nil {
		return nil, err
	}
	if update.ID == "" || len(update.Attributes) == 0 {
		return nil, errors.New("ID and attributes are required")
	}
	return &update, nil
}

func (w *worker) recordUpdate(update *updateMessage, values map[string]dynamodbtypes.AttributeValue) (
	*dynamodbtypes.Update, error) {
	words := strings.Fields(update.ConditionExpression)
	if len(words) != 3 {
		return nil, errors.New("the condition is no comparison of a name and a number")
	}
	names := map[string]string{"#id": "id", "#c": words[0]}
	bound := map[string]dynamodbtypes.AttributeValue{":c": &dynamodbtypes.AttributeValueMemberN{Value: words[2]}}
	sets := make([]string, 0, len(values))
	for name, value := range values {
		number := strconv.Itoa(len(sets))
		names["#"+number], bound[":"+number] = name, value
		sets = append(sets, "#"+number+" = :"+number)
	}
	return &dynamodbtypes.Update{
		TableName: &w.table,
		Key: map[string]dynamodbtypes.AttributeValue{
			"id": &dynamodbtypes.AttributeValueMemberS{Value: update.ID},
		},
		UpdateExpression:                    aws.String("SET " + strings.Join(sets, ", ")),
		ConditionExpression:                 aws.String("attribute_exists(#id) AND #c " + words[1] + " :c"),
		ExpressionAttributeNames:            names,
		ExpressionAttributeValues:           bound,
		ReturnValuesOnConditionCheckFailure: dynamodbtypes.ReturnValuesOnConditionCheckFailureAllOld,
	}, nil
}

func (w *worker) auditRecord(message *sqstypes.Message, update *updateMessage,
	values map[string]dynamodbtypes.AttributeValue) *dynamodbtypes.Put {
	text := func(value string) dynamodbtypes.AttributeValue {
		return &dynamodbtypes.AttributeValueMemberS{Value: value}
	}
	logID := sha256.Sum256([]byte(w.table + "\x00" + *message.MessageId))
	hash := sha256.Sum256([]byte(*message.Body))
	return &dynamodbtypes.Put{
		TableName: &w.auditTable,
		Item: map[string]dynamodbtypes.AttributeValue{
			"log_id":             text(hex.EncodeToString(logID[:])),
			"timestamp":          text(time.Now().UTC().Format(time.RFC3339Nano)),
			"table_name":         text(w.table),
			"record_id":          text(update.ID),
			"updated_attributes": &dynamodbtypes.AttributeValueMemberM{Value: values},
			"user_agent":         text("peer"),
			"status":             text("success"),
			"idempotency_key":    text(*message.MessageId),
			"request_hash":       text(hex.EncodeToString(hash[:])),
		},
		ConditionExpression: aws.String("attribute_not_exists(log_id)"),
	}
}

func (w *worker) apply(ctx context.Context, message *sqstypes.Message) error {
	update, err := parse(*message.Body)
	if err != nil {
		return err
	}
	values, err := attributeMap(update.Attributes)
	if err != nil {
		return err
	}
	change, err := w.recordUpdate(update, values)
	if err != nil {
		return err
	}
	items := []dynamodbtypes.TransactWriteItem{{Update: change}}
	if update.EnableLogging {
		items = append(items, dynamodbtypes.TransactWriteItem{Put: w.auditRecord(message, update, values)})
	}
	_, err = w.dynamodb.TransactWriteItems(ctx,
		&dynamodb.TransactWriteItemsInput{TransactItems: items, ClientRequestToken: message.MessageId})
	return err
}

func (w *worker) delete(ctx context.Context, messages []sqstypes.Message) error {
	entries := make([]sqstypes.DeleteMessageBatchRequestEntry, len(messages))
	for n, message := range messages {
		entries[n] = sqstypes.DeleteMessageBatchRequestEntry{
			Id: aws.String(strconv.Itoa(n)), ReceiptHandle: message.ReceiptHandle}
	}
	answer, err := w.sqs.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: w.queue, Entries: entries})
	if err == nil && len(answer.Failed) > 0 {
		err = fmt.Errorf("not deleted: %v", answer.Failed)
	}
	return err
}

func (w *worker) work(ctx context.Context) error {
	for {
		answer, err := w.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl:            w.queue,
			MaxNumberOfMessages: 10,
			WaitTimeSeconds:     1,
			MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{
				sqstypes.MessageSystemAttributeNameApproximateReceiveCount,
				sqstypes.MessageSystemAttributeNameSentTimestamp,
			},
		})
		if err != nil || len(answer.Messages) == 0 {
			return err
		}
		for n := range answer.Messages {
			if err := w.apply(ctx, &answer.Messages[n]); err != nil {
				return err
			}
		}
		if err := w.delete(ctx, answer.Messages); err != nil {
			return err
		}
	}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	ctx := context.Background()
	tasks, err := strconv.Atoi(os.Getenv("PEER_TASKS"))
	fail(err)
	// Without this each host keeps ten connections, and the others are opened anew for each request.
	transport := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = tasks
	})
	settings, err := config.LoadDefaultConfig(ctx, config.WithHTTPClient(transport))
	fail(err)
	w := worker{
		sqs:        sqs.NewFromConfig(settings),
		dynamodb:   dynamodb.NewFromConfig(settings),
		table:      os.Getenv("TABLE_NAME"),
		auditTable: os.Getenv("AUDIT_LOG_TABLE"),
	}
	named, err := w.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(os.Getenv("QUEUE_URL"))})
	fail(err)
	w.queue = named.QueueUrl
	var group sync.WaitGroup
	for range tasks {
		group.Go(func() { fail(w.work(ctx)) })
	}
	group.Wait()
}
