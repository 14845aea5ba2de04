package common;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/** Trust in minikin's certificate authority, and in no other. */
public final class Trust {
    private Trust() {}

    public static TrustManager[] managers() {
        try (InputStream file = Files.newInputStream(Path.of(System.getenv("CA_FILE")))) {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            store.setCertificateEntry(
                    "minikin", CertificateFactory.getInstance("X.509").generateCertificate(file));
            TrustManagerFactory factory =
                    TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(store);
            return factory.getTrustManagers();
        } catch (IOException | GeneralSecurityException error) {
            throw new IllegalStateException(error);
        }
    }
}
