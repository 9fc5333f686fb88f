import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Writes records as Java's client does: to TOPIC-CODEC for each codec, under keys k0, k1, ….
 *
 * Arguments: BROKERS TOPIC COUNT CODEC...
 */
public class Produce {
  public static void main(String[] args) throws Exception {
    int count = Integer.parseInt(args[2]);
    for (int a = 3; a < args.length; a++) {
      Properties settings = new Properties();
      settings.put("bootstrap.servers", args[0]);
      settings.put("compression.type", args[a]);
      settings.put("linger.ms", "50");
      settings.put("key.serializer", "org.apache.kafka.common.serialization.StringSerializer");
      settings.put("value.serializer", "org.apache.kafka.common.serialization.StringSerializer");
      try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings)) {
        for (int i = 0; i < count; i++) {
          String value = "{\"vehicle\":\"k" + i + "\",\"speed\":" + (i % 97) + ",\"text\":\""
              + "abcdefgh".repeat(i % 40) + "\"}";
          producer.send(new ProducerRecord<>(args[1] + "-" + args[a], "k" + i, value));
        }
      }
    }
  }
}
