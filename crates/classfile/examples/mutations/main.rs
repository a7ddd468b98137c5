//! Breaks classes of jars at random and puts each to our verifier and to a JVM: `mutations JAVA-HOME SEEDS FIRST COUNT
//! IN.jar…`. What came of it is told on stdout; whether anything was wrong is the exit status.

#[path = "../../tests/hostile/mutations.rs"]
mod bytes;
#[path = "../../tests/agreement/campaign.rs"]
mod campaign;
#[path = "../../tests/agreement/disagreement.rs"]
mod disagreement;
#[path = "../../tests/agreement/jvm.rs"]
mod jvm;
#[path = "../../tests/agreement/model.rs"]
#[expect(dead_code, reason = "the table of broken classes uses all of it")]
mod model;
#[path = "../../tests/agreement/mutations.rs"]
mod mutations;
#[path = "../../tests/agreement/seeds.rs"]
mod seeds;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use jgraft_jvm_harness::{Jdk, cache};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [home, most, first, count, jars @ ..] = arguments.as_slice() else {
        bail!("mutations JAVA-HOME SEEDS FIRST COUNT IN.jar...");
    };
    let found = Jdk::all().iter().find(|jdk| jdk.host_home().as_path() == Path::new(home));
    let jdk = found.with_context(|| format!("no JDK at {home}"))?;
    let jars: Vec<PathBuf> = jars.iter().map(PathBuf::from).collect();
    let (first, count): (u64, u64) = (first.parse()?, count.parse()?);
    let parent = cache::target_dir().join("agreement");
    std::fs::create_dir_all(&parent)?;
    let scratch = tempfile::Builder::new().prefix("mutations-").tempdir_in(parent)?;
    let seeds = seeds::that_link(jdk, seeds::of_jars(&jars, most.parse()?)?, &jars, scratch.path())?;
    println!("JDK {jdk}: {} classes of {} jars link by themselves", seeds.len(), jars.len());
    let tally = campaign::run(jdk, &seeds, &jars, first..first + count, scratch.path())?;
    print!("{tally}");
    if !tally.wrong.is_empty() {
        bail!("{} verdicts differ for no reason that is known", tally.wrong.len());
    }
    Ok(())
}
