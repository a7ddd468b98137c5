//! The lines that jgraft prints for the next start, given to a shell and a JVM as they are: the agent gets its options
//! to the letter, and the service starts.

mod common;

use std::process::Command;

use anyhow::{Context, Result, ensure};
use common::{PATIENCE, agent_jar, jgraft, text};
use jgraft_jvm_harness::{Jvm, JvmBuilder, each_jdk, targets};

const SHOWS_OPTIONS: &str = r#"
public class ShowsOptions {
    public static void premain(String options) {
        StringBuilder shown = new StringBuilder();
        for (char c : options.toCharArray()) {
            shown.append((int) c).append(' ');
        }
        System.out.println("options " + shown);
    }
}
"#;

#[test]
fn the_lines_start_a_jvm_whatever_the_options_hold() {
    each_jdk("next_start::pasted", .., |jdk| {
        let jar = agent_jar("shows-options", "ShowsOptions", SHOWS_OPTIONS, "Premain-Class: ShowsOptions\n")?;
        for options in [
            "x=1,y",
            "a b",
            "it's",
            "say \"hi\"",
            "it's \"q\" $HOME `id` \\ !",
            "''\"\"'",
            " leading and trailing ",
            "tab\there",
        ] {
            let agent = format!("{}={options}", text(&jar));
            // It has no Agent-Class, so the check refuses it; the lines are for what it is good for.
            let checked = jgraft(["check", "--json", &agent])?.expect(3)?.json()?;
            let line = |at: usize| {
                checked["next_start"][at].as_str().with_context(|| format!("no line in {checked}"))
            };
            let command = line(0)?.strip_prefix("java ").context("no java")?;
            let command = command.strip_suffix(" …").context("no place for the program")?;
            let word = shell(&format!("printf %s {command}"))?;
            shows(Jvm::builder(jdk).args([word]), options)?;
            let variable = shell(&format!("{}; printf %s \"$JAVA_TOOL_OPTIONS\"", line(1)?))?;
            shows(Jvm::builder(jdk).env("JAVA_TOOL_OPTIONS", variable), options)?;
        }
        Ok(())
    });
}

/// What a shell makes of a line.
fn shell(script: &str) -> Result<String> {
    let mut shell = Command::new("sh");
    Ok(common::run(shell.args(["-c", script]).env_remove("JAVA_TOOL_OPTIONS"))?.expect(0)?.stdout)
}

/// The JVM starts, and its agent was given these options.
fn shows(jvm: JvmBuilder<'_>, options: &str) -> Result<()> {
    let jar = agent_jar("shows-options", "ShowsOptions", SHOWS_OPTIONS, "Premain-Class: ShowsOptions\n")?;
    let service =
        jvm.visible(jar).class_path(targets::order_service_classes()?).main("OrderService").start()?;
    let expected: String = options.chars().map(|c| format!("{} ", u32::from(c))).collect();
    let shown = service.wait_for_stdout(|line| line.starts_with("options "), PATIENCE)?;
    ensure!(shown == format!("options {expected}"), "{options:?} arrives as {shown}");
    service.wait_ready()?;
    Ok(())
}

#[test]
fn no_line_is_printed_that_cannot_work() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let odd = folder.path().join("a=b.jar");
    std::fs::write(&odd, "no jar")?;
    let checked = jgraft(["check", "--json", text(&odd)])?.expect(3)?.json()?;
    ensure!(checked.get("next_start").is_none(), "{checked}");
    // This test is no JVM.
    let me = std::process::id().to_string();
    let examined = jgraft(["doctor", "--json", &me])?.expect(3)?.json()?;
    ensure!(examined.get("next_start").is_none(), "{examined}");
    let examined = jgraft(["doctor", &me])?.expect(3)?;
    ensure!(!examined.stdout.contains("next start"), "{examined:#?}");
    Ok(())
}
