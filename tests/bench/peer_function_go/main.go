// The function as people write it in Go, with aws-lambda-go and aws-sdk-go-v2, for provided.al2023: an update message
// or an event of SQS; each update and its audit record in one transaction. Members that aren't known or have another
// type are refused, an update whose audit record is there counts as applied if it asks for the same, and attributes are
// in the order of their names, so that a repetition is the same request. It checks less than table-updater does: no
// sizes, digits, depths or index keys, and a condition is taken to be a comparison with a number, as the messages of the
// measurements have it.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

const atOnce = 64

type update struct {
	ID            string                     `json:"id"`
	Attributes    map[string]json.RawMessage `json:"attributes"`
	Condition     string                     `json:"condition_expression"`
	EnableLogging bool                       `json:"enable_logging"`
	Key           string                     `json:"idempotency_key"`
}

// Of what the update asks for.
func (u *update) hash() string {
	asked, _ := json.Marshal(struct {
		ID         string
		Attributes map[string]json.RawMessage
		Condition  string
	}{u.ID, u.Attributes, u.Condition})
	sum := sha256.Sum256(asked)
	return hex.EncodeToString(sum[:])
}

type response struct {
	Success           bool           `json:"success"`
	Error             string         `json:"error,omitempty"`
	Message           string         `json:"message"`
	Details           map[string]any `json:"details,omitempty"`
	UpdatedID         string         `json:"updated_id,omitempty"`
	UpdatedAttributes []string       `json:"updated_attributes,omitempty"`
	Timestamp         string         `json:"timestamp"`
}

type function struct {
	client       *dynamodb.Client
	table, audit string
}

func now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func failed(name, message string, details map[string]any) response {
	return response{Error: name, Message: message, Details: details, Timestamp: now()}
}

func value(v any) types.AttributeValue {
	switch v := v.(type) {
	case string:
		return text(v)
	case json.Number:
		return &types.AttributeValueMemberN{Value: v.String()}
	case bool:
		return &types.AttributeValueMemberBOOL{Value: v}
	case []any:
		list := make([]types.AttributeValue, len(v))
		for i, element := range v {
			list[i] = value(element)
		}
		return &types.AttributeValueMemberL{Value: list}
	case map[string]any:
		members := make(map[string]types.AttributeValue, len(v))
		for name, member := range v {
			members[name] = value(member)
		}
		return &types.AttributeValueMemberM{Value: members}
	}
	return &types.AttributeValueMemberNULL{Value: true}
}

func decode(raw json.RawMessage) (types.AttributeValue, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var decoded any
	if err := decoder.Decode(&decoded); err != nil {
		return nil, err
	}
	return value(decoded), nil
}

