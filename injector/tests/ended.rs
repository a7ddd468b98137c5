//! An agent that ends the JVM it is loaded into, on every JDK found: the truth is that the request was read and that
//! the process is gone, not that somebody lacks a permission.

mod common;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use common::{agent_jar, bundled_agent_beside_jgraft, load, service, text};
use jgraft_jvm_harness::each_jdk;

const EXIT: &str = r#"
public class Exit {
    public static void agentmain(String options) {
        if ("halt".equals(options)) {
            Runtime.getRuntime().halt(3);
        }
        System.exit(3);
    }
}
"#;

fn exit_jar() -> Result<PathBuf> {
    agent_jar("exit", "Exit", EXIT, "Agent-Class: Exit\n")
}

#[test]
fn an_agent_that_ends_the_jvm_is_said_to_have_ended_it() {
    each_jdk("ended::by_the_agent", .., |jdk| {
        bundled_agent_beside_jgraft()?;
        for (options, more) in [("exit", &[][..]), ("halt", &[]), ("exit", &["--supervised"])] {
            let service = service(jdk, &[])?;
            let agent = format!("{}={options}", text(&exit_jar()?));
            let more = [more, &["--json"]].concat();
            let ended = load(service.pid(), &agent, &more)?.expect(1)?.json()?;
            ensure!(ended["code"] == "target-ended", "{options} {more:?}: {ended}");
            let cause = ended["cause"].as_str().unwrap_or_default();
            ensure!(cause.ends_with("ended before it answered; the request may have ended it"), "{ended}");
        }
        Ok(())
    });
}
