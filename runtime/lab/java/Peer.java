// The Java client at the lab's command: sends, receives, answers and asks, many tasks in one process.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.StringWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
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
import org.apache.activemq.ActiveMQMessageProducer;
import org.apache.activemq.ActiveMQSession;
import org.apache.activemq.command.ActiveMQDestination;

/**
 * A line on standard input is one task: its number, a verb and the verb's arguments, separated by tabs, with \t \n \r \\ escaped.
 *
 *   send        URI QUEUE TEXT...
 *   post        URI QUEUE END DRAFT...       messages as JSON; END is `each`, or `commit` or `rollback` of them all together
 *   number      URI QUEUE COUNT MS           persistent texts "0", "1" ... with a pause after each
 *   receive     URI QUEUE MODE SELECTOR      until closed; MODE one of MODES, SELECTOR may be empty
 *   order       TASK WHAT NUMBER             to a receiver that is not automatic: acknowledge its message NUMBER, commit, rollback, recover
 *   browse      URI QUEUE SELECTOR
 *   echo        NAME URI QUEUE               answers "NAME TEXT" to JMSReplyTo, until closed
 *   watch       URI                          tells where its connection is, until closed
 *   request     URI QUEUE REPLIES MS TEXT... one after the other; REPLIES is a queue, or empty for a temporary one
 *   properties  PATH
 *   close       TASK
 *
 * Each answer is one line of JSON with the task's number and an event: ready, message, done or failed. The process is gone
 * when standard input ends.
 */
public final class Peer {
    private static final Map<Long, Connection> OPEN = new ConcurrentHashMap<>();
    /** What receivers that are not automatic have been told, and will do between two messages. */
    private static final Map<Long, BlockingQueue<Task>> ORDERS = new ConcurrentHashMap<>();
    private static final Map<String, Integer> MODES = Map.of(
        "auto", Session.AUTO_ACKNOWLEDGE,
        "dups_ok", Session.DUPS_OK_ACKNOWLEDGE,
        "client", Session.CLIENT_ACKNOWLEDGE,
        "individual", ActiveMQSession.INDIVIDUAL_ACKNOWLEDGE,
        "transacted", Session.SESSION_TRANSACTED);
    // How long an order to a receiver may lie.
    private static final long BETWEEN_ORDERS_MS = 10;
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

    record Task(long number, String verb, List<String> arguments) {
        void run() {
            try {
                switch (verb) {
                    case "send" -> send();
                    case "post" -> post();
                    case "number" -> sendNumbers();
                    case "receive" -> receive();
                    case "order" -> ORDERS.get(Long.parseLong(arguments.get(0))).put(this);
                    case "browse" -> browse();
                    case "echo" -> echo();
                    case "watch" -> new Watch(this, (ActiveMQConnection) open(arguments.get(0))).start();
                    case "request" -> request();
                    case "properties" -> tell("done", "properties", LoadProperties.load(arguments.get(0)));
                    case "close" -> close();
                    default -> throw new IllegalArgumentException("no such verb: " + verb);
                }
            } catch (Throwable failure) {
                fail(failure);
            }
        }

        private void fail(Throwable failure) {
            StringWriter reason = new StringWriter();
            failure.printStackTrace(new PrintWriter(reason));
            tell("failed", "reason", reason.toString());
        }

        private void send() throws JMSException {
            Connection connection = connect(arguments.get(0));
            try {
                Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
                MessageProducer producer = session.createProducer(destination(arguments.get(1)));
                for (String text : arguments.subList(2, arguments.size())) {
                    producer.send(session.createTextMessage(text));
                }
            } finally {
                disconnect();
            }
            tell("done");
        }

        private void post() throws Exception {
            boolean transacted = !arguments.get(2).equals("each");
            Connection connection = connect(arguments.get(0));
            List<Object> ids = new ArrayList<>();
            try {
                Session session = connection.createSession(transacted, Session.AUTO_ACKNOWLEDGE);
                MessageProducer producer = session.createProducer(destination(arguments.get(1)));
                for (String draft : arguments.subList(3, arguments.size())) {
                    ids.add(Messages.send(session, (ActiveMQMessageProducer) producer, (Map<?, ?>) Json.read(draft)));
                }
                if (arguments.get(2).equals("commit")) {
                    session.commit();
                } else if (transacted) {
                    session.rollback();
                }
            } finally {
                disconnect();
            }
            tell("done", "ids", ids);
        }

        private void sendNumbers() throws Exception {
            long count = Long.parseLong(arguments.get(2));
            long pause = Long.parseLong(arguments.get(3));
            Connection connection = connect(arguments.get(0));
            try {
                Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
                MessageProducer producer = session.createProducer(destination(arguments.get(1)));
                for (long number = 0; number < count; number++) {
                    producer.send(session.createTextMessage(Long.toString(number)));
                    tell("sent", "ms", System.currentTimeMillis());
                    Thread.sleep(pause);
                }
            } finally {
                disconnect();
            }
            tell("done");
        }

