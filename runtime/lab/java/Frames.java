// What ActiveMQ's own marshallers write: the judge of everything that speaks OpenWire.

import java.lang.reflect.Array;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.activemq.command.*;
import org.apache.activemq.filter.BooleanExpression;
import org.apache.activemq.openwire.DataStreamMarshaller;
import org.apache.activemq.openwire.OpenWireFormat;
import org.apache.activemq.openwire.v12.MarshallerFactory;
import org.apache.activemq.util.ByteSequence;

/**
 * layouts            a line per structure: type id, class, and its fields in the order of the wire; `a|b` where two setters are one field
 * random SEED COUNT  so many frames in hex, of every type in turn, with random fields
 */
public final class Frames {
    // XA recovery, journals and discovery never travel between a client and a broker.
    private static final List<Integer> LEFT_OUT = List.of(40, 50, 51, 52, 53, 54);

    private final OpenWireFormat format = new OpenWireFormat(12);
    private final DataStreamMarshaller[] marshallers;
    private final Random chance;

    private Frames(long seed) throws Exception {
        format.setVersion(12);
        format.setCacheEnabled(false);
        format.setTightEncodingEnabled(false);
        format.setStackTraceEnabled(false);
        marshallers = MarshallerFactory.createMarshallerMap(format);
        chance = new Random(seed);
    }

