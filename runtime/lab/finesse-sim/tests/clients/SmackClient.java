// Signs in with Smack, subscribes, and waits for events: the notification service as a client of others sees it.
//
// Arguments: host, domain, port for TLS, port for BOSH, certificate of the authority, password, `tls` or `bosh`, base of REST.
// Prints what came.

import java.io.FileInputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Base64;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.jivesoftware.smack.AbstractXMPPConnection;
import org.jivesoftware.smack.ConnectionConfiguration;
import org.jivesoftware.smack.SmackConfiguration;
import org.jivesoftware.smack.bosh.BOSHConfiguration;
import org.jivesoftware.smack.bosh.XMPPBOSHConnection;
import org.jivesoftware.smack.packet.Presence;
import org.jivesoftware.smack.roster.Roster;
import org.jivesoftware.smack.tcp.XMPPTCPConnection;
import org.jivesoftware.smack.tcp.XMPPTCPConnectionConfiguration;
import org.jivesoftware.smackx.ping.PingManager;
import org.jivesoftware.smackx.pubsub.LeafNode;
import org.jivesoftware.smackx.pubsub.PubSubManager;
import org.jxmpp.jid.impl.JidCreate;

public final class SmackClient {
    public static void main(String[] arguments) throws Exception {
        String host = arguments[0];
        String domain = arguments[1];
        String how = arguments[6];
        String base = arguments[7];
        SSLContext tls = trusting(arguments[4]);
        SmackConfiguration.setDefaultReplyTimeout(30_000);
        AbstractXMPPConnection connection = how.equals("bosh")
            ? new XMPPBOSHConnection(BOSHConfiguration.builder()
                .setUseHttps(true).setHost(host).setPort(Integer.parseInt(arguments[3])).setFile("/http-bind")
                .setSecurityMode(ConnectionConfiguration.SecurityMode.disabled)
                .setXmppDomain(domain).setUsernameAndPassword("1002", arguments[5]).setResource("smack").build())
            : new XMPPTCPConnection(XMPPTCPConnectionConfiguration.builder()
                .setHost(host).setPort(Integer.parseInt(arguments[2])).setXmppDomain(domain)
                .setSocketFactory(tls.getSocketFactory()).setSecurityMode(ConnectionConfiguration.SecurityMode.disabled)
                .setUsernameAndPassword("1002", arguments[5]).setResource("smack").setSendPresence(true).build());
        BlockingQueue<String> events = new LinkedBlockingQueue<>();
        connection.addSyncStanzaListener(stanza -> events.add(stanza.toXML().toString()), stanza -> stanza.hasExtension("event", "http://jabber.org/protocol/pubsub#event"));
        connection.connect();
        connection.login();
        Roster roster = Roster.getInstanceFor(connection);
        long patience = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!roster.getPresence(JidCreate.bareFrom("finesse@" + domain)).isAvailable() && System.nanoTime() < patience) {
            Thread.sleep(20);
        }
        System.out.println("finesse " + roster.getPresence(JidCreate.bareFrom("finesse@" + domain)).getType());
        PubSubManager pubsub = PubSubManager.getInstanceFor(connection, JidCreate.domainBareFrom("pubsub." + domain));
        LeafNode node = pubsub.getLeafNode("/finesse/api/User/1002");
        System.out.println("subscribed " + node.subscribe(connection.getUser()).getState());
        HttpClient client = HttpClient.newBuilder().sslContext(tls).build();
        String credentials = Base64.getEncoder().encodeToString(("1002:" + arguments[5]).getBytes());
        HttpRequest put = HttpRequest.newBuilder(URI.create(base + "/finesse/api/User/1002"))
            .header("Authorization", "Basic " + credentials)
            .PUT(HttpRequest.BodyPublishers.ofString("<User><state>LOGIN</state><extension>2002</extension></User>")).build();
        System.out.println("status " + client.send(put, HttpResponse.BodyHandlers.discarding()).statusCode());
        String event = events.poll(30, TimeUnit.SECONDS);
        System.out.println("event " + (event != null && event.contains("NOT_READY")));
        System.out.println("ping " + PingManager.getInstanceFor(connection).pingMyServer());
        connection.disconnect(new Presence(Presence.Type.unavailable));
        System.exit(0);
    }

    private static SSLContext trusting(String file) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (FileInputStream in = new FileInputStream(file)) {
            store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        // Smack's BOSH takes its trust from this property, and from nothing else.
        Path copy = Files.createTempFile("trust", ".p12");
        copy.toFile().deleteOnExit();
        try (OutputStream out = Files.newOutputStream(copy)) {
            store.store(out, "changeit".toCharArray());
        }
        System.setProperty("javax.net.ssl.trustStore", copy.toString());
        System.setProperty("javax.net.ssl.trustStorePassword", "changeit");
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new X509TrustManager[] {(X509TrustManager) trust.getTrustManagers()[0]}, null);
        return context;
    }
}
