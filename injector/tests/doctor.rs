//! `jgraft doctor` on every JDK: what a first retransformation would cost, and what it says of a JVM that hangs.

mod common;

use anyhow::{Context, Result, ensure};
use common::{jgraft, service, unharmed};
use jgraft_jvm_harness::each_jdk;
use jgraft_jvm_harness::fake_jvm::FakeJvm;

#[test]
fn it_says_what_a_first_retransformation_costs() {
    each_jdk("doctor::retransform", .., |jdk| {
        let service = service(jdk, &[])?;
        let shown = jgraft(["doctor", "--json", &service.pid().to_string()])?.expect(0)?.json()?;
        let warnings = shown["warnings"].as_array().context("no warnings")?;
        let cost = warnings.iter().find(|warning| warning["code"] == "first-retransform-cost");
        ensure!(cost.is_some() == (jdk.feature < 23), "{shown}");
        if let Some(evidence) = cost.and_then(|cost| cost["evidence"].as_str()) {
            let number = evidence.split("compiled ").nth(1).and_then(|rest| rest.split(' ').next());
            let number: u64 = number.context("no number")?.parse()?;
            ensure!(number > 0, "{evidence}");
        }
        unharmed(&service)
    });
}

#[test]
fn a_probe_that_is_not_answered_shows_the_threads() -> Result<()> {
    let fake = FakeJvm::start("play hotspot 21\nlisten at-start\nfault mute\n")?;
    let pid = fake.pid().to_string();
    let shown =
        jgraft(["doctor", "--probe", "--reply-timeout", "200ms", "--json", &pid])?.expect(1)?.json()?;
    let detail = shown["detail"].as_array().context("no detail")?;
    let lines: Vec<&str> = detail.iter().filter_map(|line| line.as_str()).collect();
    ensure!(lines.iter().any(|line| line.contains("Attach Listener")), "{shown}");
    ensure!(lines.iter().any(|line| line.contains("S ")), "no states: {shown}");
    ensure!(lines.iter().any(|line| line.ends_with(&format!("jstack --pid {pid}"))), "{shown}");
    Ok(())
}

/// As a JVM that was killed leaves it to one that comes to the same number.
#[test]
fn a_stale_socket_is_told_from_a_live_one() {
    each_jdk("doctor::stale_socket", .., |jdk| {
        let service = service(jdk, &[])?;
        let pid = service.pid().to_string();
        let code = |shown: &serde_json::Value| {
            let warnings = shown["warnings"].as_array().cloned().unwrap_or_default();
            warnings.iter().any(|warning| warning["code"] == "stale-socket")
        };
        let up = |shown: &serde_json::Value| shown["good"].to_string().contains("its attach listener is up");
        let before = jgraft(["doctor", "--json", &pid])?.expect(0)?.json()?;
        ensure!(!code(&before) && !up(&before), "{before}");
        let socket = format!("/proc/{0}/root/tmp/.java_pid{0}", service.pid());
        drop(std::os::unix::net::UnixListener::bind(&socket)?);
        let stale = jgraft(["doctor", "--json", &pid])?.expect(0)?.json()?;
        ensure!(code(&stale) && !up(&stale), "{stale}");
        jgraft(["jcmd", &pid, "VM.version"])?.expect(0)?;
        let live = jgraft(["doctor", "--json", &pid])?.expect(0)?.json()?;
        ensure!(!code(&live) && up(&live), "{live}");
        unharmed(&service)
    });
}
