// Gives each side of a TLS connection what it should have, from a store that holds everything.

import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.Base64;

/** STORE PASSWORD: beside the store it writes server.p12, client.p12, trust.p12, ca.pem, and a certificate and a key of each as PEM. */
public final class SplitStore {
    public static void main(String[] arguments) throws Exception {
        Path from = Path.of(arguments[0]);
        char[] password = arguments[1].toCharArray();
        KeyStore all = KeyStore.getInstance(from.toFile(), password);
        for (String who : new String[] {"server", "client"}) {
            KeyStore own = empty();
            own.setKeyEntry(who, all.getKey(who, password), password, all.getCertificateChain(who));
            save(own, from.resolveSibling(who + ".p12"), password);
            pem(from.resolveSibling(who + ".pem"), "CERTIFICATE", all.getCertificate(who).getEncoded());
            pem(from.resolveSibling(who + "-key.pem"), "PRIVATE KEY", all.getKey(who, password).getEncoded());
        }
        Certificate authority = all.getCertificate("ca");
        KeyStore trust = empty();
        trust.setCertificateEntry("ca", authority);
        save(trust, from.resolveSibling("trust.p12"), password);
        pem(from.resolveSibling("ca.pem"), "CERTIFICATE", authority.getEncoded());
    }

    private static KeyStore empty() throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    private static void save(KeyStore store, Path path, char[] password) throws Exception {
        try (OutputStream out = Files.newOutputStream(path)) {
            store.store(out, password);
        }
    }

    private static void pem(Path path, String what, byte[] bytes) throws Exception {
        String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes);
        Files.writeString(path, "-----BEGIN " + what + "-----\n" + text + "\n-----END " + what + "-----\n");
    }
}
