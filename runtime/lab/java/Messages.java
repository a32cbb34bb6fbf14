// Messages of every kind as JSON, and back. A value is {"int":5} and the like, or "null"; floats are given by their bits.

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.jms.BytesMessage;
import javax.jms.JMSException;
import javax.jms.MapMessage;
import javax.jms.MessageEOFException;
import javax.jms.Session;
import javax.jms.StreamMessage;
import javax.jms.TextMessage;
import org.apache.activemq.ActiveMQMessageProducer;
import org.apache.activemq.command.ActiveMQDestination;
import org.apache.activemq.command.ActiveMQMapMessage;
import org.apache.activemq.command.ActiveMQMessage;
import org.apache.activemq.command.ActiveMQObjectMessage;
import org.apache.activemq.command.BrokerId;
import org.apache.activemq.util.ByteSequence;

final class Messages {
    private Messages() {}

    /** Sends what a `Draft` of the lab says; returns the message's id. */
    static String send(Session session, ActiveMQMessageProducer producer, Map<?, ?> draft) throws Exception {
        javax.jms.Message message = withBody(session, draft.get("body"));
        for (Map.Entry<?, ?> property : ((Map<?, ?>) draft.get("properties")).entrySet()) {
            message.setObjectProperty((String) property.getKey(), value(property.getValue()));
        }
        message.setJMSCorrelationID((String) draft.get("correlation"));
        message.setJMSType((String) draft.get("kind"));
        if (draft.get("reply_to") != null) {
            message.setJMSReplyTo(ActiveMQDestination.createDestination((String) draft.get("reply_to"), ActiveMQDestination.QUEUE_TYPE));
        }
        if (draft.get("group") != null) {
            message.setStringProperty("JMSXGroupID", (String) draft.get("group"));
            message.setIntProperty("JMSXGroupSeq", ((Long) draft.get("group_sequence")).intValue());
        }
        int mode = (Boolean) draft.get("persistent") ? 2 : 1;
        producer.send(message, mode, ((Long) draft.get("priority")).intValue(), (Long) draft.get("time_to_live_ms"));
        return message.getJMSMessageID();
    }

    private static javax.jms.Message withBody(Session session, Object body) throws Exception {
        if (body.equals("none")) {
            return session.createMessage();
        }
        Object content = only(body).getValue();
        switch ((String) only(body).getKey()) {
            case "text" -> {
                return session.createTextMessage((String) content);
            }
            case "bytes" -> {
                BytesMessage message = session.createBytesMessage();
                message.writeBytes(HexFormat.of().parseHex((String) content));
                return message;
            }
            case "map" -> {
                MapMessage message = session.createMapMessage();
                for (Map.Entry<?, ?> entry : ((Map<?, ?>) content).entrySet()) {
                    message.setObject((String) entry.getKey(), value(entry.getValue()));
                }
                return message;
            }
            case "stream" -> {
                StreamMessage message = session.createStreamMessage();
                for (Object item : (List<?>) content) {
                    message.writeObject(value(item));
                }
                return message;
            }
            case "object" -> {
                ActiveMQObjectMessage message = (ActiveMQObjectMessage) session.createObjectMessage();
                message.setContent(new ByteSequence(HexFormat.of().parseHex((String) content)));
                return message;
            }
            default -> throw new IllegalArgumentException("no such body: " + body);
        }
    }

    private static Map.Entry<?, ?> only(Object tagged) {
        return ((Map<?, ?>) tagged).entrySet().iterator().next();
    }

    private static Object value(Object tagged) {
        if (tagged.equals("null")) {
            return null;
        }
        Object content = only(tagged).getValue();
        return switch ((String) only(tagged).getKey()) {
            case "bool", "text" -> content;
            case "byte" -> ((Long) content).byteValue();
            case "char" -> (char) ((Long) content).intValue();
            case "short" -> ((Long) content).shortValue();
            case "int" -> ((Long) content).intValue();
            case "long" -> content;
            case "float" -> Float.intBitsToFloat(((Long) content).intValue());
            case "double" -> Double.longBitsToDouble((Long) content);
            case "bytes" -> HexFormat.of().parseHex((String) content);
            case "map" -> {
                Map<String, Object> map = new LinkedHashMap<>();
                ((Map<?, ?>) content).forEach((name, item) -> map.put((String) name, value(item)));
                yield map;
            }
            case "list" -> new ArrayList<>(((List<?>) content).stream().map(Messages::value).toList());
            default -> throw new IllegalArgumentException("no such value: " + tagged);
        };
    }

