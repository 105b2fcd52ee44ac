import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.BatchResultErrorEntry;
import software.amazon.awssdk.services.sqs.model.SendMessageBatchRequestEntry;

/**
 * Sends update messages with the AWS SDK for Java 2: SendUpdate QUEUE_URL ORDER_ID
 *
 * <p>Traps of Java, and what is done about them here:
 *
 * <ul>
 *   <li>Jackson writes NaN and Infinity as the strings "NaN" and "Infinity", which the table would have as text, and a
 *       byte[] as a string in base64, a Set as a list. {@link #toJson} refuses the first; the others go through {@link
 *       #typed}.
 *   <li>A double has 15 digits that can be trusted. A BigDecimal is written with all of its own, as 1E+3 perhaps, which
 *       is fine; DynamoDB keeps 38.
 *   <li>A field that is null becomes a null member, which no optional one may be: leave it out of the map.
 * </ul>
 */
public final class SendUpdate {
    private static final ObjectMapper MAPPER =
            JsonMapper.builder()
                    .enable(JsonGenerator.Feature.WRITE_BIGDECIMAL_AS_PLAIN)
                    .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
                    .build();

    /** A value for typed_attributes: exact numbers, bytes, and sets of strings. */
    static Map<String, Object> typed(Object value) {
        if (value instanceof Number number) {
            return Map.of("N", number.toString());
        }
        if (value instanceof byte[] bytes) {
            return Map.of("B", Base64.getEncoder().encodeToString(bytes));
        }
        if (value instanceof Set<?> set && !set.isEmpty() && set.stream().allMatch(String.class::isInstance)) {
            return Map.of("SS", List.copyOf(set));
        }
        throw new IllegalArgumentException("no typed value: " + value);
    }

    private static void check(Object value, String path) {
        if (value instanceof Map<?, ?> map) {
            map.forEach((name, member) -> check(member, path + "." + name));
        } else if (value instanceof List<?> list) {
            list.forEach(member -> check(member, path + "[]"));
        } else if (value instanceof byte[] || value instanceof Set<?>) {
            throw new IllegalArgumentException(path + ": JSON has no such type: use typed()");
        } else if (value instanceof Double d && (d.isNaN() || d.isInfinite())) {
            throw new IllegalArgumentException(path + ": " + d + " is no number of JSON's");
        }
    }

    static String toJson(Map<String, Object> message) throws JsonProcessingException {
        check(message, "message");
        return MAPPER.writeValueAsString(message);
    }

    /** In batches of ten; what fails is sent again, for the same key has one effect. */
    static void send(SqsClient sqs, String queueUrl, List<Map<String, Object>> messages) throws JsonProcessingException {
        List<SendMessageBatchRequestEntry> waiting = new ArrayList<>();
        for (Map<String, Object> message : messages) {
            String id = Integer.toString(waiting.size());
            waiting.add(SendMessageBatchRequestEntry.builder().id(id).messageBody(toJson(message)).build());
        }
        for (int tries = 0; tries < 5 && !waiting.isEmpty(); tries++) {
            List<SendMessageBatchRequestEntry> left = new ArrayList<>();
            for (int at = 0; at < waiting.size(); at += 10) {
                List<SendMessageBatchRequestEntry> batch = waiting.subList(at, Math.min(at + 10, waiting.size()));
                Set<String> failed =
                        sqs.sendMessageBatch(request -> request.queueUrl(queueUrl).entries(batch)).failed().stream()
                                .map(BatchResultErrorEntry::id)
                                .collect(Collectors.toSet());
                batch.stream().filter(entry -> failed.contains(entry.id())).forEach(left::add);
            }
            waiting = left;
        }
        if (!waiting.isEmpty()) {
            throw new IllegalStateException(waiting.size() + " messages could not be sent");
        }
    }

    /** The key is the event's own name: whoever sends it, and however often, it happens once. */
    static Map<String, Object> shipped(String orderId) {
        return Map.of(
                "id", orderId,
                "attributes", Map.of("state", "shipped", "note", "Größe < 5 & \"blue\"", "price", 19.99),
                "typed_attributes",
                        Map.of(
                                "serial", typed(new java.math.BigInteger("12345678901234567890")),
                                "weight", typed(new java.math.BigDecimal("0.1000000000000000055511151231257827")),
                                "label", typed(new byte[] {0, (byte) 255}),
                                "tags", typed(Set.of("fragile", "gift"))),
                "increment", Map.of("parcels", 1),
                "condition_expression", "state <> 'cancelled' AND parcels < 5",
                "enable_logging", true,
                "idempotency_key", "order:" + orderId + ":shipped");
    }

    public static void main(String[] arguments) throws JsonProcessingException {
        try (SqsClient sqs = SqsClient.builder().httpClient(UrlConnectionHttpClient.create()).build()) {
            send(sqs, arguments[0], List.of(shipped(arguments[1])));
        }
    }
}
