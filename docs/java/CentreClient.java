// Three agents of one desktop sign in, call, hold, transfer, confer, wrap up and sign out, by plain JMS.
//
//     AGENT_PASSWORD=... java -cp 'activemq/lib/*' CentreClient.java client.properties 1001:2001 1002:2002 1003:2003
//
// Each agent is given as ID:EXTENSION. For ActiveMQ 6 write `jakarta.jms` in place of `javax.jms`.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import javax.jms.Connection;
import javax.jms.JMSException;
import javax.jms.Message;
import javax.jms.MessageProducer;
import javax.jms.Queue;
import javax.jms.Session;
import javax.jms.TextMessage;
import org.apache.activemq.ActiveMQConnectionFactory;

public final class CentreClient implements AutoCloseable {
    /** How long an answer or an event is waited for. */
    private static final long PATIENCE_MS = 30_000;
    private static final ObjectMapper JSON = new ObjectMapper();

    /** An agent, and what comes for them. */
    record Agent(String id, String extension, BlockingQueue<JsonNode> events, Counter counter) {
        static Agent of(String argument) {
            String[] parts = argument.split(":");
            return new Agent(parts[0], parts[1], new LinkedBlockingQueue<>(), new Counter());
        }
    }

    /** Whose events are counted, and how far. */
    static final class Counter {
        private String who = "";
        private long last;

        /** Whether the event is a new one, and not one that is told again. */
        boolean take(JsonNode event) {
            String told = event.path("connector").asText() + " " + event.path("epoch").asText();
            long number = event.path("sequence").asLong();
            if (told.equals(who) && number <= last) {
                return false;
            }
            if (told.equals(who) && number != last + 1) {
                throw new IllegalStateException("events were lost: ask GetState and GetDialogState");
            }
            who = told;
            last = number;
            return true;
        }
    }

    private final Connection connection;
    private final Session asking;
    private final MessageProducer requests;
    private final Queue replies;
    private final String topic;
    private final Map<String, CompletableFuture<JsonNode>> waiting = new ConcurrentHashMap<>();
    private final Map<String, Agent> agents = new ConcurrentHashMap<>();

    CentreClient(Properties told, List<Agent> own) throws JMSException {
        own.forEach(agent -> agents.put(agent.id(), agent));
        connection = new ActiveMQConnectionFactory(told.getProperty("brokerUrl"))
                .createConnection(told.getProperty("user"), told.getProperty("password"));
        connection.setClientID(told.getProperty("clientId"));
        topic = "EVENTS." + told.getProperty("clientId");
        // A session is for one thread: one for requests, one for answers, one for events.
        asking = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        requests = asking.createProducer(asking.createQueue(told.getProperty("requestQueue")));
        requests.setTimeToLive(PATIENCE_MS);
        replies = asking.createQueue(told.getProperty("replyQueue"));
        Session answers = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        answers.createConsumer(replies).setMessageListener(this::answered);
        Session events = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        events.createConsumer(events.createTopic(topic)).setMessageListener(this::told);
        connection.start();
    }

    private void answered(Message message) {
        try {
            CompletableFuture<JsonNode> waits = waiting.remove(message.getJMSCorrelationID());
            // An answer that nobody waits for any more.
            if (waits != null) {
                waits.complete(JSON.readTree(((TextMessage) message).getText()));
            }
        } catch (Exception wrong) {
            throw new IllegalStateException(wrong);
        }
    }

    private void told(Message message) {
        try {
            JsonNode event = JSON.readTree(((TextMessage) message).getText());
            Agent agent = agents.get(event.path("agent").asText());
            if (agent != null) {
                agent.events().add(event);
            }
        } catch (Exception wrong) {
            throw new IllegalStateException(wrong);
        }
    }

    /** Sends a request and waits for its answer. */
    JsonNode ask(String command, String subject, String body) throws Exception {
        TextMessage request = asking.createTextMessage(body);
        String id = UUID.randomUUID().toString();
        request.setJMSType(command + "#" + subject);
        request.setJMSCorrelationID(id);
        request.setJMSReplyTo(replies);
        CompletableFuture<JsonNode> answer = new CompletableFuture<>();
        waiting.put(id, answer);
        requests.send(request);
        JsonNode came = answer.get(PATIENCE_MS, TimeUnit.MILLISECONDS);
        print("answer", command + "#" + subject, came);
        return came;
    }

    /** Asks for what changes something, and is accepted. */
    void act(Agent agent, String command, String body) throws Exception {
        JsonNode answer = ask(command, agent.id(), body);
        if (!answer.at("/data/outcome").asText().equals("accepted")) {
            throw new IllegalStateException(command + ": " + answer);
        }
    }

