// What java.util.Properties makes of a file: the judge of everything that writes properties.

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;

public final class LoadProperties {
    public static void main(String[] arguments) throws IOException {
        System.out.println(Json.of(load(arguments[0])));
    }

    /** Sorted by key. Throws what Properties.load throws, IllegalArgumentException for a bad escape included. */
    static Map<String, String> load(String path) throws IOException {
        Properties properties = new Properties();
        try (InputStream file = new FileInputStream(path)) {
            properties.load(file);
        }
        Map<String, String> sorted = new TreeMap<>();
        properties.forEach((key, value) -> sorted.put((String) key, (String) value));
        return sorted;
    }
}
