// Starts a Derby server that dies with whoever started it.

/** Takes the arguments of Derby's own NetworkServerControl. Its standard input is the lifeline. */
public final class DatabaseMain {
    public static void main(String[] arguments) throws Exception {
        LabMain.haltAtEndOf(System.in);
        Class.forName("org.apache.derby.drda.NetworkServerControl")
            .getMethod("main", String[].class)
            .invoke(null, (Object) arguments);
    }
}
