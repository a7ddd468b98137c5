//! Faults on real JVMs of every JDK found, each in a /tmp of its own, so that all that is left there can be told.
//!
//! One JVM serves many faults of jgraft; one that is killed, or whose listener is to be woken, serves one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use jgraft_jvm_harness::steps::Stepped;
use jgraft_jvm_harness::{Jdk, Jvm, targets};

use crate::Counts;
use crate::aftermath::{no_process_left, same_tree, tree};
use crate::common::{bundled_agent_beside_jgraft, good_jar, jgraft, text, unharmed};
use crate::strike::{Victim, note, step, strike};

/// What is run; `{pid}` and `{cwd}`, the JVM's own folder, are filled in, `{jar}` is a jar that the JVM sees, `{copy}` one that it does not.
const COMMANDS: [&[&str]; 7] = [
    &["list"],
    &["doctor", "--privileges", "{pid}"],
    &["heap-dump", "--dir", "{cwd}", "{pid}", "-"],
    &["jcmd", "--timeout", "400ms", "--reply-timeout", "400ms", "{pid}", "VM.version"],
    &["load", "--timeout", "400ms", "--reply-timeout", "400ms", "{pid}", "{jar}=x"],
    &["load", "--timeout", "400ms", "--reply-timeout", "400ms", "{pid}", "{copy}=x"],
    &["load", "--supervised", "--timeout", "400ms", "--reply-timeout", "400ms", "{pid}", "{copy}=x"],
];
/// From here on they are for a JVM that is stopped or killed as well. A dump that is still being written when its time is
/// over stays by design.
const ASKING: usize = 3;

struct Jars {
    seen: PathBuf,
    copy: PathBuf,
    _folder: tempfile::TempDir,
}

/// About so many faults, spread over the JDKs.
pub(crate) fn run(jdks: &[&Jdk], count: usize) -> Result<Counts> {
    let mut counts = Counts::new();
    if count == 0 {
        return Ok(counts);
    }
    bundled_agent_beside_jgraft()?;
    let folder = tempfile::tempdir_in("/tmp")?;
    let copy = folder.path().join("agent.jar");
    fs::copy(good_jar()?, &copy)?;
    let jars = Jars { seen: good_jar()?, copy, _folder: folder };
    // One in five takes a JVM of its own, which costs some tenths of a second.
    let fresh = (count / 5 / jdks.len()).max(1);
    let warm = (count / jdks.len()).saturating_sub(fresh);
    for jdk in jdks {
        warm_faults(jdk, &jars, warm, &mut counts).with_context(|| format!("JDK {jdk}, a warm JVM"))?;
        fresh_faults(jdk, &jars, fresh, &mut counts).with_context(|| format!("JDK {jdk}, a fresh JVM"))?;
    }
    Ok(counts)
}

/// jgraft killed, or the JVM stopped, while the listener is up.
fn warm_faults(jdk: &Jdk, jars: &Jars, count: usize, counts: &mut Counts) -> Result<()> {
    let service = start(jdk)?;
    let tmp = own_tmp(&service);
    let mut steps = Vec::new();
    for command in COMMANDS {
        // Once for what the first run leaves for good, once for the steps of all others.
        through(&service, command, jars)?;
        steps.push(through(&service, command, jars)?.steps);
    }
    let before = tree(&tmp)?;
    let mut orders = placed(&service)?;
    // Every third fault is the JVM's, of the commands that talk to it.
    let (sleepers, killed) = (count / 3, count - count / 3);
    for n in 0..count {
        let (victim, number, share) =
            if n < killed { (Victim::Injector, n, killed) } else { (Victim::Sleeper, n - killed, sleepers) };
        let which = match victim {
            Victim::Injector => number % COMMANDS.len(),
            _ => ASKING + number % (COMMANDS.len() - ASKING),
        };
        let at = step(number, share, steps[which]);
        let what = || format!("{} at step {at} of {} of {:?}", victim.name(), steps[which], COMMANDS[which]);
        let mark = format!("warm-{}-{n}", service.pid());
        let words = filled(COMMANDS[which], &service, jars);
        let run = strike(&refs(&words), &mark, Some(at), victim, service.pid()).with_context(what)?;
        note(counts, &run, &format!("{} (JDK {})", victim.name(), jdk.feature));
        let well = well_again(&service, COMMANDS[which], jars, &mark)
            .and_then(|()| same_tree(&before, &tmp))
            .and_then(|()| goes_on(&service, &mut orders));
        well.with_context(|| format!("{} after {run:#?}", what()))?;
    }
    Ok(())
}

