//! The popular jars: what many JVMs run, from many compilers and of many ages, and one that ProGuard made.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};
use jgraft_jvm_harness::{Jdk, maven};

use super::archives::{self, Archive};

/// Coordinates on Maven Central. The newest that resolve, and some of the time before stack maps (major 45 to 48).
const JARS: [&str; 48] = [
    "org.springframework:spring-core:7.0.10",
    "org.springframework:spring-beans:7.0.10",
    "org.springframework:spring-context:7.0.10",
    "org.springframework:spring-web:7.0.10",
    "org.springframework:spring-webmvc:7.0.10",
    "com.google.guava:guava:33.8.0-jre",
    "io.netty:netty-common:4.2.20.Final",
    "io.netty:netty-buffer:4.2.20.Final",
    "io.netty:netty-transport:4.2.20.Final",
    "io.netty:netty-handler:4.2.20.Final",
    "io.netty:netty-codec-http:4.2.20.Final",
    "io.netty:netty-codec-http2:4.2.20.Final",
    "org.jetbrains.kotlin:kotlin-stdlib:2.4.21",
    "org.scala-lang:scala-library:2.13.18",
    "org.scala-lang:scala3-library_3:3.3.7",
    "org.apache.groovy:groovy:5.0.8",
    "org.clojure:clojure:1.11.1",
    "org.hibernate.orm:hibernate-core:7.4.13.Final",
    "com.fasterxml.jackson.core:jackson-core:2.23.0",
    "com.fasterxml.jackson.core:jackson-databind:2.23.0",
    "net.bytebuddy:byte-buddy:1.18.17",
    "org.ow2.asm:asm:9.11.1",
    "org.apache.tomcat.embed:tomcat-embed-core:11.0.27",
    "org.apache.logging.log4j:log4j-api:2.26.1",
    "org.apache.logging.log4j:log4j-core:2.26.1",
    "ch.qos.logback:logback-core:1.6.6",
    "ch.qos.logback:logback-classic:1.6.6",
    "org.slf4j:slf4j-api:2.0.17",
    "org.apache.lucene:lucene-core:9.12.3",
    "org.apache.kafka:kafka-clients:4.4.0",
    "com.h2database:h2:2.5.252",
    "org.bouncycastle:bcprov-jdk18on:1.87",
    "org.apache.commons:commons-lang3:3.22.0",
    "org.apache.commons:commons-collections4:4.6.0",
    "commons-collections:commons-collections:3.2.2",
    "org.projectlombok:lombok:1.18.48",
    "com.github.ben-manes.caffeine:caffeine:3.3.1",
    "com.google.protobuf:protobuf-java:4.36.2",
    "io.projectreactor:reactor-core:3.8.8",
    "org.reactivestreams:reactive-streams:1.0.4",
    "org.mozilla:rhino:1.9.2",
    "org.postgresql:postgresql:42.7.14",
    "org.aspectj:aspectjweaver:1.9.22",
    "junit:junit:3.8.1",
    "oro:oro:2.0.8",
    "log4j:log4j:1.2.17",
    "hsqldb:hsqldb:1.8.0.10",
    "xerces:xercesImpl:2.8.1",
];

/// Three that are small: of today, by another compiler than javac, and of before stack maps.
pub(super) const FEW: [&str; 3] =
    ["org.apache.commons:commons-lang3:3.22.0", "org.jetbrains.kotlin:kotlin-stdlib:2.4.21", "oro:oro:2.0.8"];

const PROGUARD: &str = "net.sf.proguard:proguard-base:6.2.2";

/// Of Java 7, which that ProGuard reads.
const TO_OBFUSCATE: &str = "com.h2database:h2:1.4.200";

/// Those that can be had, and why the others can't.
pub(super) fn all() -> (Vec<Archive>, Vec<String>) {
    let (mut jars, mut missing) = of(&JARS);
    match obfuscated() {
        Ok(jar) => jars.push(archive(jar)),
        Err(error) => missing.push(format!("a jar by ProGuard: {error:#}")),
    }
    (jars, missing)
}

/// Those of these coordinates that can be had, and why the others can't.
pub(super) fn of(coordinates: &[&str]) -> (Vec<Archive>, Vec<String>) {
    let (mut jars, mut missing) = (Vec::new(), Vec::new());
    for coordinates in coordinates {
        match maven::artifact(coordinates) {
            Ok(jar) => jars.push(archive(jar)),
            Err(reason) => missing.push(reason),
        }
    }
    (jars, missing)
}

fn archive(jar: PathBuf) -> Archive {
    let name = jar.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Archive { name, jars: vec![jar] }
}

/// No jar on Maven Central says that ProGuard made it, so we make one, with all that ProGuard does to trouble a reader:
/// one name for many methods, merged classes and interfaces, moved and inlined code.
fn obfuscated() -> Result<PathBuf> {
    let target = archives::folder()?.join("h2-1.4.200-by-proguard.jar");
    if target.is_file() {
        return Ok(target);
    }
    let proguard = maven::artifact(PROGUARD).map_err(|reason| anyhow!(reason))?;
    let plain = maven::artifact(TO_OBFUSCATE).map_err(|reason| anyhow!(reason))?;
    let old = Jdk::all().iter().find(|jdk| jdk.feature <= 11 && jdk.runnable().is_ok());
    let library = archives::of_jdk(old.context("it needs the classes of JDK 8 or 11")?)?;
    let work = tempfile::Builder::new().prefix(".obfuscating-").tempdir_in(archives::folder()?)?;
    let made = work.path().join("made.jar");
    let configuration = work.path().join("proguard.conf");
    fs::write(&configuration, self::configuration(&plain, &made, &library.jars))?;
    // It runs on any JDK from 8 on.
    let jdk = Jdk::compiler().context("no JDK to run it on")?;
    let output = Command::new(jdk.java())
        .args(["-Xmx2g", "-cp"])
        .arg(&proguard)
        .arg("proguard.ProGuard")
        .arg(format!("@{}", configuration.display()))
        .stdin(Stdio::null())
        .output()
        .context("can't run java")?;
    if !output.status.success() {
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let last: Vec<&str> = said.lines().rev().take(3).collect();
        bail!("{}: {}", output.status, last.join(" | "));
    }
    fs::rename(&made, &target)?;
    Ok(target)
}

fn configuration(from: &Path, to: &Path, libraries: &[PathBuf]) -> String {
    let mut text =
        format!("-injars '{}'(!META-INF/versions/**)\n-outjars '{}'\n", from.display(), to.display());
    for library in libraries {
        text += &format!("-libraryjars '{}'(!module-info.class)\n", library.display());
    }
    text + "-keep public class org.h2.Driver { public *; }\n\
            -dontshrink\n-optimizationpasses 2\n-allowaccessmodification\n-mergeinterfacesaggressively\n\
            -overloadaggressively\n-repackageclasses ''\n-dontwarn **\n-dontnote **\n-ignorewarnings\n"
}
