// The Java client at the lab's command: sends, receives, answers and asks, many tasks in one process.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.StringWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.jms.Connection;
import javax.jms.Destination;
import javax.jms.JMSException;
import javax.jms.Message;
import javax.jms.MessageConsumer;
import javax.jms.MessageProducer;
import javax.jms.Session;
import javax.jms.TextMessage;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.command.ActiveMQMessage;
import org.apache.activemq.command.BrokerId;

/**
 * A line on standard input is one task: its number, a verb and the verb's arguments, separated by tabs, with \t \n \r \\ escaped.
 *
 *   send        URI QUEUE TEXT...
 *   receive     URI QUEUE                    until closed
 *   echo        NAME URI QUEUE               answers "NAME TEXT" to JMSReplyTo, until closed
 *   request     URI QUEUE REPLIES MS TEXT... one after the other; REPLIES is a queue, or empty for a temporary one
 *   properties  PATH
 *   close       TASK
 *
 * Each answer is one line of JSON with the task's number and an event: ready, message, done or failed. The process is gone
 * when standard input ends.
 */
public final class Peer {
    private static final Map<Long, Connection> OPEN = new ConcurrentHashMap<>();
    // The client logs to stderr; anything else that prints must not mix with the answers.
    private static final PrintStream ANSWERS = System.out;

    public static void main(String[] arguments) throws Exception {
        System.setOut(System.err);
        BufferedReader tasks = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = tasks.readLine(); line != null; line = tasks.readLine()) {
            List<String> words = new ArrayList<>();
            for (String word : line.split("\t", -1)) {
                words.add(unescaped(word));
            }
            Task task = new Task(Long.parseLong(words.get(0)), words.get(1), words.subList(2, words.size()));
            Thread thread = new Thread(task::run, "task-" + task.number());
            thread.setDaemon(true);
            thread.start();
        }
        Runtime.getRuntime().halt(99);
    }

    private static String unescaped(String word) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < word.length(); i++) {
            char c = word.charAt(i);
            if (c == '\\') {
                c = word.charAt(++i);
                c = c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c;
            }
            out.append(c);
        }
        return out.toString();
    }

    private record Task(long number, String verb, List<String> arguments) {
        void run() {
            try {
                switch (verb) {
                    case "send" -> send();
                    case "receive" -> consume(null, arguments.get(0), arguments.get(1));
                    case "echo" -> consume(arguments.get(0), arguments.get(1), arguments.get(2));
                    case "request" -> request();
                    case "properties" -> tell("done", "properties", LoadProperties.load(arguments.get(0)));
                    case "close" -> close();
                    default -> throw new IllegalArgumentException("no such verb: " + verb);
                }
            } catch (Throwable failure) {
                StringWriter reason = new StringWriter();
                failure.printStackTrace(new PrintWriter(reason));
                tell("failed", "reason", reason.toString());
            }
        }

        private void send() throws JMSException {
            Connection connection = connect(arguments.get(0));
            try {
                Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
                MessageProducer producer = session.createProducer(session.createQueue(arguments.get(1)));
                for (String text : arguments.subList(2, arguments.size())) {
                    producer.send(session.createTextMessage(text));
                }
            } finally {
                disconnect();
            }
            tell("done");
        }

        private void consume(String echo, String uri, String queue) throws JMSException {
            Connection connection = connect(uri);
            Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            MessageProducer answers = echo == null ? null : session.createProducer(null);
            MessageConsumer consumer = session.createConsumer(session.createQueue(queue));
            tell("ready", "broker", ((ActiveMQConnection) connection).getBrokerName());
            // Ends with an exception or a null once `close` has closed the connection under it.
            for (Message message = consumer.receive(); message != null; message = consumer.receive()) {
                tell("message", "message", described(message));
                if (echo != null && message.getJMSReplyTo() != null) {
                    TextMessage answer = session.createTextMessage(echo + " " + textOf(message));
                    answer.setJMSCorrelationID(message.getJMSCorrelationID());
                    answers.send(message.getJMSReplyTo(), answer);
                }
            }
            tell("done");
        }

        private void request() throws JMSException {
            Connection connection = connect(arguments.get(0));
            try {
                Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
                MessageProducer producer = session.createProducer(session.createQueue(arguments.get(1)));
                String replies = arguments.get(2);
                Destination back = replies.isEmpty() ? session.createTemporaryQueue() : session.createQueue(replies);
                MessageConsumer consumer = session.createConsumer(back);
                long patience = Long.parseLong(arguments.get(3));
                List<Object> answers = new ArrayList<>();
                for (String text : arguments.subList(4, arguments.size())) {
                    TextMessage message = session.createTextMessage(text);
                    message.setJMSReplyTo(back);
                    message.setJMSCorrelationID(number + "-" + answers.size());
                    producer.send(message);
                    answers.add(answerTo(message.getJMSCorrelationID(), consumer, patience));
                }
                tell("done", "answers", answers);
            } finally {
                disconnect();
            }
        }

        private static Object answerTo(String id, MessageConsumer consumer, long patience) throws JMSException {
            long end = System.nanoTime() + patience * 1_000_000;
            for (long left = patience; left > 0; left = (end - System.nanoTime()) / 1_000_000) {
                Message answer = consumer.receive(left);
                // An answer that comes after its time belongs to an earlier request.
                if (answer != null && id.equals(answer.getJMSCorrelationID())) {
                    return described(answer);
                }
            }
            return null;
        }

        private void close() throws JMSException {
            Connection connection = OPEN.remove(Long.parseLong(arguments.get(0)));
            if (connection != null) {
                connection.close();
            }
            tell("done");
        }

        private Connection connect(String uri) throws JMSException {
            Connection connection = new ActiveMQConnectionFactory(uri).createConnection();
            OPEN.put(number, connection);
            connection.start();
            return connection;
        }

        private void disconnect() throws JMSException {
            Connection connection = OPEN.remove(number);
            if (connection != null) {
                connection.close();
            }
        }

        private static Map<String, Object> described(Message message) throws JMSException {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("text", textOf(message));
            fields.put("correlation", message.getJMSCorrelationID());
            fields.put("redelivered", message.getJMSRedelivered());
            BrokerId[] path = ((ActiveMQMessage) message).getBrokerPath();
            fields.put("path", path == null ? List.of() : Arrays.asList(path));
            return fields;
        }

        private static String textOf(Message message) throws JMSException {
            return message instanceof TextMessage text ? text.getText() : null;
        }

        private void tell(String event, Object... fields) {
            Map<String, Object> answer = new LinkedHashMap<>();
            answer.put("task", number);
            answer.put("event", event);
            for (int i = 0; i < fields.length; i += 2) {
                answer.put((String) fields[i], fields[i + 1]);
            }
            synchronized (ANSWERS) {
                ANSWERS.println(Json.of(answer));
                ANSWERS.flush();
            }
        }
    }
}
