//! `jgraft load`: an agent into a running JVM; checks first, then one request, then the truth about its outcome.

use std::process::ExitCode;

use jgraft_attach::LoadOutcome;
use jgraft_attach::{Client, Finding, Preflight, Request, Target, examine, explain_code};
use jgraft_protocol::native::code;
use serde::Serialize;

use crate::cli::Load;
use crate::commands::doctor::{FindingJson, print_finding};
use crate::failure::{EXIT_BLOCKED, EXIT_FAILED, Failure};
use crate::hung::explain_hang;
use crate::interrupt::Interrupt;
use crate::target::{TargetJson, label};
use crate::{human, json, output, target};

pub(crate) mod agent;
pub(crate) mod delivery;
mod java;
mod native;
mod stderr;
mod supervised;

use agent::Agent;
use delivery::{Delivery, StagedJson};
use stderr::TargetStderr;

/// The longest sensible answer to `load`: an error text with a path in it.
const REPLY_LIMIT: u64 = 64 << 10;

/// Everything that was found out before anything is sent.
struct Plan {
    request: Request,
    delivery: Delivery,
    /// What stands against it.
    errors: Vec<FindingJson>,
    warnings: Vec<FindingJson>,
    /// The agent is in there already: where that shows.
    already_loaded: Vec<String>,
    /// The class whose agentmain the check has found, so that its absence cannot be why a load fails.
    agent_main: Option<String>,
    /// With `--supervised`: what is written into the target's view first.
    session: Option<SessionJson>,
}

/// What `--json` says of a session that would be opened; both are paths in the target's view.
#[derive(Serialize)]
struct SessionJson {
    agent_jar: String,
    directory: String,
}

#[derive(Serialize)]
struct Report {
    target: TargetJson,
    agent: String,
    /// `loaded`, `already-loaded` or `planned`.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<SessionJson>,
    warnings: Vec<FindingJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    staged: Option<StagedJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timing: Option<Timing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_start: Option<[String; 2]>,
}

/// Milliseconds that were the JVM's, not ours.
#[derive(Serialize)]
struct Timing {
    /// From SIGQUIT to a connection; absent where the listener was up.
    #[serde(skip_serializing_if = "Option::is_none")]
    listener_ms: Option<f64>,
    /// From the request to the end of the answer: the agent's own start.
    answer_ms: f64,
}

/// Runs the command.
pub(crate) fn run(options: &Load) -> Result<ExitCode, Failure> {
    let agent = Agent::parse(options)?;
    let interrupt = Interrupt::catch();
    let mut target = target::find(&options.target)?;
    if examine(&target).starting {
        // What the checks compare with, such as its version, is not known before.
        target = options.patience.client(target, &interrupt).await_created()?;
    }
    let mut plan = match options.native {
        true => native::plan(&agent, &target)?,
        false => java::plan(&agent, &target, options)?,
    };
    if !options.json {
        print_warnings(&plan.warnings);
    }
    if let Some(failure) = blocked(&mut plan, &agent, &target) {
        return Err(failure);
    }
    if options.once && !plan.already_loaded.is_empty() {
        return report(options, &agent, &target, "already-loaded", plan);
    }
    let draft = match options.supervised {
        true => Some(supervised::draft(&agent, plan.delivery.path(&agent), &target)?),
        false => None,
    };
    if let Some(draft) = &draft {
        plan.request = supervised::request(draft)?;
        plan.session = Some(SessionJson { agent_jar: draft.agent().to_owned(), directory: draft.path() });
    }
    if options.dry_run {
        return report(options, &agent, &target, "planned", plan);
    }
    let staged = plan.delivery.carry_out(&target, options.patience.timeout)?;
    let facts = TargetJson::of(&target);
    let stderr = TargetStderr::follow(&target);
    let open = |draft| supervised::Supervision::open(draft, &target, options.patience.timeout);
    let supervision = draft.as_ref().map(open).transpose()?;
    let mut client = options.patience.client(target, &interrupt);
    let sent = send(&mut client, &plan, &agent, supervision.as_ref(), stderr);
    let noticed = supervision.map(|supervision| supervision.warnings()).unwrap_or_default();
    if !options.json {
        print_warnings(&noticed);
    }
    plan.warnings.extend(noticed);
    let timing = sent?;
    let label = label(client.target());
    report_on(options, &agent, facts, &label, "loaded", plan, Some((timing, staged)))
}

