import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.JaasContext;

/**
 * What Kafka's own reader makes of texts for sasl.jaas.config, one JSON object a line; jaas_test.c compares.
 * {"text", "ok", and when it is: "odd" (an option without a name, or a NUL: Kafka takes them), "module", "options"}
 *
 *     java -cp 'KAFKA/libs/*' JaasOracle.java > jaas.jsonl       (Kafka 4.3.1 and 3.9.1 print the same)
 */
public class JaasOracle {
    private static final String[] SEEDS = {
        "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\" password=\"p\";",
        "org.apache.kafka.common.security.scram.ScramLoginModule required username='u' password='p';",
        "M REQUIRED a=b;", "M requisite;", "M Optional a=\"b c\" d='e\"f';", "M sufficient a=\"\\\"\\\\\\n\\101\\7\\47;\";",
        "M required a=\"x\" /* c */ b=\"y\"; // end", "M required a=1;", "M required a=\"1\";", "M required a=b-1_$;",
        "M required a=-b;", "M required a=b", "M required a=;", "M required a;", "M required 1=\"x\";", "required a=\"b\";",
        "", " ", ";", "M", "M required a=b; N required c=d;", "M required a=\"b\nc\";", "M required \"a b\"=\"c\";",
        "M required a=b a=c;", "M required a=b,c=d;", "M required password=p@ss;", "M required password=p/ss;\n;",
        "M required a=\"\u00e9\u4e16\\351\" \u00e9=\u4e16;", "M required a = \"b\" ;", "M\trequired\r\na=\"b\"\r\n;",
        "M required a=\"\\\\\" b='\\'';", "M required a=b /\n c=d\n;", "M required a=\"\\8\\a\\b\\f\\r\\t\\v\\x\";", "'M' \"required\" a=b;",
        "M required a.b=c.d e=.5 f=\"g\";", "M required a=x1.2 b=\"c\";", "M required a=\"b\";;", "M required a=\"b\"; /* x",
    };
    private static final String ALPHABET = "ab1.-_$ \t\n;;==\"\"''\\/*\\nM\u00e9\u0085\u4e16(){},#:@+7";

    private static String mutate(Random random, String text) {
        StringBuilder out = new StringBuilder(text);
        for (int edits = 1 + random.nextInt(2); edits > 0; edits--) {
            int at = random.nextInt(out.length() + 1);
            if (random.nextInt(4) == 0 && at < out.length()) {
                out.deleteCharAt(at);
            } else {
                out.insert(at, ALPHABET.charAt(random.nextInt(ALPHABET.length())));
            }
        }
        return out.toString();
    }

    /** Options in quotes that hold anything, so that most are taken. */
    private static String make(Random random) {
        StringBuilder out = new StringBuilder("a.B$c required");
        for (int options = random.nextInt(4); options > 0; options--) {
            String quote = random.nextBoolean() ? "\"" : "'";
            out.append(random.nextInt(5) == 0 ? "/* ; */" : " ").append((char) ('a' + options)).append("=").append(quote);
            for (int size = random.nextInt(9); size > 0; size--) {
                char c = ALPHABET.charAt(random.nextInt(ALPHABET.length()));
                out.append(quote.charAt(0) == c || c == '\\' || c == '\n' ? "\\" + c : String.valueOf(c));
                out.append(random.nextInt(6) == 0 ? "\\" + "0123456789abfnrtvx".charAt(random.nextInt(18)) : "");
            }
            out.append(quote);
        }
        return out.append(";").toString();
    }

    private static String json(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else {
                out.append(c < ' ' || c > '~' ? String.format("\\u%04x", (int) c) : c);
            }
        }
        return out.append('"').toString();
    }

    private static String read(String text) {
        AppConfigurationEntry entry;
        try {
            entry = JaasContext.loadClientContext(Map.of("sasl.jaas.config", new Password(text)))
                .configurationEntries().get(0);
        } catch (RuntimeException e) {
            return "\"ok\": false";
        }
        List<String> options = new ArrayList<>();
        boolean odd = false;
        Map<String, String> sorted = new TreeMap<>();
        for (Map.Entry<String, ?> option : entry.getOptions().entrySet()) {
            if (option.getKey() == null || (option.getKey() + option.getValue()).indexOf('\0') >= 0) {
                odd = true;
            } else {
                sorted.put(option.getKey(), (String) option.getValue());
            }
        }
        sorted.forEach((name, value) -> options.add(json(name) + ": " + json(value)));
        return "\"ok\": true, \"odd\": " + odd + ", \"module\": " + json(entry.getLoginModuleName())
            + ", \"options\": {" + String.join(", ", options) + "}";
    }

    public static void main(String[] args) {
        Random random = new Random(20);
        List<String> texts = new ArrayList<>(List.of(SEEDS));
        while (texts.size() < 600) {
            String seed = SEEDS[random.nextInt(SEEDS.length)];
            if (read(seed).contains("true") || random.nextInt(4) == 0) {
                texts.add(mutate(random, seed));
            }
            texts.add(make(random));
        }
        for (String text : texts) {
            System.out.println("{\"text\": " + json(text) + ", " + read(text) + "}");
        }
    }
}
