//! `cargo xtask demo`: what jgraft is for, in a minute: a service runs, an agent is loaded into it, it does otherwise.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use jgraft_jvm_harness::{Jdk, Jvm, agents, jdks::no_jdk_hint, targets};

use crate::build;

const PATIENCE: Duration = Duration::from_secs(30);

/// Builds everything and shows it.
pub(crate) fn run() -> Result<()> {
    let Some(jdk) = Jdk::compiler() else { bail!("{}", no_jdk_hint()) };
    println!("building jgraft and its agents …");
    let made = build::run()?;
    let agent = agents::example("01-load-jar-agent", "MANIFEST.MF")?;

    println!("\nstarting the order service of examples/targets on JDK {jdk}");
    let service =
        Jvm::builder(jdk).class_path(targets::order_service_classes()?).main("OrderService").start()?;
    service.wait_ready()?;
    println!("  {}", next_order(&service)?);
    println!("  {}", next_order(&service)?);

    show(&made.jgraft, &["list"])?;
    let pid = service.pid().to_string();
    show(&made.jgraft, &["doctor", &pid])?;
    let agent = agent.to_str().context("the target folder's name is not UTF-8")?;
    show(&made.jgraft, &["check", agent, "--for", &pid])?;
    // By pid: another order service may be running here.
    show(&made.jgraft, &["load", &pid, &format!("{agent}=class=Pricing,from=129900,to=99900")])?;

    println!("\nthe same service, still pid {pid}:");
    println!("  {}", next_order(&service)?);
    println!("  {}", next_order(&service)?);
    service.send_line("quit")?;
    let end = service.finish()?;
    println!("\nthe service was asked to quit and ended with {}; nothing is left behind", end.status);
    Ok(())
}

/// The next line that the service prints about an order.
fn next_order(service: &Jvm) -> Result<String> {
    let mark = service.stdout_mark();
    service.wait_for_stdout_after(mark, |line| line.starts_with("order "), PATIENCE)
}

/// Runs jgraft as a user would, its words indented.
fn show(jgraft: &Path, args: &[&str]) -> Result<()> {
    println!("\n$ jgraft {}", args.join(" "));
    let output = Command::new(jgraft).args(args).output().context("can't run jgraft")?;
    for line in String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).lines() {
        println!("  {line}");
    }
    if !output.status.success() {
        bail!("jgraft {}: {}", args.join(" "), output.status);
    }
    Ok(())
}
