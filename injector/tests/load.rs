//! `jgraft load` and `check` on every JDK found: what works, what is refused before anything is sent, and what fails in
//! the target, each with the service under load and unharmed afterwards.

mod common;

use anyhow::{Result, ensure};
use common::{
    PATIENCE, agent_jar, bundled_agent_beside_jgraft, good_jar, jgraft, load, no_trigger_left, probe_jar,
    service, text, unharmed,
};
use jgraft_jvm_harness::{agents, each_jdk};

#[test]
fn a_good_jar_runs_once_with_its_options() {
    each_jdk("load::good_jar", .., |jdk| {
        let service = service(jdk, &[])?;
        let jar = good_jar()?;
        let cases = [
            ("", "<none>"),
            ("=", ""),
            ("=x=1,y=a b,,z", "x=1,y=a b,,z"),
            ("=grün €", "gr\\u00fcn \\u20ac"),
            ("=clef 𝄞", "clef \\ud834\\udd1e"),
        ];
        for (at, (given, seen)) in cases.into_iter().enumerate() {
            let done = load(service.pid(), &format!("{}{given}", text(&jar)), &[])?.expect(0)?;
            ensure!(done.stdout.contains("loaded "), "{done:#?}");
            let run = at + 1;
            // JDK 8 and newer disagree whether "jar=" means no options or empty ones.
            let line =
                service.wait_for_stdout(|line| line.starts_with(&format!("probe run {run} ")), PATIENCE)?;
            let options =
                line.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(options, _)| options);
            ensure!(
                options == Some(seen) || (given == "=" && options == Some("<none>")),
                "{given:?} gave {line}"
            );
            ensure!(line.contains("retransform true redefine false thread Attach Listener"), "{line}");
        }
        ensure!(service.stdout().matches("probe run").count() == 5, "agentmain ran more than once a load");
        no_trigger_left(&service, service.pid())?;
        unharmed(&service)
    });
}

#[test]
fn a_warning_of_jep_451_is_announced() {
    each_jdk("load::jep_451", .., |jdk| {
        let jar = good_jar()?;
        let quiet = service(jdk, if jdk.feature >= 9 { &["-XX:+EnableDynamicAgentLoading"] } else { &[] })?;
        let done = load(quiet.pid(), text(&jar), &["--json"])?.expect(0)?.json()?;
        ensure!(done["warnings"].as_array().is_some_and(Vec::is_empty), "{done}");
        let loud = service(jdk, &[])?;
        let done = load(loud.pid(), text(&jar), &[])?.expect(0)?;
        ensure!(done.stderr.contains("[jep-451-warning]") == (jdk.feature >= 21), "{done:#?}");
        // What was announced is what happens.
        loud.ask("order", |line| line.starts_with("order "))?;
        let warned = loud.stderr().contains("has been loaded dynamically");
        ensure!(warned == (jdk.feature >= 21), "stderr of {jdk}: {}", loud.stderr());
        Ok(())
    });
}

#[test]
fn a_failing_agentmain_is_exit_1_with_its_words() {
    each_jdk("load::failing_agentmain", .., |jdk| {
        let jar = good_jar()?;
        let boom = format!("{}=boom", text(&jar));
        let log = tempfile::NamedTempFile::new()?;
        let service = jgraft_jvm_harness::Jvm::builder(jdk)
            .class_path(jgraft_jvm_harness::targets::order_service_classes()?)
            .main("OrderService")
            .program_args(["--quiet"])
            .stderr_to_file(log.path())
            .start()?;
        service.wait_ready()?;
        let failed = load(service.pid(), &boom, &[])?.expect(1)?.explained("did not start")?;
        ensure!(failed.stderr.contains("return code 102: agentmain of Probe threw"), "{failed:#?}");
        ensure!(failed.stderr.contains("out of paint"), "the target's stderr is not shown: {failed:#?}");

        bundled_agent_beside_jgraft()?;
        let failed = load(service.pid(), &boom, &["--supervised"])?.expect(1)?.explained("did not start")?;
        for words in
            ["IllegalStateException: out of paint", "at Probe.agentmain(Probe.java:", "the deeper reason"]
        {
            ensure!(failed.stderr.contains(words), "{words:?} is not in the trace: {failed:#?}");
        }
        unharmed(&service)
    });
}

#[test]
fn a_pipe_for_stderr_is_named() {
    each_jdk("load::stderr_pipe", 17..=17, |jdk| {
        let service = service(jdk, &[])?;
        let failed = load(service.pid(), &format!("{}=boom", text(&good_jar()?)), &[])?.expect(1)?;
        ensure!(failed.stderr.contains("its stderr goes to pipe:["), "{failed:#?}");
        unharmed(&service)
    });
}

