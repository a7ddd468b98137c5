//! The tracers that a user would pick instead, each set to see every call of the one method.

use std::ffi::OsString;

use anyhow::{Context, Result, ensure};
use jgraft_jvm_harness::{Jdk, javac};
use tempfile::TempDir;

use super::arthas;
use super::calls::{CLASS, Contestant, METHOD, started, target};
use super::fetch::{self, ASYNC_PROFILER, BTRACE};

/// Those that come up; of the others the reason is printed.
pub(super) fn start(jdk: &'static Jdk) -> Vec<Contestant> {
    let watch = "'#cost' -n 2000000000";
    let starts: [(&str, &dyn Fn() -> Result<Contestant>); 8] = [
        ("Arthas watch", &|| arthas::contestant(jdk, "watch", watch)),
        ("Arthas trace", &|| arthas::contestant(jdk, "trace", "-n 2000000000")),
        ("Arthas monitor", &|| arthas::contestant(jdk, "monitor", "-c 3600")),
        ("BTrace", &|| btrace(jdk)),
        ("async-profiler --trace", &|| {
            async_profiler(jdk, "--trace", &format!("trace={CLASS}.{METHOD}:0ns"))
        }),
        ("async-profiler -e", &|| async_profiler(jdk, "-e", &format!("event={CLASS}.{METHOD}"))),
        ("JFR", &|| flight_recorder(jdk, "JFR jdk.MethodTrace", "")),
        ("JFR without stacks", &|| {
            flight_recorder(jdk, "JFR, without stacks", "jdk.MethodTrace#stackTrace=false,")
        }),
    ];
    let mut all = Vec::new();
    for (name, start) in starts {
        match start() {
            Ok(contestant) => all.push(contestant),
            Err(reason) => println!("{name} is left out: {reason:#}"),
        }
    }
    all
}

/// With these options; its files are gone when it is.
fn with_options(
    jdk: &'static Jdk,
    name: String,
    options: impl IntoIterator<Item = OsString>,
    files: TempDir,
) -> Result<Contestant> {
    let mut contestant = Contestant::new(name, started(target(jdk)?.args(options))?);
    contestant.held.push(Box::new(files));
    Ok(contestant)
}

/// A script that counts and adds up: to print each call is not what anybody would have it do.
fn btrace(jdk: &'static Jdk) -> Result<Contestant> {
    let files = tempfile::tempdir()?;
    let [agent, boot] = ["agent", "boot"].map(|name| files.path().join(format!("btrace-{name}.jar")));
    std::fs::copy(BTRACE[0].file()?, &agent)?;
    // The agent's manifest asks for it by this name.
    std::fs::copy(BTRACE[1].file()?, &boot)?;
    let classes = files.path().join("classes");
    javac::compile(&[fetch::source("CallScript.java")], &classes, &["-cp", &boot.display().to_string()])?;
    let script = classes.join("CallScript.class");
    let options = format!("script={},noServer=true,trusted=true", script.display());
    let java_agent = format!("-javaagent:{}={options}", agent.display());
    let mut args: Vec<OsString> = vec![java_agent.into()];
    // As its own launcher has it.
    for package in ["java.lang", "jdk.internal.reflect"] {
        args.extend(["--add-opens".into(), format!("java.base/{package}=ALL-UNNAMED").into()]);
    }
    with_options(jdk, format!("BTrace {}, sums only", BTRACE[0].version()), args, files)
}

fn async_profiler(jdk: &'static Jdk, name: &str, what: &str) -> Result<Contestant> {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let library = ASYNC_PROFILER.unpacked()?.join(format!("linux-{architecture}/libasyncProfiler.so"));
    ensure!(library.is_file(), "it has no {}", library.display());
    let files = tempfile::tempdir()?;
    let option =
        format!("-agentpath:{}=start,{what},jfr,file={}/out.jfr", library.display(), files.path().display());
    let name = format!("async-profiler {} {name}", ASYNC_PROFILER.version());
    with_options(jdk, name, [option.into()], files)
}

fn flight_recorder(jdk: &'static Jdk, name: &str, more: &str) -> Result<Contestant> {
    (jdk.feature >= 25).then_some(()).context("it traces methods from JDK 25 on")?;
    let files = tempfile::tempdir()?;
    let recording = format!(
        "-XX:StartFlightRecording:jdk.MethodTrace#filter={CLASS}::{METHOD},jdk.MethodTrace#threshold=0ns,{more}\
         maxsize=100m"
    );
    let repository = format!("-XX:FlightRecorderOptions:repository={}", files.path().display());
    with_options(jdk, name.to_owned(), [recording.into(), repository.into()], files)
}
