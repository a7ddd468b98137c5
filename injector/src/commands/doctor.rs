//! `jgraft doctor`: can this process be attached to, what blocks it, what to do.

use std::process::ExitCode;

use jgraft_attach::{
    Finding, FindingKind, Kind, Preflight, Privilege, Request, Target, agent_loading, examine,
    examine_socket, first_retransform, instrument_module, privileges,
};
use serde::Serialize;

use crate::cli::Doctor;
use crate::failure::{EXIT_BLOCKED, EXIT_FAILED, Failure};
use crate::hung::explain_hang;
use crate::interrupt::Interrupt;
use crate::target::{TargetJson, label};
use crate::{human, json, next_start, target};

#[derive(Serialize)]
struct Diagnosis {
    target: TargetJson,
    attachable: bool,
    agents_loadable: bool,
    good: Vec<String>,
    warnings: Vec<FindingJson>,
    blockers: Vec<FindingJson>,
    /// Absent for what is no JVM.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_start: Option<[String; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    privileges: Option<Vec<PrivilegeJson>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    probe: Option<String>,
}

/// One step of attaching.
#[derive(Serialize)]
struct PrivilegeJson {
    step: &'static str,
    needs: String,
    evidence: String,
    /// `null` where the step can be done.
    missing: Option<String>,
}

impl PrivilegeJson {
    fn of(privilege: Privilege) -> PrivilegeJson {
        let Privilege { step, needs, evidence, missing } = privilege;
        PrivilegeJson { step, needs, evidence, missing }
    }
}

/// A finding as `--json` shows it, here and in `load`.
#[derive(Serialize)]
pub(crate) struct FindingJson {
    pub(crate) code: &'static str,
    pub(crate) cause: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) evidence: String,
    pub(crate) remedy: String,
}

impl FindingJson {
    /// One about a jar: its cause holds the evidence.
    pub(crate) fn of_jar(finding: &jgraft_agentjar::Finding) -> FindingJson {
        let (cause, remedy) = (finding.sentence.clone(), finding.remedy.clone());
        FindingJson { code: finding.code, cause, evidence: String::new(), remedy }
    }

    pub(crate) fn of(finding: &Finding) -> FindingJson {
        FindingJson {
            code: finding.kind.code(),
            cause: finding.cause.clone(),
            evidence: finding.evidence.clone(),
            remedy: finding.remedy.clone(),
        }
    }
}

/// Runs the command.
pub(crate) fn run(options: &Doctor) -> Result<ExitCode, Failure> {
    let target = target::find(&options.target)?;
    let mut preflight = examine(&target);
    examine_socket(&target, &mut preflight);
    let attachable = preflight.blockers.is_empty();
    let mut preflight = with_agents(preflight, &target);
    let agents_loadable = preflight.blockers.is_empty();
    if agents_loadable {
        preflight.warnings.extend(first_retransform(&target));
    }
    let probe = match options.probe && attachable {
        true => Some(probe(options, Target::inspect(target.pid()).map_err(|_| gone(&target))?)?),
        false => None,
    };
    let privileges = options
        .privileges
        .then(|| privileges(&target).into_iter().map(PrivilegeJson::of).collect::<Vec<_>>());
    if options.json {
        json::print(
            "doctor",
            &Diagnosis {
                target: TargetJson::of(&target),
                attachable,
                agents_loadable,
                good: preflight.good,
                warnings: preflight.warnings.iter().map(FindingJson::of).collect(),
                blockers: preflight.blockers.iter().map(FindingJson::of).collect(),
                next_start: next_start_of(&target),
                privileges,
                probe,
            },
        );
    } else {
        print(
            &target,
            &preflight,
            privileges.as_deref(),
            probe.as_deref(),
            conclusion(&preflight, attachable),
        );
    }
    Ok(ExitCode::from(if agents_loadable { 0 } else { EXIT_BLOCKED }))
}

/// Two questions: a JVM that loads no agent may still answer jcmd.
fn conclusion(preflight: &Preflight, attachable: bool) -> &'static str {
    match (attachable, preflight.blockers.first().map(|blocker| blocker.kind)) {
        (false, _) => "it cannot be attached to",
        (true, None) if preflight.starting => "it can be attached to in a moment",
        (true, None) => "it can be attached to",
        (true, Some(FindingKind::NoInstrumentModule)) => {
            "it can be attached to; java agents cannot be loaded"
        }
        (true, Some(_)) => "it can be attached to; agents cannot be loaded",
    }
}

/// Attaching, and what loading an agent needs besides.
pub(crate) fn examine_for_agents(target: &Target) -> Preflight {
    with_agents(examine(target), target)
}