    /** Waits until the agent is told something that is so, and gives its data. */
    JsonNode until(Agent agent, Predicate<JsonNode> isSo) throws Exception {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MS);
        while (true) {
            JsonNode event = agent.events().poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
            if (event == null) {
                throw new IllegalStateException("agent " + agent.id() + " waited in vain");
            }
            if (!agent.counter().take(event)) {
                continue;
            }
            print("event", agent.id(), event);
            if (isSo.test(event)) {
                return event.path("data");
            }
        }
    }

    void untilState(Agent agent, String... states) throws Exception {
        List<String> wanted = List.of(states);
        until(agent, event -> event.path("event").asText().equals("AgentState")
                && wanted.contains(event.at("/data/state").asText()));
    }

    /** Whether an event tells that the agent's own part in a call is so. */
    static boolean isPart(JsonNode event, Agent agent, Predicate<JsonNode> isSo) {
        for (JsonNode participant : event.at("/data/dialog/participants")) {
            if (participant.path("address").asText().equals(agent.extension()) && isSo.test(participant)) {
                return true;
            }
        }
        return false;
    }

    /** Waits until the agent's own part in this call is so. A request about a call is of use only when its agent was told of it. */
    void untilCall(Agent agent, String call, Predicate<JsonNode> isSo) throws Exception {
        until(agent, event -> event.at("/data/dialog/id").asText().equals(call) && isPart(event, agent, isSo));
    }

    /** Waits until the agent is rung, and answers. Gives the id of the call. */
    String answer(Agent agent) throws Exception {
        String call = until(agent, event -> isPart(event, agent, is("ALERTING"))).at("/dialog/id").asText();
        act(agent, "AnswerCall", call);
        return call;
    }

    static Predicate<JsonNode> is(String state) {
        return participant -> participant.path("state").asText().equals(state);
    }

    static Predicate<JsonNode> may(String action) {
        return participant -> {
            for (JsonNode allowed : participant.path("actions")) {
                if (allowed.asText().equals(action)) {
                    return true;
                }
            }
            return false;
        };
    }

    private static synchronized void print(String kind, String of, JsonNode told) {
        ObjectNode line = JSON.createObjectNode().put("kind", kind).put("of", of);
        System.out.println(line.set("told", told));
    }

    @Override
    public void close() throws JMSException {
        connection.close();
    }

    void begin(Agent agent, String password) throws Exception {
        // In JSON, since a password may have a comma.
        String connect = JSON.createObjectNode().put("client_destination", topic).put("password", password).toString();
        String login = JSON.createObjectNode().put("password", password).put("extension", agent.extension()).toString();
        if (!ask("Connect", agent.id(), connect).path("event").asText().equals("ConnectStatus")) {
            throw new IllegalStateException("agent " + agent.id() + " cannot be connected");
        }
        act(agent, "Login", login);
        untilState(agent, "NOT_READY");
        act(agent, "MakeReady", "");
        untilState(agent, "READY");
    }

    /** One agent calls another one, who answers. Gives the call. */
    String call(Agent from, Agent to) throws Exception {
        act(from, "MakeCall", to.extension());
        String call = answer(to);
        untilCall(from, call, is("ACTIVE"));
        return call;
    }

    /** The agent calls a third about a call, who answers; both calls can be joined then. */
    void consult(Agent agent, Agent third, String call) throws Exception {
        act(agent, "ConsultCall", third.extension() + "," + call);
        answer(third);
        untilCall(agent, call, may("TRANSFER"));
    }

    /** Says what a call was about, and ends the work after it. */
    void wrapUp(Agent agent, String call, String label) throws Exception {
        untilState(agent, "WORK", "WORK_READY");
        act(agent, "WrapUpCall", label + "," + call);
        act(agent, "MakeReady", "");
        untilState(agent, "READY");
    }

    void end(Agent agent) throws Exception {
        act(agent, "MakeNotReady", "");
        untilState(agent, "NOT_READY");
        act(agent, "Logout", "");
        untilState(agent, "LOGOUT");
        ask("Disconnect", agent.id(), "");
    }

    public static void main(String[] arguments) throws Exception {
        Properties told = new Properties();
        try (Reader file = Files.newBufferedReader(Path.of(arguments[0]))) {
            told.load(file);
        }
        Agent ada = Agent.of(arguments[1]);
        Agent bob = Agent.of(arguments[2]);
        Agent cleo = Agent.of(arguments[3]);
        List<Agent> all = List.of(ada, bob, cleo);
        try (CentreClient client = new CentreClient(told, all)) {
            client.ask("Hello", client.topic, "");
            for (Agent agent : all) {
                client.begin(agent, System.getenv("AGENT_PASSWORD"));
            }
            String label = client.ask("WrapUpReasonCode", ada.id(), "").at("/data/reasons/0/label").asText();

            // A call is held, and passed on after a word with a colleague.
            String call = client.call(ada, bob);
            client.act(ada, "HoldCall", call);
            client.untilCall(ada, call, is("HELD"));
            client.act(ada, "RetrieveCall", call);
            client.untilCall(ada, call, is("ACTIVE"));
            client.consult(ada, cleo, call);
            client.act(ada, "TransferCall", cleo.extension() + "," + call);
            client.untilCall(cleo, call, is("ACTIVE"));
            client.wrapUp(ada, call, label);
            client.act(cleo, "ReleaseCall", call);
            client.wrapUp(bob, call, label);
            client.wrapUp(cleo, call, label);

            // A call of three.
            call = client.call(bob, ada);
            client.consult(bob, cleo, call);
            client.act(bob, "ConferenceCall", cleo.extension() + "," + call);
            client.until(cleo, event -> event.at("/data/dialog/participants").size() == 3);
            client.act(ada, "ReleaseCall", call);
            client.wrapUp(ada, call, label);
            client.act(cleo, "ReleaseCall", call);
            client.wrapUp(bob, call, label);
            client.wrapUp(cleo, call, label);

            for (Agent agent : all) {
                client.end(agent);
            }
        }
    }
}
