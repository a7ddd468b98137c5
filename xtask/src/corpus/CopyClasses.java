// Copies the classes of the JDK that runs it into jars below a folder: `CopyClasses FOLDER`. One jar a module, under the
// module's name; on JDK 8 one for each of its own jars, those of lib/ext as ext-NAME.jar.

import java.io.BufferedOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

public final class CopyClasses {
    private CopyClasses() {}

    public static void main(String[] args) throws IOException {
        copy(Paths.get(args[0]));
        System.out.println("done");
    }

    private static void copy(Path folder) throws IOException {
        String bootJars = System.getProperty("sun.boot.class.path");
        if (bootJars == null) {
            try (DirectoryStream<Path> modules =
                    Files.newDirectoryStream(FileSystems.getFileSystem(URI.create("jrt:/")).getPath("/modules"))) {
                for (Path module : modules) {
                    copyModule(module, folder.resolve(module.getFileName() + ".jar"));
                }
            }
            return;
        }
        for (String jar : bootJars.split(File.pathSeparator)) {
            copyJar(new File(jar), folder.resolve(new File(jar).getName()));
        }
        File[] extensions = new File(System.getProperty("java.home"), "lib/ext").listFiles();
        for (File jar : extensions == null ? new File[0] : extensions) {
            copyJar(jar, folder.resolve("ext-" + jar.getName()));
        }
    }

    private static void copyModule(Path module, Path to) throws IOException {
        List<Path> classes;
        try (Stream<Path> files = Files.walk(module)) {
            classes = files.filter(file -> file.toString().endsWith(".class")).sorted().collect(Collectors.toList());
        }
        try (ZipOutputStream out = open(to)) {
            for (Path file : classes) {
                out.putNextEntry(new ZipEntry(module.relativize(file).toString()));
                Files.copy(file, out);
            }
        }
    }

    private static void copyJar(File jar, Path to) throws IOException {
        if (!jar.isFile() || !jar.getName().endsWith(".jar")) {
            return;
        }
        try (ZipFile in = new ZipFile(jar);
                ZipOutputStream out = open(to)) {
            for (ZipEntry entry : Collections.list(in.entries())) {
                if (entry.getName().endsWith(".class")) {
                    out.putNextEntry(new ZipEntry(entry.getName()));
                    copy(in.getInputStream(entry), out);
                }
            }
        }
    }

    private static ZipOutputStream open(Path to) throws IOException {
        ZipOutputStream out = new ZipOutputStream(new BufferedOutputStream(Files.newOutputStream(to), 1 << 16));
        out.setLevel(1);
        return out;
    }

    private static void copy(InputStream from, OutputStream to) throws IOException {
        byte[] buffer = new byte[1 << 16];
        for (int n = from.read(buffer); n >= 0; n = from.read(buffer)) {
            to.write(buffer, 0, n);
        }
    }
}