    private static Object tagged(Object value) {
        if (value == null) return "null";
        if (value instanceof Boolean) return Map.of("bool", value);
        if (value instanceof Byte) return Map.of("byte", value);
        if (value instanceof Character unit) return Map.of("char", (int) unit);
        if (value instanceof Short) return Map.of("short", value);
        if (value instanceof Integer) return Map.of("int", value);
        if (value instanceof Long) return Map.of("long", value);
        if (value instanceof Float number) return Map.of("float", Float.floatToRawIntBits(number));
        if (value instanceof Double number) return Map.of("double", Double.doubleToRawLongBits(number));
        if (value instanceof byte[] bytes) return Map.of("bytes", HexFormat.of().formatHex(bytes));
        if (value instanceof Map<?, ?> map) return Map.of("map", taggedMap(map));
        if (value instanceof List<?> list) return Map.of("list", taggedList(list));
        return Map.of("text", value.toString());
    }

    private static Map<String, Object> taggedMap(Map<?, ?> map) {
        Map<String, Object> all = new LinkedHashMap<>();
        map.forEach((name, item) -> all.put(name.toString(), tagged(item)));
        return all;
    }

    private static List<Object> taggedList(List<?> list) {
        List<Object> all = new ArrayList<>();
        list.forEach(item -> all.add(tagged(item)));
        return all;
    }

    /** What a `Message` of the lab says. */
    static Map<String, Object> described(javax.jms.Message received) throws Exception {
        ActiveMQMessage message = (ActiveMQMessage) received;
        Map<String, Object> fields = new LinkedHashMap<>();
        // Asked first: a message forgets it when its text is read.
        fields.put("compressed", message.isCompressed());
        fields.put("text", message instanceof TextMessage text ? text.getText() : null);
        fields.put("correlation", message.getJMSCorrelationID());
        fields.put("redelivered", message.getJMSRedelivered());
        BrokerId[] path = message.getBrokerPath();
        fields.put("path", path == null ? List.of() : Arrays.asList(path));
        fields.put("id", message.getJMSMessageID());
        fields.put("destination", message.getDestination().getQualifiedName());
        fields.put("reply_to", message.getReplyTo() == null ? null : message.getReplyTo().getQualifiedName());
        fields.put("kind", message.getJMSType());
        fields.put("persistent", message.isPersistent());
        fields.put("priority", message.getJMSPriority());
        fields.put("timestamp_ms", message.getJMSTimestamp());
        fields.put("expiration_ms", message.getJMSExpiration());
        fields.put("group", message.getGroupID());
        fields.put("group_sequence", message.getGroupSequence());
        fields.put("deliveries", message.getRedeliveryCounter() + 1);
        fields.put("user", message.getUserID());
        fields.put("properties", taggedMap(message.getProperties()));
        fields.put("body", body(message));
        return fields;
    }

    private static Object body(ActiveMQMessage message) throws Exception {
        if (message instanceof TextMessage text) {
            Map<String, Object> body = new LinkedHashMap<>();
            body.put("text", text.getText());
            return body;
        }
        if (message instanceof BytesMessage bytes) {
            byte[] content = new byte[(int) bytes.getBodyLength()];
            bytes.readBytes(content);
            return Map.of("bytes", HexFormat.of().formatHex(content));
        }
        if (message instanceof ActiveMQMapMessage map) {
            return Map.of("map", taggedMap(map.getContentMap()));
        }
        if (message instanceof StreamMessage stream) {
            return Map.of("stream", taggedList(items(stream)));
        }
        if (message instanceof ActiveMQObjectMessage) {
            ByteSequence content = message.getContent();
            byte[] bytes = content == null ? new byte[0] : Arrays.copyOfRange(content.data, content.offset, content.offset + content.length);
            return Map.of("object", HexFormat.of().formatHex(bytes));
        }
        return "none";
    }

    private static List<Object> items(StreamMessage stream) throws JMSException {
        List<Object> items = new ArrayList<>();
        try {
            while (true) {
                items.add(stream.readObject());
            }
        } catch (MessageEOFException end) {
            return items;
        }
    }
}
