// Command send-update sends update messages with the AWS SDK for Go v2: go run . QUEUE_URL ORDER_ID
//
// Traps of Go, and what is done about them here:
//   - A number that was decoded into an any is a float64: beyond 2^53 its digits are lost. Decode with UseNumber(), and
//     send a json.Number, or text in typed_attributes.
//   - A []byte becomes base64 text, which is stored as a string: binary values go into typed_attributes.
//   - A nil slice or map becomes null, which no optional member may be, and omitempty leaves out false and 0, which are
//     meant: members are pointers or maps where their absence means something.
//   - encoding/json writes < and & as \u003c and \u0026. That is the same text, and does no harm.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Update is an update message.
type Update struct {
	ID              any                       `json:"id"`
	Attributes      map[string]any            `json:"attributes,omitempty"`
	TypedAttributes map[string]map[string]any `json:"typed_attributes,omitempty"`
	Increment       map[string]json.Number    `json:"increment,omitempty"`
	Condition       string                    `json:"condition_expression,omitempty"`
	EnableLogging   *bool                     `json:"enable_logging,omitempty"` // nil: the setting decides
	IdempotencyKey  string                    `json:"idempotency_key,omitempty"`
}

// Shipped is the update that follows an order's shipping. Its key is the event's own name: whoever sends it, and however
// often, it happens once.
func Shipped(orderID string) Update {
	return Update{
		ID:         orderID,
		Attributes: map[string]any{"state": "shipped", "note": `Größe < 5 & "blue"`, "price": 19.99},
		TypedAttributes: map[string]map[string]any{
			"serial": {"N": strconv.FormatUint(12345678901234567890, 10)},
			"weight": {"N": "0.1000000000000000055511151231257827"},
			"label":  {"B": base64.StdEncoding.EncodeToString([]byte{0, 255})},
			"tags":   {"SS": []string{"fragile", "gift"}},
		},
		Increment:      map[string]json.Number{"parcels": "1"},
		Condition:      "state <> 'cancelled' AND parcels < 5",
		EnableLogging:  aws.Bool(true),
		IdempotencyKey: "order:" + orderID + ":shipped",
	}
}

// Send sends in batches of ten; what fails is sent again, for the same key has one effect.
func Send(ctx context.Context, client *sqs.Client, queueURL string, updates []Update) error {
	waiting := make(map[string]types.SendMessageBatchRequestEntry, len(updates))
	for at, update := range updates {
		body, err := json.Marshal(update) // an error for NaN and Infinity
		if err != nil {
			return err
		}
		id := strconv.Itoa(at)
		waiting[id] = types.SendMessageBatchRequestEntry{Id: aws.String(id), MessageBody: aws.String(string(body))}
	}
	for tries := 0; tries < 5 && len(waiting) > 0; tries++ {
		var batch []types.SendMessageBatchRequestEntry
		for at := range updates {
			if entry, ok := waiting[strconv.Itoa(at)]; ok {
				batch = append(batch, entry)
			}
			if len(batch) == 10 || (at == len(updates)-1 && len(batch) > 0) {
				sent, err := client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &queueURL, Entries: batch})
				if err != nil {
					return err
				}
				for _, entry := range sent.Successful {
					delete(waiting, *entry.Id)
				}
				batch = nil
			}
		}
	}
	if len(waiting) > 0 {
		return fmt.Errorf("%d messages could not be sent", len(waiting))
	}
	return nil
}

func main() {
	ctx := context.Background()
	configuration, err := config.LoadDefaultConfig(ctx)
	if err == nil {
		err = Send(ctx, sqs.NewFromConfig(configuration), os.Args[1], []Update{Shipped(os.Args[2])})
	}
	if err != nil {
		log.Fatal(err)
	}
}