#[test]
fn supervised_is_as_plain() {
    each_jdk("load::supervised", .., |jdk| {
        bundled_agent_beside_jgraft()?;
        let service = service(jdk, &[])?;
        let jar = good_jar()?;
        let plain = load(service.pid(), &format!("{}=a=ü,b", text(&jar)), &[])?.expect(0)?;
        ensure!(plain.stdout.contains("loaded "), "{plain:#?}");
        load(service.pid(), &format!("{}=a=ü,b", text(&jar)), &["--supervised"])?.expect(0)?;
        let first = service.wait_for_stdout(|line| line.starts_with("probe run 1 "), PATIENCE)?;
        let second = service.wait_for_stdout(|line| line.starts_with("probe run 2 "), PATIENCE)?;
        // The capabilities of the agent's own manifest, not those of ours.
        ensure!(first.replace("run 1", "run 2") == second, "plain {first}\nsupervised {second}");
        ensure!(sessions_left(&service)? == 0, "a session directory was left");
        unharmed(&service)
    });
}

#[test]
fn what_the_bundled_agent_noticed_is_said() {
    each_jdk("load::supervised_warnings", 17..=17, |jdk| {
        bundled_agent_beside_jgraft()?;
        let service = service(jdk, &[])?;
        let jar = probe_jar("notices", "Agent-Class: Probe\nBoot-Class-Path: /no/such/helper.jar\n")?;
        let done = load(service.pid(), text(&jar), &["--supervised", "--json"])?.expect(0)?.json()?;
        let noticed =
            done["warnings"].as_array().into_iter().flatten().find(|w| w["code"] == "agent-warning");
        let said = noticed.and_then(|warning| warning["cause"].as_str()).unwrap_or_default();
        ensure!(said.contains("/no/such/helper.jar"), "{done}");
        let done = load(service.pid(), text(&jar), &["--supervised"])?.expect(0)?;
        ensure!(done.stderr.contains("[agent-warning]"), "{done:#?}");
        Ok(())
    });
}

/// Session directories in the target's directory of ours.
fn sessions_left(service: &jgraft_jvm_harness::Jvm) -> Result<usize> {
    let home = format!("/proc/{}/root/tmp/.jgraft-0", service.pid());
    let Ok(entries) = std::fs::read_dir(home) else { return Ok(0) };
    // Other tests of this user have sessions of their own while they run: count those of dead jgrafts only.
    let dead = |name: &str| {
        let pid =
            name.strip_prefix("s-").and_then(|rest| rest.split('-').next()).unwrap_or_default().to_owned();
        !pid.is_empty() && !std::path::Path::new("/proc").join(pid).exists()
    };
    Ok(entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(dead)).count())
}

#[test]
fn what_the_jvm_would_refuse_is_never_sent() {
    each_jdk("load::refused", .., |jdk| {
        let service = service(jdk, &[])?;
        let folder = tempfile::tempdir()?;
        let no_jar = folder.path().join("no.jar");
        std::fs::write(&no_jar, "hello")?;
        let missing = folder.path().join("missing.jar");
        let equals = folder.path().join("a=b.jar");
        std::fs::copy(good_jar()?, &equals)?;
        let long = format!("{}={}", text(&good_jar()?), "x".repeat(1024));
        let cases = [
            (text(&probe_jar("no-agent-class", "Created-By: hand\n")?).to_owned(), "agent-class-missing"),
            (
                text(&probe_jar("missing-class", "Agent-Class: NoSuchClass\n")?).to_owned(),
                "agent-class-not-found",
            ),
            (text(&no_jar).to_owned(), "not-a-zip"),
            (text(&missing).to_owned(), "jar-not-found"),
            (text(&equals).to_owned(), "path-has-equals"),
            (long, "argument-too-long"),
        ];
        // Newer ones may speak version 2 of the protocol, which has room: tests/long_arguments.rs.
        let fits = |code: &str| code == "argument-too-long" && jdk.feature >= 24;
        for (agent, code) in cases.into_iter().filter(|(_, code)| !fits(code)) {
            load(service.pid(), &agent, &[])?.expect(3)?.explained("was not sent to")?;
            let refused = load(service.pid(), &agent, &["--json"])?.expect(3)?.json()?;
            for field in ["cause", "evidence", "remedy"] {
                ensure!(refused[field].as_str().is_some_and(|text| !text.is_empty()), "{agent}: {refused}");
            }
            ensure!(refused["code"] == code, "{code}: {refused}");
        }
        let socket = format!("/proc/{0}/root/tmp/.java_pid{0}", service.pid());
        ensure!(!std::path::Path::new(&socket).exists(), "the listener was woken for a jar that is refused");
        unharmed(&service)
    });
}

