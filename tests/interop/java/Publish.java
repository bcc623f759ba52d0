import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Publishes one OrderDelivered for each way in which Confluent's serializer for Java finds a schema's id.
 *
 * <p>The requests are those of io.confluent:kafka-avro-serializer 7 (AbstractKafkaAvroSerializer, RestService), with
 * the text that Avro's own Schema.toString writes; the producer is Kafka's own, with its default partitioner. Prints
 * a JSON line for each record.
 */
public class Publish {
  static final ObjectMapper JSON = new ObjectMapper();
  static final HttpClient HTTP = HttpClient.newHttpClient();
  static final String REGISTRY = System.getenv("CARELINE_REGISTRY_URL");

  public static void main(String[] args) throws Exception {
    String text = Files.readString(Path.of(args[0]));
    Schema ours = new Schema.Parser().parse(text);
    String topic = System.getenv("CARELINE_TOPIC_PREFIX") + "touchpoints";
    String subject = topic + "-" + ours.getFullName(); // TopicRecordNameStrategy
    Map<String, Object> settings =
        Map.of("bootstrap.servers", System.getenv("CARELINE_KAFKA_BOOTSTRAP"), "acks", "all");
    try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer())) {
      for (String by : new String[] {"content", "content, normalized", "latest"}) {
        Schema schema = by.equals("latest") ? latest(subject) : ours;
        int id = lookUp(subject, schema, by.equals("content, normalized"));
        String customer = args[1] + "-java-" + by.replaceAll("\\W+", "-");
        byte[] value = framed(id, schema, customer);
        var sent = producer.send(new ProducerRecord<>(topic, customer, value)).get();
        Map<String, Object> said =
            Map.of("by", by, "id", id, "customer_id", customer, "partition", sent.partition(), "schema", schema.toString());
        System.out.println(JSON.writeValueAsString(said));
      }
    }
  }

  static Schema latest(String subject) throws Exception {
    var request = HttpRequest.newBuilder(at(subject, "/versions/latest")).GET();
    return new Schema.Parser().parse(answer(request).get("schema").asText());
  }

  static int lookUp(String subject, Schema schema, boolean normalize) throws Exception {
    String body = JSON.writeValueAsString(Map.of("schema", schema.toString()));
    var request = HttpRequest.newBuilder(at(subject, "?normalize=" + normalize + "&deleted=false"))
        .header("Content-Type", "application/vnd.schemaregistry.v1+json")
        .POST(HttpRequest.BodyPublishers.ofString(body));
    return answer(request).get("id").asInt();
  }

  static URI at(String subject, String rest) {
    return URI.create(REGISTRY + "/subjects/" + URLEncoder.encode(subject, StandardCharsets.UTF_8) + rest);
  }

  static JsonNode answer(HttpRequest.Builder request) throws Exception {
    var response = HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
    if (response.statusCode() != 200) {
      throw new IllegalStateException(response.uri() + ": " + response.statusCode() + " " + response.body());
    }
    return JSON.readTree(response.body());
  }

  static byte[] framed(int id, Schema schema, String customer) throws Exception {
    var event = new GenericData.Record(schema);
    for (Schema.Field field : schema.getFields()) { // what it does not know of a later version, it leaves at its default
      if (field.hasDefaultValue()) {
        event.put(field.pos(), GenericData.get().getDefaultValue(field));
      }
    }
    event.put("event_id", UUID.randomUUID().toString());
    event.put("customer_id", customer);
    event.put("occurred_at", System.currentTimeMillis());
    event.put("source", "urn:interop:java");
    event.put("order_id", "o-1");
    var out = new ByteArrayOutputStream();
    out.write(0);
    out.write(ByteBuffer.allocate(4).putInt(id).array());
    var encoder = EncoderFactory.get().directBinaryEncoder(out, null);
    new GenericDatumWriter<>(schema).write(event, encoder);
    return out.toByteArray();
  }
}
