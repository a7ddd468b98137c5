//! What is known before anything is sent: dry runs, the agent's path as the JVM sees it, and files that are no agents.

mod common;

use std::path::Path;

use anyhow::ensure;
use common::{PATIENCE, bundled_agent_beside_jgraft, good_jar, jgraft, load, service, text, unharmed};
use jgraft_jvm_harness::{artifacts, cache, each_jdk};

#[test]
fn a_supervised_dry_run_shows_what_would_be_sent() {
    each_jdk("plans::supervised_dry_run", .., |jdk| {
        bundled_agent_beside_jgraft()?;
        let service = service(jdk, &[])?;
        let jar = good_jar()?;
        let flags = ["--supervised", "--dry-run", "--json"];
        let planned = load(service.pid(), text(&jar), &flags)?.expect(0)?.json()?;
        let words = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let (agent, folder) =
            (words(&planned["session"]["agent_jar"]), words(&planned["session"]["directory"]));
        ensure!(agent.ends_with("/jgraft-agent.jar") && folder.contains("/s-"), "{planned}");
        ensure!(planned["request"] == format!("load instrument false {agent}={folder}"), "{planned}");
        let written = format!("/proc/{}/root{folder}", service.pid());
        ensure!(!Path::new(&written).exists(), "a dry run wrote {written}");
        let planned = load(service.pid(), text(&jar), &flags[..2])?.expect(0)?;
        ensure!(planned.stdout.contains("would write the bundled agent to /"), "{planned:#?}");
        unharmed(&service)
    });
}

#[test]
fn a_session_carries_options_that_a_request_does_not() {
    each_jdk("plans::long_options", .., |jdk| {
        bundled_agent_beside_jgraft()?;
        let service = service(jdk, &[])?;
        let options = "long,".repeat(4000);
        let agent = format!("{}={options}", text(&good_jar()?));
        // Newer ones have a request with room: tests/long_arguments.rs.
        if jdk.feature < 24 {
            let plain = load(service.pid(), &agent, &["--json"])?.expect(3)?.json()?;
            ensure!(plain["code"] == "argument-too-long", "{plain}");
            ensure!(plain["remedy"].as_str().is_some_and(|way| way.contains("--supervised")), "{plain}");
        }
        load(service.pid(), &agent, &["--supervised"])?.expect(0)?;
        service.wait_for_stdout(|line| line.contains(&format!("options [{options}]")), PATIENCE)?;
        unharmed(&service)
    });
}

#[test]
fn what_is_no_file_is_said_first() {
    each_jdk("plans::no_file", 17..=17, |jdk| {
        let service = service(jdk, &[])?;
        let folder = tempfile::tempdir()?;
        for (path, code) in [(text(folder.path()), "jar-is-a-directory"), ("/dev/null", "jar-is-no-file")] {
            let refused = load(service.pid(), path, &["--json", "--once"])?.expect(3)?.json()?;
            ensure!(refused["code"] == code && refused.get("detail").is_none(), "{refused}");
            ensure!(!load(service.pid(), path, &[])?.stderr.contains("already-loaded"));
        }
        let missing = load(service.pid(), "/no/such/lib.so", &["--native", "--json"])?.expect(3)?.json()?;
        ensure!(missing["evidence"].as_str().is_some_and(|e| e.contains("is not there")), "{missing}");
        Ok(())
    });
}

#[test]
fn a_path_through_the_targets_root_is_its_own() {
    each_jdk("plans::inside", .., |jdk| {
        let jar = good_jar()?;
        let service = jgraft_jvm_harness::Jvm::builder(jdk)
            .visible(&jar)
            .class_path(jgraft_jvm_harness::targets::order_service_classes()?)
            .main("OrderService")
            .program_args(["--quiet"])
            .start()?;
        service.wait_ready()?;
        let through = format!("/proc/{}/root{}", service.pid(), text(&jar));
        let planned = load(service.pid(), &through, &["--dry-run", "--json"])?.expect(0)?.json()?;
        ensure!(planned["request"] == format!("load instrument false {}", text(&jar)), "{planned}");
        let next = format!("java -javaagent:{} …", text(&jar));
        ensure!(planned["next_start"][0] == next, "{planned}");
        load(service.pid(), &through, &[])?.expect(0)?;
        service.wait_for_stdout(|line| line.starts_with("probe run 1 "), PATIENCE)?;
        unharmed(&service)
    });
}

#[test]
fn check_says_what_load_would_do() {
    each_jdk("plans::check_for", .., |jdk| {
        let service = service(jdk, &[])?;
        // Not in /tmp, which the chroots of old JDKs share.
        let folder = tempfile::tempdir_in(cache::target_dir())?;
        let jar = folder.path().join("agent.jar");
        std::fs::copy(good_jar()?, &jar)?;
        let pid = service.pid().to_string();
        let checked = jgraft(["check", "--json", text(&jar), "--for", &pid])?.expect(0)?.json()?;
        let planned = load(service.pid(), text(&jar), &["--dry-run", "--json"])?.expect(0)?.json()?;
        let sees_it = Path::new(&format!("/proc/{pid}/root{}", text(&jar))).exists();
        ensure!(checked.get("seen_as").is_none() == sees_it, "{checked}");
        let path = checked["seen_as"].as_str().unwrap_or(text(&jar));
        ensure!(planned["request"] == format!("load instrument false {path}"), "{checked} {planned}");
        Ok(())
    });
}

#[test]
fn once_knows_a_native_agent() {
    each_jdk("plans::once_native", .., |jdk| {
        let service = service(jdk, &[])?;
        let library = artifacts::native_agent()?;
        let session = tempfile::Builder::new().prefix("jgraft-native-").tempdir_in("/tmp")?;
        let agent = format!("{}=session={},class=Pricing", text(&library), text(session.path()));
        let flags = ["--native", "--once", "--json"];
        let first = load(service.pid(), &agent, &flags)?.expect(0)?.json()?;
        ensure!(first["outcome"] == "loaded", "{first}");
        let again = load(service.pid(), &agent, &flags)?.expect(0)?.json()?;
        ensure!(again["outcome"] == "already-loaded", "{again}");
        // A library of the JDK that every JVM has mapped, by its bare name.
        let bare = load(service.pid(), "java", &["--native", "--once"])?.expect(0)?;
        ensure!(bare.stdout.contains("libjava.so is mapped"), "{bare:#?}");
        unharmed(&service)
    });
}
