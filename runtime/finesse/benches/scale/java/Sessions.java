// So many sessions of Smack over TLS, each subscribed to its agent's node: what one of them takes of this process.
//
// Arguments: certificate of the authority, host and port of XMPP within TLS, domain, password, sessions.
// Prints KB for each: what is resident after a collection, less what was with the first ones.

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import javax.net.ssl.SSLContext;
import org.jivesoftware.smack.ConnectionConfiguration;
import org.jivesoftware.smack.SmackConfiguration;
import org.jivesoftware.smack.tcp.XMPPTCPConnection;
import org.jivesoftware.smack.tcp.XMPPTCPConnectionConfiguration;
import org.jivesoftware.smackx.pubsub.PubSubManager;
import org.jxmpp.jid.impl.JidCreate;

public final class Sessions {
    // What all share is made by the first ones.
    private static final int WARM = 20;

    public static void main(String[] arguments) throws Exception {
        String[] address = arguments[1].split(":");
        String domain = arguments[2];
        int count = Integer.parseInt(arguments[4]);
        SSLContext tls = Trust.in(arguments[0]);
        SmackConfiguration.setDefaultReplyTimeout(60_000);
        // Kept to the end.
        List<XMPPTCPConnection> sessions = new ArrayList<>();
        long before = 0;
        for (int at = 0; at < count; at++) {
            if (at == WARM) {
                before = settled();
            }
            String agent = Integer.toString(1001 + at);
            XMPPTCPConnection session = new XMPPTCPConnection(XMPPTCPConnectionConfiguration.builder()
                .setHost(address[0]).setPort(Integer.parseInt(address[1])).setXmppDomain(domain)
                .setSocketFactory(tls.getSocketFactory()).setSecurityMode(ConnectionConfiguration.SecurityMode.disabled)
                .setUsernameAndPassword(agent, arguments[3]).setResource("smack").build());
            session.connect();
            session.login();
            PubSubManager.getInstanceFor(session, JidCreate.domainBareFrom("pubsub." + domain))
                .getLeafNode("/finesse/api/User/" + agent).subscribe(session.getUser());
            sessions.add(session);
        }
        System.out.println(String.format(Locale.ROOT, "%.1f", (settled() - before) / (double) (sessions.size() - WARM)));
        System.exit(0);
    }

    // What is resident after what is garbage has gone, in KB.
    private static long settled() throws Exception {
        System.gc();
        Thread.sleep(1000);
        System.gc();
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("[^0-9]", ""));
            }
        }
        throw new IllegalStateException("nothing is resident");
    }
}
