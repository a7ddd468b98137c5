//! Faults on fake JVMs, which start in no time, so each run finds a fresh one: with a listener yet to be woken, of
//! HotSpot 8 to 25 and OpenJ9. And the faults that only a fake can have: answers cut, garbled, slow or none.

use anyhow::{Context, Result, ensure};
use jgraft_jvm_harness::artifacts;
use jgraft_jvm_harness::fake_jvm::FakeJvm;

use crate::aftermath::no_process_left;
use crate::common::text;
use crate::strike::{Victim, note, step, strike};
use crate::{Counts, common};

/// What is played, and under which name it is counted.
const PLAYED: [(&str, &str); 5] = [
    ("play hotspot 8", "HotSpot 8"),
    ("play hotspot 11", "HotSpot 11"),
    ("play hotspot 17", "HotSpot 17"),
    ("play hotspot 25", "HotSpot 25"),
    ("play openj9 17", "OpenJ9"),
];

/// How its answers go wrong.
const FAULTS: [&str; 7] =
    ["mute", "hang-up", "slow 1", "cut 3", "die 5", "huge 300000", "answer * \"HTTP/1.1 400\\r\\n\""];

/// What is run; `{pid}` and `{jar}` are filled in. The short limits are for a JVM that does not wake up in time.
const COMMANDS: [&[&str]; 3] = [
    &["jcmd", "--timeout", "400ms", "--reply-timeout", "400ms", "{pid}", "VM.version"],
    &["load", "--native", "--timeout", "400ms", "--reply-timeout", "400ms", "{pid}", "{jar}"],
    &["doctor", "--probe", "--timeout", "400ms", "--reply-timeout", "400ms", "{pid}"],
];

/// About so many faults, spread over all of it.
pub(crate) fn run(count: usize) -> Result<Counts> {
    let jar = artifacts::native_agent()?;
    let mut counts = Counts::new();
    let wrong_answers = count / 5;
    for n in 0..wrong_answers {
        let (played, fault) = (PLAYED[n % PLAYED.len()], FAULTS[n / PLAYED.len() % FAULTS.len()]);
        let what = || format!("fault {n}, {fault} of {}", played.1);
        wrong_answer(played.0, fault, COMMANDS[n % 2], text(&jar)).with_context(what)?;
        *counts.entry("a wrong answer (fake)".to_owned()).or_default() += 1;
    }
    let courses: Vec<_> = PLAYED
        .iter()
        .flat_map(|played| Victim::ALL.map(|victim| (played, victim)))
        .flat_map(|(played, victim)| COMMANDS.map(|command| (played, victim, command)))
        .collect();
    // Few faults take some courses only, and not always the first of them.
    let left = count - wrong_answers;
    let taken = courses.len().min(left.div_ceil(2)).max(1);
    let each = left.div_ceil(taken);
    for (number, (played, victim, command)) in courses.iter().enumerate() {
        if number * taken / courses.len() == (number + 1) * taken / courses.len() {
            continue;
        }
        let what = || format!("{} with {} of {}", victim.name(), command[0], played.1);
        course(played.0, *victim, command, text(&jar), each, &mut counts).with_context(what)?;
    }
    Ok(counts)
}

/// One command with one victim at `each` steps.
fn course(
    play: &str,
    victim: Victim,
    command: &[&str],
    jar: &str,
    each: usize,
    counts: &mut Counts,
) -> Result<()> {
    let steps = {
        let fake = FakeJvm::start(&format!("{play}\n"))?;
        let whole =
            strike(&refs(&filled(command, fake.pid(), jar)), "through", None, Victim::Injector, fake.pid())?;
        ensure!(whole.code == Some(0), "it does not even work: {whole:#?}");
        whole.steps
    };
    for n in 0..each {
        let at = step(n, each, steps);
        let struck = one(play, victim, command, jar, at, counts);
        struck.with_context(|| format!("step {at} of {steps}"))?;
    }
    Ok(())
}

fn one(
    play: &str,
    victim: Victim,
    command: &[&str],
    jar: &str,
    at: usize,
    counts: &mut Counts,
) -> Result<()> {
    let mut fake = FakeJvm::start(&format!("{play}\n"))?;
    let mark = format!("fake-{}", fake.pid());
    let words = filled(command, fake.pid(), jar);
    let run = strike(&refs(&words), &mark, Some(at), victim, fake.pid())?;
    note(counts, &run, &format!("{} (fake)", victim.name()));
    if victim == Victim::Jvm && run.struck {
        // Reaped: until then it may not yet have ended.
        fake.kill()?;
        fake.trigger_goes()?;
    } else {
        fake.is_alive()?;
        let next: Vec<_> = words.iter().map(|word| word.replace("400ms", "20s")).collect();
        let next = common::jgraft(next.iter().map(String::as_str))?;
        next.expect(0).with_context(|| format!("the next run, after {run:#?}"))?;
        fake.trigger_goes()?;
        fake.nothing_is_left()?;
        unharmed(&fake)?;
    }
    no_process_left(&mark)
}

fn wrong_answer(play: &str, fault: &str, command: &[&str], jar: &str) -> Result<()> {
    let mut fake = FakeJvm::start(&format!("{play}\nlisten at-start\n"))?;
    let statement = if fault.starts_with("answer") { fault.to_owned() } else { format!("fault {fault}") };
    fake.tell(&statement, "will")?;
    let mark = format!("answer-{}", fake.pid());
    let words = filled(command, fake.pid(), jar);
    strike(&refs(&words), &mark, None, Victim::Injector, fake.pid())?;
    if fault.starts_with("die") {
        return fake.trigger_goes().and_then(|()| no_process_left(&mark));
    }
    unharmed(&fake)?;
    // As good as new: the same command works at once.
    fake.tell_among("fault none", "will", &["request", "woken", "attachment", "command"])?;
    if fault.starts_with("answer") {
        return no_process_left(&mark);
    }
    let next: Vec<_> = words.iter().map(|word| word.replace("400ms", "20s")).collect();
    common::jgraft(refs(&next))?.expect(0).context("the next run")?;
    fake.nothing_is_left()?;
    no_process_left(&mark)
}

/// It has printed no dump of any kind.
fn unharmed(fake: &FakeJvm) -> Result<()> {
    let printed = fake.printed();
    ensure!(
        !printed.iter().any(|line| line.contains("dump") || line.contains("javacore")),
        "harm was done: {printed:?}"
    );
    Ok(())
}

fn filled(command: &[&str], pid: u32, jar: &str) -> Vec<String> {
    command.iter().map(|word| word.replace("{pid}", &pid.to_string()).replace("{jar}", jar)).collect()
}

fn refs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}