fn print_warnings(warnings: &[FindingJson]) {
    let say = human::Stream::stderr();
    for warning in warnings {
        print_finding(&say, &say.yellow("warning"), warning);
    }
}

/// Sends, waits for the answer, and fails unless the agent says that it has started.
fn send(
    client: &mut Client<'_>,
    plan: &Plan,
    agent: &Agent,
    supervision: Option<&supervised::Supervision>,
    stderr: TargetStderr,
) -> Result<Timing, Failure> {
    let who = label(client.target());
    let answer =
        client.send(&plan.request).and_then(|reply| Ok((reply.header(), reply.into_text(REPLY_LIMIT)?)));
    let (header, (text, answered)) = answer.map_err(|error| explain_hang(error, client.target()))?;
    let outcome = LoadOutcome::parse(header, &text);
    let failed = match (outcome, supervision) {
        (LoadOutcome::Loaded, None) => None,
        (LoadOutcome::Loaded, Some(supervision)) => supervision.failure(agent, &who),
        (LoadOutcome::AgentFailed(code), _) => Some(agent_failed(agent, plan, &who, code)),
        (LoadOutcome::NotLoaded(words), _) => Some(not_loaded(agent, &who, header, &words)),
    };
    match failed {
        None => Ok(Timing {
            listener_ms: client.timings().listener.map(|time| time.as_secs_f64() * 1000.0),
            answer_ms: answered.as_secs_f64() * 1000.0,
        }),
        Some(failure) => Err(stderr.explain(failure)),
    }
}

fn agent_failed(agent: &Agent, plan: &Plan, who: &str, code: i32) -> Failure {
    let failure =
        Failure::new(EXIT_FAILED, "agent-failed", format!("{} did not start in {who}", agent.path()));
    if let (102, Some(class)) = (code, &plan.agent_main) {
        // The check has found class and method.
        let (_, remedy) = explain_code(code).unwrap_or_default();
        let meaning =
            format!("agentmain of {class} threw an exception, or a class that it needs cannot be loaded");
        return failure.evidence(format!("return code {code}: {meaning}")).remedy(remedy);
    }
    match explain_code(code).filter(|_| !agent.native || code < 0) {
        Some((meaning, remedy)) => failure.evidence(format!("return code {code}: {meaning}")).remedy(remedy),
        None if agent.is_ours() => failure
            .evidence(format!(
                "its Agent_OnAttach returned {code}: {}",
                code::explain(code).unwrap_or("unknown")
            ))
            .remedy("its options are session=DIR,class=NAME; DIR belongs to the jvm's user alone"),
        None if agent.native => failure.evidence(format!("its Agent_OnAttach returned {code}")).remedy(
            "the library's documentation says what that means; its words, if any, are on the jvm's stderr",
        ),
        None => failure.evidence(format!("return code {code}")).remedy("look at the jvm's stderr"),
    }
}

fn not_loaded(agent: &Agent, who: &str, header: i32, words: &str) -> Failure {
    let failure =
        Failure::new(EXIT_FAILED, "not-loaded", format!("{} was not loaded into {who}", agent.path()));
    let evidence = match words {
        "" => format!("the jvm answered {header} and nothing else"),
        words => format!("the jvm says: {}", words.split('\n').map(str::trim).collect::<Vec<_>>().join("; ")),
    };
    failure.evidence(evidence).remedy(match agent.native {
        true => {
            "the library must be one for the jvm's system, with all that it needs, and export Agent_OnAttach"
        }
        false => "jgraft doctor and jgraft check say what stands against it",
    })
}

