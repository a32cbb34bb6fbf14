// Changes of state of the simulator's agents with Java's own HttpClient, each when it is due: how long they took.
//
// Arguments: certificate of the authority, base of REST, password, agents, how many a second, for how many seconds.
// Prints a line of JSON, as the benchmark's own loads do.

import java.lang.management.ManagementFactory;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.Base64;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

public final class Requests {
    public static void main(String[] arguments) throws Exception {
        String base = arguments[1];
        String password = arguments[2];
        int agents = Integer.parseInt(arguments[3]);
        int rate = Integer.parseInt(arguments[4]);
        int count = rate * Integer.parseInt(arguments[5]);
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).sslContext(Trust.in(arguments[0])).build();
        // Three seconds in which what Java compiles is compiled.
        run(client, base, password, agents, rate, rate * 3);
        System.out.println(run(client, base, password, agents, rate, count));
        System.exit(0);
    }

    private static String run(HttpClient client, String base, String password, int agents, int rate, int count) throws Exception {
        long[] took = new long[count];
        AtomicLong failed = new AtomicLong();
        CountDownLatch done = new CountDownLatch(count);
        var process = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long processor = process.getProcessCpuTime();
        long first = System.nanoTime() + 250_000_000L;
        for (int at = 0; at < count; at++) {
            int number = at;
            long due = first + at * 1_000_000_000L / rate;
            for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
                LockSupport.parkNanos(left);
            }
            client.sendAsync(request(base, password, number, agents), HttpResponse.BodyHandlers.discarding()).whenComplete((answer, error) -> {
                took[number] = (System.nanoTime() - due) / 1000;
                if (error != null || answer.statusCode() != 202) {
                    failed.incrementAndGet();
                }
                done.countDown();
            });
        }
        done.await();
        double seconds = (System.nanoTime() - first) / 1e9;
        double cpu = (process.getProcessCpuTime() - processor) / 1e3 / count;
        Arrays.sort(took);
        int last = count - 1;
        return String.format(java.util.Locale.ROOT,
            "{\"median_us\":%d,\"p99_us\":%d,\"max_us\":%d,\"per_second\":%f,\"cpu_us\":%f,\"failed\":%d}",
            took[last / 2], took[(int) (last * 99L / 100)], took[last], count / seconds, cpu, failed.get());
    }

    private static HttpRequest request(String base, String password, int number, int agents) {
        String id = Integer.toString(1001 + number % agents);
        String state = number / agents % 2 == 0 ? "NOT_READY" : "READY";
        String credentials = Base64.getEncoder().encodeToString((id + ":" + password).getBytes());
        return HttpRequest.newBuilder(URI.create(base + "/finesse/api/User/" + id))
            .header("Authorization", "Basic " + credentials)
            .header("Content-Type", "application/xml")
            .PUT(HttpRequest.BodyPublishers.ofString("<User><state>" + state + "</state></User>")).build();
    }
}