/// Any victim, while the listener has yet to be woken.
fn fresh_faults(jdk: &Jdk, jars: &Jars, count: usize, counts: &mut Counts) -> Result<()> {
    let steps = COMMANDS.map(|command| start(jdk).and_then(|service| through(&service, command, jars)));
    let steps = steps.into_iter().map(|run| Ok(run?.steps)).collect::<Result<Vec<_>>>()?;
    for n in 0..count {
        let victim = Victim::ALL[n % Victim::ALL.len()];
        let which = ASKING + (n / Victim::ALL.len()) % (COMMANDS.len() - ASKING);
        let at = step(n, count, steps[which]);
        let what = || format!("{} at step {at} of {} of {:?}", victim.name(), steps[which], COMMANDS[which]);
        let service = start(jdk)?;
        let mark = format!("fresh-{}", service.pid());
        let words = filled(COMMANDS[which], &service, jars);
        let run = strike(&refs(&words), &mark, Some(at), victim, service.pid()).with_context(what)?;
        note(counts, &run, &format!("{} (JDK {})", victim.name(), jdk.feature));
        let well = if victim == Victim::Jvm && run.struck {
            // Its /tmp went with it.
            no_process_left(&mark).and_then(|()| jgraft(["list"])?.expect(0).map(drop))
        } else {
            ends_well(&service, COMMANDS[which], jars, &mark)
        };
        well.with_context(|| format!("{} after {run:#?}", what()))?;
    }
    Ok(())
}

/// After one more run what lies in its /tmp is what lies there after yet another.
fn ends_well(service: &Jvm, command: &[&str], jars: &Jars, mark: &str) -> Result<()> {
    well_again(service, command, jars, mark)?;
    let left = tree(&own_tmp(service))?;
    let trigger = format!("/.attach_pid{}", service.pid());
    let session = |path: &&String| path.contains("/s-") || path.contains("-s-") || path.ends_with(&trigger);
    let sessions: BTreeSet<_> = left.iter().filter(session).collect();
    ensure!(sessions.is_empty(), "left: {sessions:?}");
    through(service, command, jars)?;
    same_tree(&left, &own_tmp(service))
}

/// The next run of the same command works, and nobody of the last one is left.
fn well_again(service: &Jvm, command: &[&str], jars: &Jars, mark: &str) -> Result<()> {
    let words: Vec<_> =
        filled(command, service, jars).iter().map(|word| word.replace("400ms", "20s")).collect();
    jgraft(refs(&words))?.expect(0).context("the next run")?;
    no_process_left(mark)?;
    if command.first() == Some(&"heap-dump") {
        no_dump_left(service)?;
    }
    unharmed(service)
}

/// No directory for a dump. One that the JVM was still writing when the next run looked goes with the one after.
fn no_dump_left(service: &Jvm) -> Result<()> {
    let left = || -> Result<Vec<String>> {
        Ok(tree(service.cwd())?.into_iter().filter(|path| path.contains(".jgraft-dump-")).collect())
    };
    if !left()?.is_empty() {
        let (pid, cwd) = (service.pid().to_string(), text(service.cwd()));
        jgraft(["heap-dump", "--dir", cwd, &pid, "-"])?.expect(0)?;
    }
    ensure!(left()?.is_empty(), "left: {:?}", left()?);
    Ok(())
}

/// Its workers have placed orders since.
fn goes_on(service: &Jvm, orders: &mut u64) -> Result<()> {
    let now = placed(service)?;
    ensure!(now > *orders, "{now} orders, as before");
    *orders = now;
    Ok(())
}

fn placed(service: &Jvm) -> Result<u64> {
    let line = service.ask("count", |line| line.starts_with("count place="))?;
    let count = line.trim_start_matches("count place=").split(' ').next().context("no count")?;
    Ok(count.parse()?)
}

/// A run without a fault.
fn through(service: &Jvm, command: &[&str], jars: &Jars) -> Result<Stepped> {
    let words: Vec<_> =
        filled(command, service, jars).iter().map(|word| word.replace("400ms", "20s")).collect();
    let run = strike(&refs(&words), "through", None, Victim::Injector, service.pid())?;
    ensure!(run.code == Some(0), "it does not even work: {run:#?}");
    Ok(run)
}

fn start(jdk: &Jdk) -> Result<Jvm> {
    let builder = Jvm::builder(jdk).args(["-Xmx64m"]).class_path(targets::order_service_classes()?);
    let service = builder.main("OrderService").program_args(["--quiet"]).own_tmp("").start()?;
    service.wait_ready()?;
    Ok(service)
}

fn own_tmp(service: &Jvm) -> PathBuf {
    Path::new("/proc").join(service.pid().to_string()).join("root/tmp")
}

fn filled(command: &[&str], service: &Jvm, jars: &Jars) -> Vec<String> {
    let (pid, cwd) = (service.pid().to_string(), text(service.cwd()));
    let fill = |word: &&str| {
        let word = word.replace("{pid}", &pid).replace("{cwd}", cwd);
        word.replace("{jar}", text(&jars.seen)).replace("{copy}", text(&jars.copy))
    };
    command.iter().map(fill).collect()
}

fn refs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}
