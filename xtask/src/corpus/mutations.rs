//! `cargo xtask corpus mutations`: classes of JDKs and popular jars, broken at random, get the same verdict from our
//! verifier and from the JVM.

use anyhow::{Result, bail};
use clap::Args;

use super::{archives, examples, popular, runnable};

/// Classes that are broken, each many times.
const SEEDS: usize = 6_000;

/// How many, and on which JDKs.
#[derive(Debug, Args)]
pub(crate) struct Choice {
    /// Only on JDKs of this feature number
    #[arg(long)]
    jdk: Option<u32>,
    /// How many broken classes on each JDK
    #[arg(long, default_value_t = 100_000)]
    count: u64,
    /// The number of the first: it makes the same class again
    #[arg(long, default_value_t = 0)]
    first: u64,
}

pub(super) fn run(choice: &Choice) -> Result<()> {
    let popular = popular()?;
    let (mut done, mut wrong) = (0, Vec::new());
    for jdk in runnable().into_iter().filter(|jdk| choice.jdk.is_none_or(|feature| feature == jdk.feature)) {
        let own = archives::of_jdk(jdk)?.jars.into_iter();
        let own = own.filter(|jar| jar.file_stem().is_some_and(|stem| stem == "java.base" || stem == "rt"));
        let jars = own.chain(popular.iter().flat_map(|archive| archive.jars.iter().cloned()));
        let mut args = vec![jdk.host_home().display().to_string(), SEEDS.to_string()];
        args.extend([choice.first.to_string(), choice.count.to_string()]);
        args.extend(jars.map(|jar| jar.display().to_string()));
        match examples::run("mutations", &args) {
            Ok(()) => done += 1,
            Err(error) => wrong.push(format!("JDK {jdk}: {error:#}")),
        }
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("; "));
    }
    if done == 0 {
        bail!("no such JDK runs here");
    }
    println!("{done} JDKs: no verdict differs for a reason that is not known");
    Ok(())
}
