// A load for measurements, as a user of the Java client would write it: one process, one verb, one line of JSON at the end.

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import javax.jms.Connection;
import javax.jms.DeliveryMode;
import javax.jms.Destination;
import javax.jms.JMSException;
import javax.jms.Message;
import javax.jms.MessageConsumer;
import javax.jms.MessageProducer;
import javax.jms.Session;
import javax.jms.TextMessage;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.command.FlushCommand;

/**
 * VERB --uri U --queue Q --count N [--warmup W] [--size BYTES] [--persistent] [--priority P] [--prefetch N] [--connections C]
 *
 *   send      text messages of the size, one after the other; at the end the broker is asked whether it has them
 *   receive   messages and their bodies, acknowledged automatically
 *   request   text messages with a reply queue of each connection's own (Q.REPLY.i), each when the last was answered
 *   echo      answers each request with its own body
 *
 * W messages (1000) come first and are not measured; N are. Each of the C connections (1) has a thread and a session; W and N
 * are for all of them together. It says {"event":"ready"} when all are there, then what `LoadReport` of the lab says.
 */
public final class Load {
    private final Map<String, String> options = new HashMap<>();
    private final String verb;
    private final int connections;
    private final long warmup;
    private final long count;
    private final String body;
    private final List<Connection> open = new ArrayList<>();
    private final CyclicBarrier barrier;
    private final CountDownLatch over;
    private final long[] latencies;
    private final AtomicInteger asked = new AtomicInteger();
    private final AtomicLong received = new AtomicLong();
    private int meetings;

    private volatile long startNanos;
    private volatile long startCpu;
    private volatile long firstMs;
    private volatile long endNanos;
    private volatile long endCpu;
    private volatile long lastMs;

    private Load(String[] arguments) {
        verb = arguments[0];
        for (int at = 1; at < arguments.length; at++) {
            String name = arguments[at].substring(2);
            options.put(name, name.equals("persistent") ? "true" : arguments[++at]);
        }
        connections = Integer.parseInt(options.getOrDefault("connections", "1"));
        warmup = Long.parseLong(options.getOrDefault("warmup", "1000"));
        count = Long.parseLong(options.get("count"));
        body = "x".repeat(Integer.parseInt(options.getOrDefault("size", "0")));
        latencies = new long[verb.equals("request") ? (int) count : 0];
        barrier = new CyclicBarrier(connections, this::met);
        // Whoever waits for messages that another connection got never comes to an end by itself.
        over = new CountDownLatch(verb.equals("receive") || verb.equals("echo") ? 1 : connections);
    }

    public static void main(String[] arguments) throws Exception {
        LabMain.haltAtEndOf(System.in);
        new Load(arguments).run();
        // The lifeline is a daemon, but clients in the midst of reconnecting are not.
        System.exit(0);
    }

    private void run() throws Exception {
        ActiveMQConnectionFactory factory = new ActiveMQConnectionFactory(options.get("uri"));
        for (int number = 0; number < connections; number++) {
            Connection connection = factory.createConnection();
            connection.start();
            open.add(connection);
        }
        for (int number = 0; number < connections; number++) {
            int own = number;
            new Thread(() -> work(open.get(own), own), "load-" + number).start();
        }
        over.await();
        String report = Json.of(report());
        for (Connection connection : open) {
            connection.close();
        }
        System.out.println(report);
    }

    private void work(Connection connection, int number) {
        try {
            Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            switch (verb) {
                case "send" -> send((ActiveMQConnection) connection, session, number);
                case "receive" -> receive(session);
                case "request" -> request(session, number);
                case "echo" -> echo(session);
                default -> throw new IllegalArgumentException("no such verb: " + verb);
            }
        } catch (Exception failure) {
            // At the end connections are closed under those that still wait.
            if (over.getCount() > 0) {
                failure.printStackTrace();
                System.exit(1);
            }
        }
        over.countDown();
    }

    /** All connections have come to the same point: they are ready, they are warm, or they have sent everything. */
    private void met() {
        switch (meetings++) {
            case 0 -> System.out.println("{\"event\":\"ready\"}");
            case 1 -> {
                firstMs = System.currentTimeMillis();
                start();
            }
            default -> end();
        }
    }

    private void start() {
        startCpu = cpuNanos();
        startNanos = System.nanoTime();
    }

    private void end() {
        endNanos = System.nanoTime();
        endCpu = cpuNanos();
        lastMs = System.currentTimeMillis();
    }

    /** The share of one connection in a number of messages. */
    private long share(long messages, int number) {
        return messages / connections + (number < messages % connections ? 1 : 0);
    }