/// The first error as the failure, the others below it.
fn blocked(plan: &mut Plan, agent: &Agent, target: &Target) -> Option<Failure> {
    if plan.errors.is_empty() {
        return None;
    }
    let FindingJson { code, cause, evidence, remedy } = plan.errors.remove(0);
    let rest = plan.errors.iter().map(|f| format!("also: {} [{}]; {}", f.cause, f.code, f.remedy));
    let what = format!("{} was not sent to {}", agent.path(), label(target));
    // What failed is the sending; the finding is the evidence, and one about a jar holds its own.
    let evidence = if evidence.is_empty() { cause } else { format!("{cause}: {evidence}") };
    Some(Failure::new(EXIT_BLOCKED, code, what).evidence(evidence).remedy(remedy).detail(rest))
}

fn report(
    options: &Load,
    agent: &Agent,
    target: &Target,
    outcome: &'static str,
    plan: Plan,
) -> Result<ExitCode, Failure> {
    report_on(options, agent, TargetJson::of(target), &label(target), outcome, plan, None)
}

fn report_on(
    options: &Load,
    agent: &Agent,
    facts: TargetJson,
    who: &str,
    outcome: &'static str,
    plan: Plan,
    done: Option<(Timing, Option<StagedJson>)>,
) -> Result<ExitCode, Failure> {
    let (timing, staged) = done.map_or((None, None), |(timing, staged)| (Some(timing), staged));
    let request = (outcome == "planned").then(|| shown(&plan.request));
    let next = agent.next_start(plan.delivery.lasting_path(agent));
    let session = plan.session.filter(|_| outcome == "planned");
    if options.json {
        let agent = agent.path().to_owned();
        let body = Report {
            target: facts,
            agent,
            outcome,
            request,
            session,
            warnings: plan.warnings,
            staged,
            timing,
            next_start: next,
        };
        json::print("load", &body);
        return finish(outcome, &body.agent, who);
    }
    let out = human::Stream::stdout();
    let path = human::clean(agent.path());
    match outcome {
        "planned" => {
            out.line(&format!("would send to {who}: {}", request.unwrap_or_default()));
            if let Some(copy) = plan.delivery.describe() {
                out.line(&format!("would copy {}", human::clean(&copy)));
            }
            if let Some(SessionJson { agent_jar, directory }) = session {
                out.line(&format!("would write the bundled agent to {agent_jar}"));
                out.line(&format!("        and what it is to load to {directory}/request"));
            }
            out.line("nothing was sent (--dry-run)");
        }
        "already-loaded" => {
            out.line(&format!("{path} is in {who} already; nothing was sent (--once)"));
            for evidence in &plan.already_loaded {
                out.line(&format!("  {}", human::clean(evidence)));
            }
        }
        _ => {
            let took = timing.map_or(0.0, |timing| timing.answer_ms + timing.listener_ms.unwrap_or(0.0));
            out.line(&format!("loaded {path} into {who} in {took:.1} ms"));
            if let Some(copy) = plan.delivery.describe() {
                out.line(&format!(
                    "it does not see that file, so it was given a copy: {}",
                    human::clean(&copy)
                ));
            }
            if let Some([command_line, variable]) = next {
                out.line(&format!("for its next start: {command_line}"));
                out.line(&format!("                or: {variable}"));
            }
        }
    }
    finish(outcome, &path, who)
}

fn finish(outcome: &str, path: &str, who: &str) -> Result<ExitCode, Failure> {
    let done = match outcome {
        "loaded" => format!("{path} was loaded into {who}"),
        _ => format!("nothing was sent to {who}"),
    };
    output::finish(ExitCode::SUCCESS, &done)
}

/// The words of a request, as one would type them for jattach.
fn shown(request: &Request) -> String {
    let words = [request.command().as_bytes()].into_iter().chain(request.arguments());
    let words = words.filter(|word| !word.is_empty());
    human::clean(&words.map(String::from_utf8_lossy).collect::<Vec<_>>().join(" "))
}

/// What `doctor` finds, as the beginning of a plan.
fn plan_from(request: Request, delivery: Delivery, preflight: Preflight) -> Plan {
    Plan {
        request,
        delivery,
        errors: preflight.blockers.iter().map(FindingJson::of).collect(),
        warnings: preflight.warnings.iter().map(FindingJson::of).collect(),
        already_loaded: Vec::new(),
        agent_main: None,
        session: None,
    }
}

fn push(list: &mut Vec<FindingJson>, finding: &Finding) {
    list.push(FindingJson::of(finding));
}