fn with_agents(mut preflight: Preflight, target: &Target) -> Preflight {
    if !matches!(target.kind(), Kind::HotSpot | Kind::OpenJ9) {
        return preflight;
    }
    match agent_loading(target) {
        Ok(None) => preflight.good.push("agents may be loaded".to_owned()),
        Ok(Some(warning)) => preflight.warnings.push(warning),
        Err(blocker) => preflight.blockers.push(blocker),
    }
    // Where OpenJ9 keeps what stands behind java.instrument differs from release to release.
    if target.kind() == Kind::OpenJ9 {
        return preflight;
    }
    match instrument_module(target) {
        Ok(()) if target.has_instrument() == Some(true) => {
            preflight.good.push("its runtime image has java.instrument".to_owned());
        }
        Ok(()) => {}
        Err(blocker) => preflight.blockers.push(blocker),
    }
    preflight
}

fn probe(options: &Doctor, target: Target) -> Result<String, Failure> {
    let request = Request::jcmd("VM.version").map_err(|finding| Failure::blocked(&finding))?;
    let interrupt = Interrupt::catch();
    let mut client = options.patience.client(target, &interrupt);
    let who = label(client.target());
    let answer = client.send(&request).and_then(|reply| Ok((reply.header(), reply.into_text(4096)?)));
    let (header, (text, took)) = answer.map_err(|error| explain_hang(error, client.target()))?;
    if header != 0 {
        return Err(Failure::new(EXIT_FAILED, "command-failed", format!("{who} did not say its version"))
            .evidence(format!("it answered {header} {}", text.trim()))
            .remedy("its listener is there and refuses the cheapest question: look at the jvm's log"));
    }
    let version = text.lines().nth(1).or(text.lines().next()).unwrap_or_default().to_owned();
    Ok(format!("{} (answered in {:.1} ms)", human::clean(&version), took.as_secs_f64() * 1000.0))
}

fn gone(target: &Target) -> Failure {
    Failure::new(EXIT_BLOCKED, "no-such-process", format!("{} has ended", label(target)))
        .evidence("it was there a moment ago, and its pidfd says that it is gone")
        .remedy("jgraft list shows the jvms of this host")
}

fn print(
    target: &Target,
    preflight: &Preflight,
    privileges: Option<&[PrivilegeJson]>,
    probe: Option<&str>,
    conclusion: &str,
) {
    let out = human::Stream::stdout();
    out.line(&format!(
        "{}, java {}, user {}, up {}",
        out.bold(&label(target)),
        human::clean(target.version().unwrap_or("?")),
        human::clean(&target.user()),
        human::age(target.uptime()),
    ));
    for good in &preflight.good {
        out.line(&format!("  {}      {}", out.green("ok"), human::clean(good)));
    }
    for warning in &preflight.warnings {
        print_finding(&out, &out.yellow("warning"), &FindingJson::of(warning));
    }
    for blocker in &preflight.blockers {
        print_finding(&out, &format!("{}  ", out.red("error")), &FindingJson::of(blocker));
    }
    if let Some(probe) = probe {
        out.line(&format!("  {}      asked for its version: {probe}", out.green("ok")));
    }
    if let Some(steps) = privileges {
        print_privileges(&out, steps);
    }
    out.line(conclusion);
    if let Some([command_line, variable]) = next_start_of(target) {
        out.line(&format!("an agent for its next start: {command_line}"));
        out.line(&format!("                         or: {variable}"));
    }
}

fn next_start_of(target: &Target) -> Option<[String; 2]> {
    next_start::of_any_agent().filter(|_| target.kind() != Kind::NotAJvm)
}

fn print_privileges(out: &human::Stream, steps: &[PrivilegeJson]) {
    out.line("  what it takes:");
    for PrivilegeJson { step, needs, evidence, missing } in steps {
        let mark = if missing.is_none() { out.green("ok     ") } else { out.red("missing") };
        out.line(&format!("  {mark} {step}: {}", human::clean(evidence)));
        out.line(&format!("          needs:    {needs}"));
        if let Some(missing) = missing {
            out.line(&format!("          lacking:  {}", human::clean(missing)));
        }
    }
}

/// Three lines: what, evidence, remedy.
pub(crate) fn print_finding(out: &human::Stream, label: &str, finding: &FindingJson) {
    out.line(&format!("  {label} {} [{}]", human::clean(&finding.cause), finding.code));
    for (name, text) in [("evidence:", &finding.evidence), ("remedy:", &finding.remedy)] {
        if !text.is_empty() {
            out.line(&format!("          {name:<9} {}", human::clean(text)));
        }
    }
}
