// Where a connection is: tells each time that the transport changes.

import java.io.IOException;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.transport.TransportListener;

final class Watch implements TransportListener {
    private final Peer.Task task;
    private final ActiveMQConnection connection;

    Watch(Peer.Task task, ActiveMQConnection connection) {
        this.task = task;
        this.connection = connection;
    }

    /** Starts the connection: with `failover:` that waits for a broker. */
    void start() throws Exception {
        connection.addTransportListener(this);
        connection.start();
        // Without `failover:` it happened before anybody could listen.
        transportResumed();
    }

    @Override
    public void onCommand(Object command) {
        // Where the connection is, the transport tells; what comes over it is nobody's business here.
    }

    @Override
    public void onException(IOException error) {
        task.tell("lost", "ms", System.currentTimeMillis(), "reason", error.toString());
    }

    @Override
    public void transportInterupted() {
        task.tell("interrupted", "ms", System.currentTimeMillis());
    }

    /** One thread at a time, or that of `start` could tell what was so before after what is so now. */
    @Override
    public synchronized void transportResumed() {
        // tcp://127.0.0.1:61616@43210, of which the end is the client's own port.
        String address = connection.getTransport().getRemoteAddress();
        if (address != null) {
            task.tell("connected", "ms", System.currentTimeMillis(), "address", address.split("@")[0]);
        }
    }
}
