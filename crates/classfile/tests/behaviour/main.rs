//! Golden programs do the same woven as unwoven, and their probes see what happens: no more, no less, in order.
//!
//! The programs are the files in `tests/golden`: drop one in and it is a test. `probe.Run` runs them all in one JVM, once a
//! [`Config`](plan::Config) and JDK. What happens is not known from our own code but from a JVMTI agent (`oracle.c`) that
//! follows the programs as they are; [`expect`] makes of that what the probes have to say. Not here: whether every class
//! of a JDK verifies when woven.

mod conditions;
mod coverage;
mod event;
mod expect;
mod expected_logs;
mod jvms;
mod oracle;
mod plan;
mod programs;

#[path = "../assembler/text.rs"]
mod assembler;

use anyhow::{Context, Result, ensure};
use jgraft_jvm_harness::{Jdk, each_release, skip};

use crate::event::{Printed, first_difference};
use crate::plan::{CONFIGS, WovenPrograms};
use crate::programs::Programs;

#[test]
fn woven_and_unwoven_are_alike_and_the_log_is_right() {
    let programs = Programs::make().unwrap();
    let woven: Vec<WovenPrograms> =
        CONFIGS.iter().map(|config| WovenPrograms::make(config, &programs).unwrap()).collect();
    let oracle = oracle::agent();
    if let Err(reason) = &oracle {
        skip("the oracle of golden programs", &format!("{reason:#}"));
    }
    each_release("woven_and_unwoven_are_alike_and_the_log_is_right", .., |jdk| {
        one_jdk(jdk, &programs, &woven, oracle.as_ref().ok())
    });
}

fn one_jdk(
    jdk: &Jdk,
    programs: &Programs,
    woven: &[WovenPrograms],
    oracle: Option<&oracle::Agent>,
) -> Result<()> {
    let plain = jvms::run(jdk, programs, programs.folder(), &[])?;
    let printed = Printed::parse(&plain.printed);
    for name in programs.for_jdk(jdk) {
        let text = printed.program(name).with_context(|| format!("{name} printed nothing"))?;
        ensure!(!text.is_empty() && !text.contains("VerifyError"), "{name}, not woven:\n{text}");
    }
    let truth = oracle.map(|agent| oracle::run(jdk, programs, agent)).transpose()?;
    if let Some((same, _)) = &truth {
        ensure!(*same == plain.printed, "the oracle changes what is printed:\n{same}");
    }
    for woven in woven {
        let options: &[&str] = if woven.config.off() { &["-Dprobe.off=true"] } else { &[] };
        let ran = jvms::run(jdk, programs, woven.folder(), options)?;
        let found = Printed::parse(&ran.printed);
        for name in programs.for_jdk(jdk) {
            let same = first_difference(printed.program(name), found.program(name));
            ensure!(same.is_none(), "{name} woven {}: {}", woven.config.name, same.unwrap_or_default());
        }
        let log = event::woven_log(&ran.log, woven)?;
        if let Some((_, truth)) = &truth {
            expect::check(truth, &log, woven).with_context(|| format!("woven {}", woven.config.name))?;
        }
        if woven.config.name == "arguments" {
            expected_logs::check(programs.for_jdk(jdk), &log, woven)?;
        }
    }
    Ok(())
}