func (f *function) transaction(u *update, key string) (*dynamodb.TransactWriteItemsInput, error) {
	names := map[string]string{"#id": "id"}
	values := map[string]types.AttributeValue{}
	attributes := map[string]types.AttributeValue{}
	var sets []string
	for _, name := range slices.Sorted(maps.Keys(u.Attributes)) {
		raw := u.Attributes[name]
		decoded, err := decode(raw)
		if err != nil {
			return nil, err
		}
		n := len(sets)
		attributes[name] = decoded
		names[fmt.Sprintf("#%d", n)], values[fmt.Sprintf(":%d", n)] = name, decoded
		sets = append(sets, fmt.Sprintf("#%d = :%d", n, n))
	}
	condition := "attribute_exists(#id)"
	if parts := strings.Fields(u.Condition); len(parts) == 3 {
		names["#c"], values[":c"] = parts[0], &types.AttributeValueMemberN{Value: parts[2]}
		condition += " AND #c " + parts[1] + " :c"
	}
	items := []types.TransactWriteItem{{Update: &types.Update{
		TableName:                           &f.table,
		Key:                                 map[string]types.AttributeValue{"id": text(u.ID)},
		UpdateExpression:                    aws.String("SET " + strings.Join(sets, ", ")),
		ConditionExpression:                 &condition,
		ExpressionAttributeNames:            names,
		ExpressionAttributeValues:           values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}}
	if u.EnableLogging {
		id := sha256.Sum256([]byte(f.table + "\x00" + key))
		items = append(items, types.TransactWriteItem{Put: &types.Put{
			TableName:           &f.audit,
			ConditionExpression: aws.String("attribute_not_exists(log_id)"),

			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
			Item: map[string]types.AttributeValue{
				"log_id":             text(hex.EncodeToString(id[:])),
				"timestamp":          text(now()),
				"table_name":         text(f.table),
				"record_id":          text(u.ID),
				"updated_attributes": &types.AttributeValueMemberM{Value: attributes},
				"user_agent":         text("peer"),
				"status":             text("success"),
				"idempotency_key":    text(key),
				"request_hash":       text(u.hash()),
				"record_key":         text(u.ID),
			},
		}})
	}
	token := sha256.Sum256([]byte(key + "\x00" + f.table))
	return &dynamodb.TransactWriteItemsInput{
		TransactItems:      items,
		ClientRequestToken: aws.String(hex.EncodeToString(token[:])[:36]),
	}, nil
}

func applied(u *update) response {
	return response{
		Success: true, Message: "Record updated successfully", UpdatedID: u.ID,
		UpdatedAttributes: slices.Sorted(maps.Keys(u.Attributes)), Timestamp: now(),
	}
}

// Whether the key's audit record was there.
func isRepetition(reasons []types.CancellationReason) bool {
	return len(reasons) > 1 && aws.ToString(reasons[1].Code) == "ConditionalCheckFailed"
}

// Whether it was there, of an update that asked for the same.
func appliedBefore(u *update, reasons []types.CancellationReason) bool {
	if !isRepetition(reasons) {
		return false
	}
	hash, ok := reasons[1].Item["request_hash"].(*types.AttributeValueMemberS)
	return ok && hash.Value == u.hash()
}

func (f *function) apply(ctx context.Context, body []byte, key string) response {
	var u update
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&u); err != nil || decoder.More() {
		return failed("InvalidInputError", "The message is not JSON of the right shape", nil)
	}
	if u.ID == "" || len(u.Attributes) == 0 {
		return failed("InvalidInputError", "ID and attributes are required", nil)
	}
	if u.Key != "" {
		key = u.Key
	}
	input, err := f.transaction(&u, key)
	if err != nil {
		return failed("InvalidInputError", "An attribute is not JSON", nil)
	}
	if _, err = f.client.TransactWriteItems(ctx, input); err != nil {
		var cancelled *types.TransactionCanceledException
		var api smithy.APIError
		switch {
		case errors.As(err, &cancelled) && appliedBefore(&u, cancelled.CancellationReasons):
			return applied(&u)
		case errors.As(err, &cancelled) && len(cancelled.CancellationReasons) > 0:
			name := "RecordNotFoundError"
			if isRepetition(cancelled.CancellationReasons) {
				name = "ValidationError"
			} else if cancelled.CancellationReasons[0].Item != nil {
				name = "ConditionalCheckFailed"
			}
			return failed(name, "The record was not updated", map[string]any{"id": u.ID})
		case errors.As(err, &api):
			return failed("DatabaseError", "The database failed", map[string]any{"code": api.ErrorCode()})
		}
		return failed("DatabaseError", "The database failed", map[string]any{"code": "ConnectionError"})
	}
	return applied(&u)
}

func (f *function) batch(ctx context.Context, records []events.SQSMessage) events.SQSEventResponse {
	var wait sync.WaitGroup
	var mutex sync.Mutex
	answer := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	places := make(chan struct{}, atOnce)
	for i := range records {
		places <- struct{}{}
		wait.Add(1)
		go func(record *events.SQSMessage) {
			defer func() { <-places; wait.Done() }()
			if !f.apply(ctx, []byte(record.Body), record.MessageId).Success {
				mutex.Lock()
				defer mutex.Unlock()
				failure := events.SQSBatchItemFailure{ItemIdentifier: record.MessageId}
				answer.BatchItemFailures = append(answer.BatchItemFailures, failure)
			}
		}(&records[i])
	}
	wait.Wait()
	return answer
}

func (f *function) handle(ctx context.Context, event json.RawMessage) (any, error) {
	var records struct {
		Records []events.SQSMessage `json:"Records"`
	}
	if err := json.Unmarshal(event, &records); err == nil && len(records.Records) > 0 {
		return f.batch(ctx, records.Records), nil
	}
	invocation, _ := lambdacontext.FromContext(ctx)
	return f.apply(ctx, event, invocation.AwsRequestID), nil
}

func main() {
	client := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = atOnce
	})
	loaded, err := config.LoadDefaultConfig(context.Background(), config.WithHTTPClient(client))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	f := function{dynamodb.NewFromConfig(loaded), os.Getenv("TABLE_NAME"), os.Getenv("AUDIT_LOG_TABLE")}
	lambda.Start(f.handle)
}