    public static void main(String[] arguments) throws Exception {
        switch (arguments[0]) {
            case "layouts" -> new Frames(1).layouts();
            case "random" -> new Frames(Long.parseLong(arguments[1])).random(Integer.parseInt(arguments[2]));
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    private List<Integer> types() {
        List<Integer> types = new ArrayList<>();
        for (int id = 1; id < marshallers.length; id++) {
            if (marshallers[id] != null && !LEFT_OUT.contains(id)) {
                types.add(id);
            }
        }
        return types;
    }

    private byte[] frame(Object structure) throws Exception {
        ByteSequence bytes = format.marshal(structure);
        return Arrays.copyOfRange(bytes.data, bytes.offset, bytes.offset + bytes.length);
    }

    private void random(int count) throws Exception {
        List<Integer> types = types();
        List<Integer> commands = types.stream().filter(id -> marshallers[id].createObject() instanceof Command).toList();
        for (int number = 0; number < count; number++) {
            Object structure = filled(commands.get(number % commands.size()), 0);
            System.out.println(HexFormat.of().formatHex(frame(structure)));
        }
    }

    /** A structure with every field that a setter of its class or of a class above it can fill. */
    private DataStructure filled(int type, int depth) throws Exception {
        DataStructure structure = marshallers[type].createObject();
        for (Method setter : setters(structure.getClass())) {
            // Half of what may be absent is.
            if (setter.getParameterTypes()[0].isPrimitive() || chance.nextBoolean()) {
                // Any structure in Java's eyes; a connection, session, consumer or producer in a broker's.
                boolean removed = setter.getName().equals("setObjectId");
                Object value = removed ? filled(120 + chance.nextInt(4), depth) : value(setter.getParameterTypes()[0], depth);
                set(structure, setter, value);
            }
        }
        return structure;
    }

    private static void set(Object structure, Method setter, Object value) {
        try {
            setter.invoke(structure, value);
        } catch (ReflectiveOperationException refused) {
            // A setter for users that wants more than a value of its type.
        }
    }

    private static List<Method> setters(Class<?> type) {
        List<Method> setters = new ArrayList<>();
        for (Method method : type.getMethods()) {
            boolean ours = method.getDeclaringClass().getName().startsWith("org.apache.activemq.command.");
            boolean one = method.getParameterCount() == 1 && method.getName().startsWith("set");
            boolean format = type == WireFormatInfo.class && List.of("setMagic", "setMarshalledProperties").contains(method.getName());
            // The body as a Java object, and properties as a map: they are bytes on the wire, and set as such.
            boolean content = List.of("setObject", "setProperties", "setProperty").contains(method.getName());
            // JMS's own setters are aliases with manners of their own.
            if (ours && one && !format && !content && !method.getName().startsWith("setJMS") && !method.isBridge() || method.getName().equals("setJMSXGroupFirstForConsumer")) {
                setters.add(method);
            }
        }
        setters.sort((a, b) -> a.toString().compareTo(b.toString()));
        return setters;
    }

    private static final String LETTERS = "abcXYZ019-_.:/ \u00fc\u20ac\0\ud83d\ude00";

    private String text() {
        StringBuilder text = new StringBuilder();
        for (int left = chance.nextInt(12); left > 0; left--) {
            int at = chance.nextInt(LETTERS.length() - 1);
            text.append(Character.isHighSurrogate(LETTERS.charAt(at)) ? LETTERS.substring(at, at + 2) : LETTERS.substring(at, at + 1).replace("\ude00", "z"));
        }
        return text.toString();
    }

    private byte[] bytes() {
        byte[] bytes = new byte[chance.nextInt(20)];
        chance.nextBytes(bytes);
        return bytes;
    }

    private Object value(Class<?> type, int depth) throws Exception {
        if (type == boolean.class) return chance.nextBoolean();
        if (type == byte.class) return (byte) chance.nextInt();
        if (type == short.class) return (short) chance.nextInt();
        if (type == int.class) return chance.nextInt();
        if (type == long.class) return chance.nextLong();
        if (type == String.class) return text();
        if (type == byte[].class) return bytes();
        if (type == ByteSequence.class) return new ByteSequence(bytes());
        if (type == Throwable.class) return new SecurityException(chance.nextBoolean() ? text() : null);
        if (type.isArray()) {
            Object array = Array.newInstance(type.getComponentType(), chance.nextInt(3));
            for (int at = 0; at < Array.getLength(array); at++) {
                Array.set(array, at, value(type.getComponentType(), depth));
            }
            return array;
        }
        return structure(type, depth);
    }

    private Object structure(Class<?> type, int depth) throws Exception {
        Class<?> wanted = type == BooleanExpression.class ? NetworkBridgeFilter.class : type;
        List<Integer> fitting = new ArrayList<>();
        for (int id : types()) {
            if (wanted.isInstance(marshallers[id].createObject())) {
                fitting.add(id);
            }
        }
        if (wanted == DataStructure.class) {
            // What can stand anywhere, and is no command by itself.
            fitting.removeIf(id -> id < 100);
        }
        return depth > 3 || fitting.isEmpty() ? null : filled(fitting.get(chance.nextInt(fitting.size())), depth + 1);
    }

    private void layouts() throws Exception {
        for (int type : types()) {
            Map<Integer, String> fields = new TreeMap<>();
            byte[] plain = frame(marshallers[type].createObject());
            for (Method setter : setters(marshallers[type].createObject().getClass())) {
                int at = Arrays.mismatch(body(plain), body(frame(with(type, setter))));
                if (at >= 0) {
                    String name = setter.getName().substring(3);
                    fields.merge(at, name, (one, other) -> one + "|" + other);
                }
            }
            String name = marshallers[type].createObject().getClass().getSimpleName();
            System.out.println(type + " " + name + " " + String.join(",", fields.values()));
        }
    }

    /** Without the length, which differs whenever anything does. */
    private static byte[] body(byte[] frame) {
        return Arrays.copyOfRange(frame, 4, frame.length);
    }

    /** A structure of which one field is not as it is by itself. */
    private DataStructure with(int type, Method setter) throws Exception {
        DataStructure structure = marshallers[type].createObject();
        Class<?> parameter = setter.getParameterTypes()[0];
        if (parameter == boolean.class) {
            byte[] before = frame(structure);
            set(structure, setter, true);
            if (Arrays.equals(before, frame(structure))) {
                set(structure, setter, false);
            }
            return structure;
        }
        // The first byte differs, so that the first difference is where the field begins.
        Object value = parameter == int.class ? (Object) 0x7e000000
            : parameter == long.class ? (Object) 0x7e00000000000000L
            : parameter == byte.class ? (Object) (byte) 0x7e
            : parameter == String.class ? "a text that no structure has by itself"
            : value(parameter, 3);
        set(structure, setter, value);
        return structure;
    }
}
