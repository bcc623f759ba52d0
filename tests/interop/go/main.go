// Publishes one OrderDelivered for each way in which franz-go's registry client finds a schema's id. The producer's
// partitioner is franz-go's default, which hashes keys as Kafka's own client for Java does. Prints a JSON line for
// each record.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
)

type name struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	text, err := os.ReadFile(os.Args[1])
	check(err)
	var ours name
	check(json.Unmarshal(text, &ours))
	topic := os.Getenv("CARELINE_TOPIC_PREFIX") + "touchpoints"
	subject := fmt.Sprintf("%s-%s.%s", topic, ours.Namespace, ours.Name) // TopicRecordNameStrategy

	registry, err := sr.NewClient(sr.URLs(os.Getenv("CARELINE_REGISTRY_URL")))
	check(err)
	producer, err := kgo.NewClient(
		kgo.SeedBrokers(os.Getenv("CARELINE_KAFKA_BOOTSTRAP")),
		kgo.RequiredAcks(kgo.AllISRAcks()),
	)
	check(err)
	defer producer.Close()

	schema := sr.Schema{Schema: string(text)}
	lookups := []struct {
		by  string
		ask func() (sr.SubjectSchema, error)
	}{
		{"content", func() (sr.SubjectSchema, error) { return registry.LookupSchema(ctx, subject, schema) }},
		{"content, normalized", func() (sr.SubjectSchema, error) {
			return registry.LookupSchema(sr.WithParams(ctx, sr.Normalize), subject, schema)
		}},
		{"latest", func() (sr.SubjectSchema, error) { return registry.SchemaByVersion(ctx, subject, -1) }},
	}
	for _, one := range lookups {
		found, err := one.ask()
		check(err)
		writing := string(text)
		if one.by == "latest" {
			writing = found.Schema.Schema
		}
		customer := os.Args[2] + "-go-" + regexp.MustCompile(`\W+`).ReplaceAllString(one.by, "-")
		body, err := avro.Marshal(avro.MustParse(writing), map[string]any{
			"event_id": uuid.NewString(), "customer_id": customer, "occurred_at": time.Now().UTC(),
			"source": "urn:interop:go", "order_id": "o-1",
		})
		check(err)
		var header sr.ConfluentHeader
		value, err := header.AppendEncode(nil, found.ID, nil)
		check(err)
		record := &kgo.Record{Topic: topic, Key: []byte(customer), Value: append(value, body...)}
		sent, err := producer.ProduceSync(ctx, record).First()
		check(err)
		said, err := json.Marshal(map[string]any{
			"by": one.by, "id": found.ID, "customer_id": customer, "partition": sent.Partition,
			"schema": strings.TrimSpace(writing),
		})
		check(err)
		fmt.Println(string(said))
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