        private void receive() throws Exception {
            int mode = MODES.get(arguments.get(2));
            boolean automatic = mode == Session.AUTO_ACKNOWLEDGE || mode == Session.DUPS_OK_ACKNOWLEDGE;
            BlockingQueue<Task> orders = new LinkedBlockingQueue<>();
            ORDERS.put(number, orders);
            Connection connection = connect(arguments.get(0));
            Session session = connection.createSession(mode == Session.SESSION_TRANSACTED, mode);
            String selector = arguments.get(3).isEmpty() ? null : arguments.get(3);
            MessageConsumer consumer = session.createConsumer(destination(arguments.get(1)), selector);
            ready(connection);
            List<Message> received = new ArrayList<>();
            // Ends with an exception or a null once `close` has closed the connection under it.
            while (true) {
                Message message = automatic ? consumer.receive() : consumer.receive(BETWEEN_ORDERS_MS);
                if (message != null) {
                    // A receiver for a day must not keep a day of messages.
                    if (!automatic) {
                        received.add(message);
                    }
                    tell("message", "message", Messages.described(message));
                } else if (automatic || !OPEN.containsKey(number)) {
                    break;
                }
                for (Task order = orders.poll(); order != null; order = orders.poll()) {
                    order.carryOut(session, received);
                }
            }
            tell("done");
        }

        private void carryOut(Session session, List<Message> received) {
            try {
                switch (arguments.get(1)) {
                    case "acknowledge" -> received.get(Integer.parseInt(arguments.get(2))).acknowledge();
                    case "commit" -> session.commit();
                    case "rollback" -> session.rollback();
                    case "recover" -> session.recover();
                    default -> throw new IllegalArgumentException("no such order: " + arguments.get(1));
                }
                tell("done");
            } catch (Exception failure) {
                fail(failure);
            }
        }

        private void browse() throws Exception {
            Connection connection = connect(arguments.get(0));
            List<Object> messages = new ArrayList<>();
            try {
                Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
                String selector = arguments.get(2).isEmpty() ? null : arguments.get(2);
                Enumeration<?> browsed = session.createBrowser(session.createQueue(arguments.get(1)), selector).getEnumeration();
                while (browsed.hasMoreElements()) {
                    messages.add(Messages.described((Message) browsed.nextElement()));
                }
            } finally {
                disconnect();
            }
            tell("done", "messages", messages);
        }

        private void echo() throws Exception {
            Connection connection = connect(arguments.get(1));
            Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            MessageProducer answers = session.createProducer(null);
            MessageConsumer consumer = session.createConsumer(destination(arguments.get(2)));
            ready(connection);
            for (Message message = consumer.receive(); message != null; message = consumer.receive()) {
                tell("message", "message", Messages.described(message));
                if (message.getJMSReplyTo() != null) {
                    String text = message instanceof TextMessage request ? request.getText() : null;
                    TextMessage answer = session.createTextMessage(arguments.get(0) + " " + text);
                    answer.setJMSCorrelationID(message.getJMSCorrelationID());
                    answers.send(message.getJMSReplyTo(), answer);
                }
            }
            tell("done");
        }

        private void request() throws Exception {
            Connection connection = connect(arguments.get(0));
            try {
                Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
                MessageProducer producer = session.createProducer(destination(arguments.get(1)));
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

        private static Object answerTo(String id, MessageConsumer consumer, long patience) throws Exception {
            long end = System.nanoTime() + patience * 1_000_000;
            for (long left = patience; left > 0; left = (end - System.nanoTime()) / 1_000_000) {
                Message answer = consumer.receive(left);
                // An answer that comes after its time belongs to an earlier request.
                if (answer != null && id.equals(answer.getJMSCorrelationID())) {
                    return Messages.described(answer);
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
            Connection connection = open(uri);
            connection.start();
            return connection;
        }

        private Connection open(String uri) throws JMSException {
            Connection connection = new ActiveMQConnectionFactory(uri).createConnection();
            OPEN.put(number, connection);
            return connection;
        }

        /** A queue, unless the name says otherwise: `topic://T`. */
        private static Destination destination(String name) {
            return ActiveMQDestination.createDestination(name, ActiveMQDestination.QUEUE_TYPE);
        }

        private void ready(Connection connection) {
            tell("ready", "broker", ((ActiveMQConnection) connection).getBrokerName());
        }

        private void disconnect() throws JMSException {
            Connection connection = OPEN.remove(number);
            if (connection != null) {
                connection.close();
            }
        }

        void tell(String event, Object... fields) {
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
