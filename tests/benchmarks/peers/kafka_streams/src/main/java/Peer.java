import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * The simple aggregate per customer in Kafka Streams, exactly_once_v2: how many touchpoints, when the last one
 * occurred, the latest 16 event ids. Runs until it is killed.
 *
 * <p>Arguments: bootstrap servers, topic, application id, directory of the schemas (ID.avsc), directory for the
 * state, size of the cache in bytes (0 for none).
 */
public final class Peer {
    private static final int LATEST = 16;

    private static final Schema AGGREGATE = new Schema.Parser().parse("""
        {"type": "record", "name": "Aggregate", "fields": [
          {"name": "touchpoints", "type": "long"},
          {"name": "last", "type": "long"},
          {"name": "latest", "type": {"type": "array", "items": "string"}}]}""");

    private Peer() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        Map<Integer, GenericDatumReader<GenericRecord>> readers = readers(Path.of(args[3]));

        Properties settings = new Properties();
        settings.put("bootstrap.servers", args[0]);
        settings.put("application.id", args[2]);
        settings.put("state.dir", args[4]);
        settings.put("statestore.cache.max.bytes", args[5]);
        settings.put("processing.guarantee", "exactly_once_v2");
        settings.put("num.stream.threads", "1");
        settings.put("commit.interval.ms", "100");
        settings.put("replication.factor", "1");
        settings.put("auto.offset.reset", "earliest");
        settings.put("max.poll.records", "5000");
        settings.put("producer.compression.type", "lz4");
        settings.put("producer.linger.ms", "5");

        Serde<String> keys = Serdes.String();
        Serde<GenericRecord> touchpoints = Serdes.serdeFrom(refusing(), touchpoints(readers));
        Serde<GenericRecord> aggregates = Serdes.serdeFrom(writer(), reader());
        StreamsBuilder builder = new StreamsBuilder();
        AtomicBoolean begun = new AtomicBoolean();
        builder.stream(args[1], Consumed.with(keys, touchpoints))
            .peek((customer, event) -> {
                if (!begun.getPlain() && begun.compareAndSet(false, true)) {
                    System.out.printf(Locale.ROOT, "first event at %.3f%n", System.currentTimeMillis() / 1e3);
                    System.out.flush();
                }
            })
            .groupByKey(Grouped.with(keys, touchpoints))
            .aggregate(
                () -> null,
                (customer, event, before) -> add(event, before),
                Materialized.<String, GenericRecord, KeyValueStore<Bytes, byte[]>>as("aggregates")
                    .withKeySerde(keys)
                    .withValueSerde(aggregates));

        KafkaStreams streams = new KafkaStreams(builder.build(), settings);
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
            return StreamThreadExceptionResponse.SHUTDOWN_APPLICATION;
        });
        streams.start();
        Thread.currentThread().join();
    }

    private static GenericRecord add(GenericRecord event, GenericRecord before) {
        List<Object> latest = new ArrayList<>(LATEST + 1);
        long touchpoints = 0;
        long last = 0;
        if (before != null) {
            touchpoints = (Long) before.get("touchpoints");
            last = (Long) before.get("last");
            latest.addAll((List<?>) before.get("latest"));
        }
        latest.add(event.get("event_id"));
        if (latest.size() > LATEST) {
            latest.remove(0);
        }
        GenericRecord after = new GenericData.Record(AGGREGATE);
        after.put("touchpoints", touchpoints + 1);
        after.put("last", Math.max(last, (Long) event.get("occurred_at")));
        after.put("latest", latest);
        return after;
    }

    private static Map<Integer, GenericDatumReader<GenericRecord>> readers(Path directory) throws IOException {
        Map<Integer, GenericDatumReader<GenericRecord>> found = new HashMap<>();
        try (var files = Files.newDirectoryStream(directory, "*.avsc")) {
            for (Path file : files) {
                int id = Integer.parseInt(file.getFileName().toString().replace(".avsc", ""));
                found.put(id, new GenericDatumReader<>(new Schema.Parser().parse(Files.readString(file))));
            }
        }
        return found;
    }

    /** Confluent framing: a zero byte, the schema id, the Avro body. */
    private static Deserializer<GenericRecord> touchpoints(Map<Integer, GenericDatumReader<GenericRecord>> readers) {
        return new Deserializer<>() {
            private BinaryDecoder decoder;

            @Override
            public GenericRecord deserialize(String topic, byte[] value) {
                if (value == null) {
                    return null;
                }
                try {
                    int id = ByteBuffer.wrap(value, 1, 4).getInt();
                    decoder = DecoderFactory.get().binaryDecoder(value, 5, value.length - 5, decoder);
                    return readers.get(id).read(null, decoder);
                } catch (IOException error) {
                    throw new UncheckedIOException(error);
                }
            }
        };
    }

    private static Serializer<GenericRecord> refusing() {
        return (topic, event) -> {
            throw new UnsupportedOperationException("touchpoints are only read");
        };
    }

    private static Serializer<GenericRecord> writer() {
        GenericDatumWriter<GenericRecord> writer = new GenericDatumWriter<>(AGGREGATE);
        return new Serializer<>() {
            private final ByteArrayOutputStream out = new ByteArrayOutputStream(1024);
            private BinaryEncoder encoder;

            @Override
            public byte[] serialize(String topic, GenericRecord aggregate) {
                if (aggregate == null) {
                    return null;
                }
                try {
                    out.reset();
                    encoder = EncoderFactory.get().directBinaryEncoder(out, encoder);
                    writer.write(aggregate, encoder);
                    encoder.flush();
                    return out.toByteArray();
                } catch (IOException error) {
                    throw new UncheckedIOException(error);
                }
            }
        };
    }

    private static Deserializer<GenericRecord> reader() {
        GenericDatumReader<GenericRecord> reader = new GenericDatumReader<>(AGGREGATE);
        return new Deserializer<>() {
            private BinaryDecoder decoder;

            @Override
            public GenericRecord deserialize(String topic, byte[] value) {
                if (value == null) {
                    return null;
                }
                try {
                    decoder = DecoderFactory.get().binaryDecoder(value, decoder);
                    return reader.read(null, decoder);
                } catch (IOException error) {
                    throw new UncheckedIOException(error);
                }
            }
        };
    }
}