    private void send(ActiveMQConnection connection, Session session, int number) throws Exception {
        MessageProducer producer = producer(session, session.createQueue(options.get("queue")));
        barrier.await();
        for (long messages : new long[] {share(warmup, number), share(count, number)}) {
            for (long left = messages; left > 0; left--) {
                producer.send(session.createTextMessage(body));
            }
            // The broker answers this after it has taken everything that came before on the connection.
            connection.syncSendPacket(new FlushCommand());
            barrier.await();
        }
    }

    private void receive(Session session) throws Exception {
        MessageConsumer consumer = session.createConsumer(session.createQueue(withPrefetch(options.get("queue"))));
        barrier.await();
        do {
            Message message = consumer.receive();
            if (message == null) {
                return;
            }
            content(message);
        } while (isNotTheLast());
    }

    private void echo(Session session) throws Exception {
        MessageProducer answers = producer(session, null);
        MessageConsumer consumer = session.createConsumer(session.createQueue(withPrefetch(options.get("queue"))));
        barrier.await();
        do {
            Message request = consumer.receive();
            if (request == null) {
                return;
            }
            Message answer = session.createTextMessage(content(request));
            answer.setJMSCorrelationID(request.getJMSCorrelationID());
            answers.send(request.getJMSReplyTo(), answer);
        } while (isNotTheLast());
    }

    /** Counts a message that came. The measured part is from the last message of the warm-up to the last of all. */
    private boolean isNotTheLast() {
        long number = received.incrementAndGet();
        if (number == Math.max(warmup, 1)) {
            start();
        }
        if (number == warmup + 1) {
            firstMs = System.currentTimeMillis();
        }
        if (number == warmup + count) {
            end();
        }
        return number < warmup + count;
    }

    private void request(Session session, int number) throws Exception {
        String queue = options.get("queue");
        Asker asker = new Asker(session, queue, queue + ".REPLY." + number);
        barrier.await();
        for (long left = share(warmup, number); left > 0; left--) {
            asker.ask(left);
        }
        barrier.await();
        for (long left = share(count, number); left > 0; left--) {
            long since = System.nanoTime();
            asker.ask(left);
            latencies[asked.getAndIncrement()] = System.nanoTime() - since;
        }
        barrier.await();
    }

    private final class Asker {
        private final Session session;
        private final MessageProducer producer;
        private final Destination replies;
        private final MessageConsumer consumer;

        Asker(Session session, String queue, String replies) throws JMSException {
            this.session = session;
            producer = producer(session, session.createQueue(queue));
            this.replies = session.createQueue(replies);
            consumer = session.createConsumer(session.createQueue(withPrefetch(replies)));
        }

        void ask(long id) throws JMSException {
            Message message = session.createTextMessage(body);
            message.setJMSReplyTo(replies);
            message.setJMSCorrelationID(Long.toString(id));
            producer.send(message);
            Message answer = consumer.receive();
            if (!message.getJMSCorrelationID().equals(answer.getJMSCorrelationID())) {
                throw new IllegalStateException("the answer to another request: " + answer);
            }
            content(answer);
        }
    }

    private MessageProducer producer(Session session, Destination destination) throws JMSException {
        MessageProducer producer = session.createProducer(destination);
        producer.setDeliveryMode(options.containsKey("persistent") ? DeliveryMode.PERSISTENT : DeliveryMode.NON_PERSISTENT);
        producer.setPriority(Integer.parseInt(options.getOrDefault("priority", "4")));
        return producer;
    }

    private String withPrefetch(String queue) {
        String prefetch = options.get("prefetch");
        return prefetch == null ? queue : queue + "?consumer.prefetchSize=" + prefetch;
    }

    private static String content(Message message) throws JMSException {
        return ((TextMessage) message).getText();
    }

    /** Of all threads of the process: collectors and compilers too. */
    private static long cpuNanos() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }

    private Map<String, Object> report() throws IOException {
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("messages", count);
        report.put("seconds", (endNanos - startNanos) / 1e9);
        report.put("cpu_seconds", (endCpu - startCpu) / 1e9);
        report.put("peak_rss_kb", peakRss());
        report.put("broker", ((ActiveMQConnection) open.get(0)).getBrokerName());
        report.put("first_ms", firstMs);
        report.put("last_ms", lastMs);
        Arrays.sort(latencies);
        report.put("latency_us", latencies.length == 0 ? null : Map.of(
            "median", latencies[latencies.length / 2] / 1000,
            "p99", latencies[latencies.length * 99 / 100] / 1000,
            "max", latencies[latencies.length - 1] / 1000));
        return report;
    }

    private static long peakRss() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("[^0-9]", ""));
            }
        }
        throw new IOException("the kernel does not tell the peak of memory");
    }
}
