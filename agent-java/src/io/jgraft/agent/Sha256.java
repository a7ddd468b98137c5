// SHA-256 (FIPS 180-4) for the stub. FROZEN with it.
// Not MessageDigest: its first use in a JVM starts the security providers that the application configured, which is
// their code, not ours to run, and takes 20 to 35 ms; this takes a fifth of that for a jar of our size.
package io.jgraft.agent;

import java.util.Arrays;

final class Sha256 {
    private static final int[] K = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    };

    private Sha256() {
    }

    /** In lower-case hexadecimal digits. */
    static String hex(byte[] message) {
        int[] hash = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
        int whole = message.length / 64 * 64;
        for (int at = 0; at < whole; at += 64) {
            block(message, at, hash);
        }
        // Padding: a one bit, zeros, the length in bits; in one block or, if that has no room, in two.
        byte[] last = Arrays.copyOfRange(message, whole, whole + (message.length - whole < 56 ? 64 : 128));
        last[message.length - whole] = (byte) 0x80;
        long bits = message.length * 8L;
        for (int i = 1; i <= 8; i++, bits >>>= 8) {
            last[last.length - i] = (byte) bits;
        }
        for (int at = 0; at < last.length; at += 64) {
            block(last, at, hash);
        }
        StringBuilder hex = new StringBuilder(64);
        for (int word : hash) {
            for (int shift = 28; shift >= 0; shift -= 4) {
                hex.append(Character.forDigit(word >>> shift & 15, 16));
            }
        }
        return hex.toString();
    }

    // The letters are the standard's.
    private static void block(byte[] m, int at, int[] hash) {
        int[] w = new int[64];
        for (int t = 0; t < 16; t++, at += 4) {
            w[t] = m[at] << 24 | (m[at + 1] & 255) << 16 | (m[at + 2] & 255) << 8 | m[at + 3] & 255;
        }
        for (int t = 16; t < 64; t++) {
            int x = w[t - 15];
            int y = w[t - 2];
            w[t] = w[t - 16] + ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3)
                    + w[t - 7] + ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10);
        }
        int a = hash[0];
        int b = hash[1];
        int c = hash[2];
        int d = hash[3];
        int e = hash[4];
        int f = hash[5];
        int g = hash[6];
        int h = hash[7];
        for (int t = 0; t < 64; t++) {
            int one = h + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) + (e & f ^ ~e & g)
                    + K[t] + w[t];
            int two = ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + (a & b ^ a & c ^ b & c);
            h = g;
            g = f;
            f = e;
            e = d + one;
            d = c;
            c = b;
            b = a;
            a = one + two;
        }
        hash[0] += a;
        hash[1] += b;
        hash[2] += c;
        hash[3] += d;
        hash[4] += e;
        hash[5] += f;
        hash[6] += g;
        hash[7] += h;
    }
}
