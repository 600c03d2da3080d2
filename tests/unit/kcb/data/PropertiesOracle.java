// Writes properties.tsv: texts, and what java.util.Properties makes of them.
//
//     java PropertiesOracle.java > properties.tsv
//
// One case a line: the text in hexadecimal, a tab, then BAD or the pairs KEY=VALUE in hexadecimal, sorted and separated
// by blanks. BAD: Java throws, or a key or value is no UTF-8 text without NUL.

import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import java.util.Random;
import java.util.TreeMap;

public class PropertiesOracle {
    static final String[] PIECES = {
        "a", "b", "key", "0", "=", "=", ":", ":", " ", " ", "\t", "\f", "\n", "\n", "\r", "\r\n", "\\", "\\", "\\\\",
        "\\n", "\\t", "\\r", "\\f", "\\=", "\\:", "\\ ", "\\#", "#", "!", "\\\n", "\\\r\n", "\\\n  ", "\\\r\\\n",
        "\\u0041", "\\u00e9", "\\u20AC", "\\ud83d\\ude00", "\\x", "\\\"",
        "\u00e9", "\u20ac", "\ud83d\ude00", "\u0001", "\u007f", "\u0085", "\u00a0", "\u2028", "\u000b",
    };

    static final String[] BAD_PIECES = { "\\uD83D", "\\ude00", "\\u0000", "\\u12", "\\uzzzz", "\\u" };

    static class Checked extends Properties {
        @Override
        public synchronized Object put(Object key, Object value) {
            check((String) key);
            check((String) value);
            return super.put(key, value);
        }
    }

    static void check(String text) {
        if (text.indexOf('\0') >= 0 || !StandardCharsets.UTF_16BE.newEncoder().canEncode(text)) {
            throw new IllegalArgumentException("no text");
        }
    }

    static String hex(String text) {
        StringBuilder hex = new StringBuilder();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            hex.append(String.format("%02x", b));
        }
        return hex.toString();
    }

    static String read(String text) {
        Properties properties = new Checked();
        try {
            properties.load(new StringReader(text));
        } catch (Exception e) {
            return "BAD";
        }
        TreeMap<String, String> pairs = new TreeMap<>();
        for (String name : properties.stringPropertyNames()) {
            pairs.put(hex(name), hex(properties.getProperty(name)));
        }
        StringBuilder all = new StringBuilder();
        pairs.forEach((k, v) -> all.append(all.length() > 0 ? " " : "").append(k).append('=').append(v));
        return all.toString();
    }

    static String random(Random random) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(20); i >= 0; i--) {
            String[] pieces = random.nextInt(100) == 0 ? BAD_PIECES : PIECES;
            text.append(pieces[random.nextInt(pieces.length)]);
        }
        return text.toString();
    }

    public static void main(String[] args) {
        Random random = new Random(20);
        String[] fixed = {
            "", "\\", "\\\n", "\\\n\nfoo", "\\\n#foo", "\\\n   \\", "a", "a=", "=b", ":", "= = =", "a b c", "a\\ b c",
            "a : b", "a = = b", "fruits  apple, banana, \\\n       pear, \\\n  cantaloupe", "a\\\n\n b=c", "#\\\na=b",
            "  ! no\n  yes = no", "a=1\na=2", "a\\=b=c", "a=b\\\\\nc=d", "a=b\\\\\\\nc=d", "a=\\u00", "a\r\rb\n\nc",
        };
        for (String text : fixed) {
            System.out.println(hex(text) + "\t" + read(text));
        }
        for (int i = 0; i < 4000; i++) {
            String text = random(random);
            System.out.println(hex(text) + "\t" + read(text));
        }
    }
}
