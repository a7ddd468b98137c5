/*
 * A target with so many classes: copies of one, Small or Usual, each under a name of its own, defined, initialised and called.
 * Says `ready CLASSES BYTES`, with the bytes of their class files.
 */
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

public final class ManyClasses {
    /** The class that is copied. Its name is as long as those of the copies. */
    static final class Small00000 implements Runnable {
        private int count;

        @Override
        public void run() {
            count += add(1, 2);
            text(count);
        }

        int add(int left, int right) {
            if (left > right) {
                return left - right;
            }
            return left + right;
        }

        String text(int number) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < 3; i++) {
                text.append(number).append(',');
            }
            return text.toString();
        }
    }

    /** As large as classes are on average. */
    static final class Usual00000 implements Runnable {
        private int count;

        @Override
        public void run() {
            count++;
        }

        long sum0(long[] values, String what) {
            long sum = 0;
            for (long value : values) {
                if (value > sum + 0) {
                    sum += value / 3 + what.length();
                } else {
                    sum ^= value << 1;
                }
                switch ((int) value & 3) {
                    case 0:
                        sum++;
                        break;
                    case 1:
                        sum -= 2;
                        break;
                    default:
                        sum = Math.abs(sum);
                }
            }
            return sum + "what is said of number 0".hashCode();
        }

        long sum1(long[] values, String what) {
            long sum = 1;
            for (long value : values) {
                if (value > sum + 1000) {
                    sum += value / 3 + what.length();
                } else {
                    sum ^= value << 2;
                }
                switch ((int) value & 3) {
                    case 0:
                        sum++;
                        break;
                    case 1:
                        sum -= 2;
                        break;
                    default:
                        sum = Math.abs(sum);
                }
            }
            return sum + "what is said of number 1".hashCode();
        }

        long sum2(long[] values, String what) {
            long sum = 2;
            for (long value : values) {
                if (value > sum + 2000) {
                    sum += value / 3 + what.length();
                } else {
                    sum ^= value << 3;
                }
                switch ((int) value & 3) {
                    case 0:
                        sum++;
                        break;
                    case 1:
                        sum -= 2;
                        break;
                    default:
                        sum = Math.abs(sum);
                }
            }
            return sum + "what is said of number 2".hashCode();
        }

        long sum3(long[] values, String what) {
            long sum = 3;
            for (long value : values) {
                if (value > sum + 3000) {
                    sum += value / 3 + what.length();
                } else {
                    sum ^= value << 4;
                }
                switch ((int) value & 3) {
                    case 0:
                        sum++;
                        break;
                    case 1:
                        sum -= 2;
                        break;
                    default:
                        sum = Math.abs(sum);
                }
            }
            return sum + "what is said of number 3".hashCode();
        }

        long sum4(long[] values, String what) {
            long sum = 4;
            for (long value : values) {
                if (value > sum + 4000) {
                    sum += value / 3 + what.length();
                } else {
                    sum ^= value << 5;
                }
                switch ((int) value & 3) {
                    case 0:
                        sum++;
                        break;
                    case 1:
                        sum -= 2;
                        break;
                    default:
                        sum = Math.abs(sum);
                }
            }
            return sum + "what is said of number 4".hashCode();
        }

        long sum5(long[] values, String what) {
            long sum = 5;
            for (long value : values) {
                if (value > sum + 5000) {
                    sum += value / 3 + what.length();
                } else {
                    sum ^= value << 6;
                }
                switch ((int) value & 3) {
                    case 0:
                        sum++;
                        break;
                    case 1:
                        sum -= 2;
                        break;
                    default:
                        sum = Math.abs(sum);
                }
            }
            return sum + "what is said of number 5".hashCode();
        }

        long sum6(long[] values, String what) {
            long sum = 6;
            for (long value : values) {
                if (value > sum + 6000) {
                    sum += value / 3 + what.length();
                } else {
                    sum ^= value << 7;
                }
                switch ((int) value & 3) {
                    case 0:
                        sum++;
                        break;
                    case 1:
                        sum -= 2;
                        break;
                    default:
                        sum = Math.abs(sum);
                }
            }
            return sum + "what is said of number 6".hashCode();
        }

        long sum7(long[] values, String what) {
            long sum = 7;
            for (long value : values) {
                if (value > sum + 7000) {
                    sum += value / 3 + what.length();
                } else {
                    sum ^= value << 8;
                }
                switch ((int) value & 3) {
                    case 0:
                        sum++;
                        break;
                    case 1:
                        sum -= 2;
                        break;
                    default:
                        sum = Math.abs(sum);
                }
            }
            return sum + "what is said of number 7".hashCode();
        }

        long sum8(long[] values, String what) {
            long sum = 8;
            for (long value : values) {
                if (value > sum + 8000) {
                    sum += value / 3 + what.length();
                } else {
                    sum ^= value << 9;
                }
                switch ((int) value & 3) {
                    case 0:
                        sum++;
                        break;
                    case 1:
                        sum -= 2;
                        break;
                    default:
                        sum = Math.abs(sum);
                }
            }
            return sum + "what is said of number 8".hashCode();
        }

        long sum9(long[] values, String what) {
            long sum = 9;
            for (long value : values) {
                if (value > sum + 9000) {
                    sum += value / 3 + what.length();
                } else {
                    sum ^= value << 10;
                }
                switch ((int) value & 3) {
                    case 0:
                        sum++;
                        break;
                    case 1:
                        sum -= 2;
                        break;
                    default:
                        sum = Math.abs(sum);
                }
            }
            return sum + "what is said of number 9".hashCode();
        }
    }

    private static final class Definer extends ClassLoader {
        Definer() {
            super(ManyClasses.class.getClassLoader());
        }

        Class<?> define(byte[] bytes) {
            return defineClass(null, bytes, 0, bytes.length);
        }
    }

    public static void main(String[] args) throws Exception {
        int wanted = Integer.parseInt(args[0]);
        String template = args[1];
        byte[] original = read("ManyClasses$" + template + "00000.class");
        byte[] name = (template + "00000").getBytes(StandardCharsets.US_ASCII);
        Definer definer = new Definer();
        Object[] kept = new Object[wanted];
        long total = 0;
        for (int n = 1; n <= wanted; n++) {
            byte[] bytes = original.clone();
            byte[] number = String.format("%s%05d", template, n).getBytes(StandardCharsets.US_ASCII);
            for (int at = 0; at + name.length <= bytes.length; at++) {
                if (Arrays.equals(Arrays.copyOfRange(bytes, at, at + name.length), name)) {
                    System.arraycopy(number, 0, bytes, at, number.length);
                }
            }
            java.lang.reflect.Constructor<?> constructor = definer.define(bytes).getDeclaredConstructor();
            constructor.setAccessible(true);
            Runnable copy = (Runnable) constructor.newInstance();
            copy.run();
            kept[n - 1] = copy;
            total += bytes.length;
        }
        System.out.println("ready " + wanted + " " + total);
        while (System.in.read() >= 0) {
            // Until the other side has enough.
        }
        System.out.println(kept.length);
    }

    private static byte[] read(String file) throws Exception {
        try (InputStream in = ManyClasses.class.getResourceAsStream(file)) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            byte[] buffer = new byte[4096];
            for (int read = in.read(buffer); read > 0; read = in.read(buffer)) {
                out.write(buffer, 0, read);
            }
            return out.toByteArray();
        }
    }
}