#[test]
fn premain_only_is_answered_with_the_line_that_works() {
    each_jdk("load::premain_only", 17..=17, |jdk| {
        let service = service(jdk, &[])?;
        let jar = probe_jar("premain-only", "Premain-Class: Probe\n")?;
        let refused = load(service.pid(), text(&jar), &[])?.expect(3)?;
        ensure!(refused.stderr.contains(&format!("-javaagent:{}", text(&jar))), "{refused:#?}");
        Ok(())
    });
}

#[test]
fn once_and_dry_run_send_nothing() {
    each_jdk("load::once", .., |jdk| {
        let service = service(jdk, &[])?;
        let jar = good_jar()?;
        let planned = load(service.pid(), &format!("{}=x", text(&jar)), &["--dry-run"])?.expect(0)?;
        ensure!(planned.stdout.contains("load instrument false"), "{planned:#?}");
        ensure!(!service.stdout().contains("probe run"), "a dry run ran");
        load(service.pid(), text(&jar), &["--once"])?.expect(0)?;
        service.wait_for_stdout(|line| line.starts_with("probe run 1 "), PATIENCE)?;
        let again = load(service.pid(), text(&jar), &["--once", "--json"])?.expect(0)?.json()?;
        ensure!(again["outcome"] == "already-loaded", "{again}");
        unharmed(&service)?;
        ensure!(!service.stdout().contains("probe run 2"), "--once loaded it again");
        Ok(())
    });
}

#[test]
fn an_options_file_is_taken_as_it_is() {
    each_jdk("load::options_file", 17..=17, |jdk| {
        let service = service(jdk, &[])?;
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), "a=1, b\n")?;
        load(service.pid(), text(&good_jar()?), &["--options-file", text(file.path())])?.expect(0)?;
        service.wait_for_stdout(|line| line.contains("options [a=1, b]"), PATIENCE)?;
        Ok(())
    });
}

#[test]
fn a_name_must_mean_one_jvm() {
    each_jdk("load::name", 17..=17, |jdk| {
        let source = "public class OnlyOneOfThis { public static void main(String[] a) throws Exception {\
            System.out.println(\"ready\"); System.in.read(); } }";
        // Another JDK of the same feature runs the same test at the same time.
        let name = format!("only-one-{}", jdk.version);
        let jar = agent_jar(&name, "OnlyOneOfThis", source, "Main-Class: OnlyOneOfThis\n")?;
        let (name, shouted) = (format!("{name}.jar"), format!("{name}.jar").to_uppercase());
        let start = || -> Result<_> {
            let jvm = jgraft_jvm_harness::Jvm::builder(jdk).jar(&jar).start()?;
            jvm.wait_ready()?;
            Ok(jvm)
        };
        let one = start()?;
        let found = jgraft(["doctor", "--json", &name])?.expect(0)?.json()?;
        ensure!(found["target"]["pid"] == one.pid(), "{found}");
        let two = start()?;
        let ambiguous = jgraft(["doctor", &name])?.expect(2)?;
        for jvm in [&one, &two] {
            ensure!(ambiguous.stderr.contains(&jvm.pid().to_string()), "{ambiguous:#?}");
            ensure!(
                ambiguous.stderr.contains("PID") && ambiguous.stderr.contains(&jdk.version),
                "{ambiguous:#?}"
            );
        }
        let ambiguous = jgraft(["doctor", "--json", &name])?.expect(2)?.json()?;
        ensure!(ambiguous["code"] == "ambiguous-target", "{ambiguous}");
        let pids: Vec<_> = [0, 1].map(|at| &ambiguous["candidates"][at]["pid"]).into();
        ensure!([&one, &two].iter().all(|jvm| pids.iter().any(|pid| **pid == jvm.pid())), "{ambiguous}");
        let unknown = jgraft(["doctor", "--json", &shouted])?.expect(2)?.json()?;
        ensure!(unknown["code"] == "no-such-target", "{unknown}");
        jgraft(["doctor", &shouted])?.expect(2)?.explained("no jvm is called")?;
        Ok(())
    });
}

#[test]
fn example_01_changes_what_the_service_does() {
    each_jdk("load::example_01", .., |jdk| {
        let service = service(jdk, &[])?;
        let before = service.ask("order", |line| line.starts_with("order "))?;
        ensure!(before.ends_with("2 x lamp = 2598.00 EUR"), "{before}");
        let agent = agents::example("01-load-jar-agent", "MANIFEST.MF")?;
        load(service.pid(), &format!("{}=class=Pricing,from=129900,to=99900", text(&agent)), &[])?
            .expect(0)?;
        let after = service.ask("order", |line| line.starts_with("order "))?;
        ensure!(after.ends_with("2 x lamp = 1998.00 EUR"), "{after}");
        unharmed(&service)
    });
}
