//! `jgraft check`: is this jar an agent that a JVM will take? Decided without any JVM.

use std::process::ExitCode;

use jgraft_agentjar::{Report, Severity};
use jgraft_attach::{ARGUMENT_LIMIT, argument_limit};
use serde::Serialize;

use crate::cli::Check;
use crate::commands::doctor::{FindingJson, print_finding};
use crate::commands::load::agent::Agent;
use crate::commands::load::delivery::Delivery;
use crate::failure::{EXIT_BLOCKED, Failure};
use crate::jar::{self, Asked};
use crate::{human, json, target};

#[derive(Serialize)]
struct Verdict {
    jar: String,
    /// The path that the target would be told, where it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_as: Option<String>,
    loadable: bool,
    agent_class: Option<String>,
    agentmain: Option<String>,
    premain_class: Option<String>,
    can_redefine_classes: bool,
    can_retransform_classes: bool,
    class_file_major: Option<u16>,
    warnings: Vec<FindingJson>,
    errors: Vec<FindingJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_start: Option<[String; 2]>,
}

/// Runs the command.
pub(crate) fn run(options: &Check) -> Result<ExitCode, Failure> {
    let agent = Agent::from_words(&options.agent, None, false)?;
    let target = options.target.as_deref().map(target::find).transpose()?;
    // As load would bring it there.
    let found = target.as_ref().filter(|target| target.root().is_ok());
    let found = found.map(|target| Delivery::find(&agent, target, None)).transpose()?;
    let (delivery, undeliverable) = match found {
        Some(Err(finding)) => (Delivery::InPlace, Some(finding)),
        Some(Ok(delivery)) => (delivery, None),
        None => (Delivery::InPlace, None),
    };
    let asked = Asked {
        path: agent.path(),
        seen_as: delivery.other_path(),
        options: agent.options.as_deref(),
        limit: target.as_ref().map_or(Some(ARGUMENT_LIMIT), argument_limit),
    };
    let report = jar::examine(&asked, target.as_ref());
    let of = |severity| {
        let findings = report.findings.iter().filter(move |finding| finding.severity == severity);
        findings.map(FindingJson::of_jar).collect::<Vec<_>>()
    };
    let (mut errors, warnings) = (of(Severity::Error), of(Severity::Warning));
    errors.extend(undeliverable);
    let code = ExitCode::from(if errors.is_empty() { 0 } else { EXIT_BLOCKED });
    let next_start = agent.next_start(delivery.lasting_path(&agent));
    if !options.json {
        print(&agent, &report, &warnings, &errors, &delivery);
        return Ok(code);
    }
    let manifest = report.manifest.unwrap_or_default();
    let verdict = Verdict {
        jar: agent.path().to_owned(),
        seen_as: delivery.other_path().map(str::to_owned),
        loadable: errors.is_empty(),
        agent_class: manifest.agent_class,
        agentmain: report.agent_main.map(|main| format!("{}.agentmain{}", main.class, main.descriptor)),
        premain_class: manifest.premain_class,
        can_redefine_classes: manifest.can_redefine_classes,
        can_retransform_classes: manifest.can_retransform_classes,
        class_file_major: report.class_version.map(|version| version.major),
        warnings,
        errors,
        next_start,
    };
    json::print("check", &verdict);
    Ok(code)
}

fn print(
    agent: &Agent,
    report: &Report,
    warnings: &[FindingJson],
    errors: &[FindingJson],
    delivery: &Delivery,
) {
    let out = human::Stream::stdout();
    out.line(&out.bold(&human::clean(agent.path())));
    let fact = |name: &str, value: &str| out.line(&format!("  {name:<24} {}", human::clean(value)));
    if let Some(manifest) = &report.manifest {
        for (name, value) in
            [("Agent-Class", &manifest.agent_class), ("Premain-Class", &manifest.premain_class)]
        {
            fact(name, value.as_deref().unwrap_or("-"));
        }
        fact("Can-Retransform-Classes", &manifest.can_retransform_classes.to_string());
        fact("Can-Redefine-Classes", &manifest.can_redefine_classes.to_string());
        if !manifest.boot_class_path.is_empty() {
            fact("Boot-Class-Path", &manifest.boot_class_path.join(" "));
        }
    }
    if let Some(main) = &report.agent_main {
        fact("agentmain", &format!("{}.agentmain{}", main.class, main.descriptor));
    }
    if let Some(version) = &report.class_version {
        fact("class file version", &version.to_string());
    }
    for warning in warnings {
        print_finding(&out, &out.yellow("warning"), warning);
    }
    for error in errors {
        print_finding(&out, &format!("{}  ", out.red("error")), error);
    }
    out.line(if errors.is_empty() { "a jvm will load it" } else { "a jvm will refuse it" });
    if let Some(copy) = delivery.describe().filter(|_| errors.is_empty()) {
        out.line(&format!("the jvm does not see that file; load would copy {}", human::clean(&copy)));
    }
    let next_start = agent.next_start(delivery.lasting_path(agent));
    let at_start = report.manifest.as_ref().is_some_and(|manifest| manifest.premain_class.is_some());
    if let Some([command_line, variable]) = next_start.filter(|_| at_start) {
        out.line(&format!("at start-up: {command_line}"));
        out.line(&format!("         or: {variable}"));
    }
}
