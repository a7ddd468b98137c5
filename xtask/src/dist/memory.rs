//! The most memory that a command holds at once, anonymous and mapped from files, by the kernel's count at its end.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use jgraft_jvm_harness::Jdk;
use jgraft_jvm_harness::steps::stepped;
use tempfile::TempDir;

use super::start;

/// KiB that a command may take, with jars of up to [`ENTRIES`] entries.
const LIMIT: u64 = 10 << 10;
/// The same with larger jars.
const LARGE_LIMIT: u64 = 32 << 10;
/// A large jar of an agent has about so many.
const ENTRIES: usize = 5_000;

/// Measures every command, and fails where one takes too much.
pub(super) fn measure(jgraft: &Path, jdk: &Jdk, agent: &Path) -> Result<()> {
    let service = start(jdk)?;
    let pid = service.pid().to_string();
    let folder = tempfile::tempdir()?;
    let (jar, huge) = (jar(&folder, jdk, agent, ENTRIES)?, jar(&folder, jdk, agent, 8 * ENTRIES)?);
    let path = |jar: &Path| Ok::<_, anyhow::Error>(jar.to_str().context("not UTF-8")?.to_owned());
    let (jar, huge) = (path(&jar)?, path(&huge)?);
    // It changes a price to what it is, so that it can be loaded any number of times.
    let same = |jar: &str| format!("{jar}=class=Pricing,from=129900,to=129900");
    let (agent, huge_agent) = (same(&jar), same(&huge));
    // As root each load makes a copy: the service has a /tmp of its own.
    let dump = path(&folder.path().join("heap.hprof"))?;
    let commands: [(&[&str], u64); 18] = [
        (&["--version"], LIMIT),
        (&["list"], LIMIT),
        (&["list", "--json"], LIMIT),
        (&["doctor", "--probe", "--privileges", &pid], LIMIT),
        (&["jcmd", &pid, "Thread.print", "-l"], LIMIT),
        (&["jcmd", &pid, "GC.class_histogram"], LIMIT),
        (&["threads", &pid], LIMIT),
        (&["histogram", &pid], LIMIT),
        (&["properties", &pid], LIMIT),
        (&["stat", &pid], LIMIT),
        (&["flag", &pid, "MaxHeapSize"], LIMIT),
        (&["heap-dump", &pid, &dump], LIMIT),
        (&["check", &jar], LIMIT),
        (&["check", &jar, "--for", &pid], LIMIT),
        (&["load", &pid, &agent], LIMIT),
        (&["load", "--supervised", &pid, &agent], LIMIT),
        (&["check", &huge], LARGE_LIMIT),
        (&["load", &pid, &huge_agent], LARGE_LIMIT),
    ];
    println!("memory at most, anonymous and of files, KiB:");
    let mut over = String::new();
    for (args, limit) in commands {
        let run = stepped(jgraft, args, &[], None, |_| Ok(()))?;
        let shown = args
            .join(" ")
            .replace(&jar, "5000.jar")
            .replace(&huge, "40000.jar")
            .replace(&pid, "PID")
            .replace(&dump, "FILE");
        ensure!(run.code == Some(0), "{shown}: {run:#?}");
        println!("  {:>6} of {limit:>6}  {shown}", run.peak_kib);
        if run.peak_kib > limit {
            let _ = write!(over, " {shown}: {} KiB;", run.peak_kib);
        }
    }
    if !over.is_empty() {
        bail!("too much memory:{over}");
    }
    Ok(())
}

/// The agent with so many more entries in its jar.
fn jar(folder: &TempDir, jdk: &Jdk, agent: &Path, entries: usize) -> Result<PathBuf> {
    let more = folder.path().join(format!("more-{entries}"));
    fs::create_dir(&more)?;
    for number in 0..entries {
        fs::write(more.join(format!("entry-{number}.txt")), number.to_string())?;
    }
    let jar = folder.path().join(format!("{entries}.jar"));
    fs::copy(agent, &jar)?;
    let tool = jdk.tool("jar").context("this JDK has no jar")?;
    let mut command = Command::new(tool);
    let output = command.arg("--update").arg("--file").arg(&jar).arg("-C").arg(&more).arg(".").output()?;
    ensure!(output.status.success(), "jar: {output:?}");
    Ok(jar)
}
