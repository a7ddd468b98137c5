//! Why a JVM refuses a redefinition that the doctor had nothing against: it says so in its log alone, from 9 on. The same step
//! is done again while the JVM logs redefinitions into a file of the session.

use jgraft_attach::{Client, files};
use jgraft_protocol::patch::{stage, step};

use super::agent::Agent;
use super::said::Said;
use super::work;
use crate::human::clean;

const FILE: &str = "redefinition-log";
const LIMIT: u64 = 1 << 20;
/// Errors that a class is refused with.
const LINKAGE: [&str; 4] =
    ["VerifyError", "ClassFormatError", "NoClassDefFoundError", "IncompatibleClassChangeError"];
/// Lines that are shown.
const MOST: usize = 20;
const ANSWER_LIMIT: u64 = 1 << 16;

/// What came of doing it once more: the reply after all, or the refusal with the JVM's own words.
pub(super) fn again(
    client: &mut Client<'_>,
    agent: &mut Agent<'_>,
    pairs: &[(String, String)],
    said: Said,
) -> Result<Vec<(String, String)>, Said> {
    if said.stage != stage::REDEFINE {
        return Err(said);
    }
    if client.target().feature().is_none_or(|feature| feature < 9) {
        return Err(said.with(vec!["a jvm of 8 does not tell more than that".to_owned()]));
    }
    end_leftovers(client);
    let path = format!("{}/{FILE}", agent.path());
    // An output of our own, by its name: what the operator has the JVM log elsewhere stays as it is.
    // What the verifier has found is in the exception that it throws and nobody else sees.
    let what = "redefine+class*=debug,exceptions=info";
    if ask(client, &format!("VM.log output=\"{path}\" what={what} decorators=none")).is_none() {
        return Err(said);
    }
    let done = agent.step(step::APPLY, pairs);
    let lines = agent.read(FILE, LIMIT);
    // It ends for this output alone.
    ask(client, &format!("VM.log output=\"{path}\" what=all=off"));
    done.map_err(|_| said.with(reasons(&String::from_utf8_lossy(&lines))))
}

/// The lines that say why: of the redefinition what does not say that all went well, and the verifier's exception with what
/// stands below it. The service's own exceptions of that moment are left out.
fn reasons(text: &str) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut is_verifier = false;
    for line in text.lines() {
        if line.starts_with("Exception <") {
            is_verifier = LINKAGE.iter().any(|error| line.contains(error));
        } else if !line.starts_with(' ') && !line.starts_with('\t') && line.contains("redefine")
            || line.is_empty()
        {
            is_verifier &= line.is_empty();
        }
        let is_reason =
            ["fail", "error", "cannot", "added", "deleted", "changed"].iter().any(|word| line.contains(word));
        let is_thrown_again = reasons.iter().any(|known: &String| *known == clean(line));
        if (is_verifier || is_reason && !line.starts_with("Exception <"))
            && !line.is_empty()
            && !is_thrown_again
        {
            reasons.push(clean(line));
        }
    }
    reasons.truncate(MOST);
    reasons
}

/// Ends outputs of ours that a jgraft has left which was killed in the middle. Nothing is asked where the JVM has no such file
/// open.
pub(crate) fn end_leftovers(client: &mut Client<'_>) {
    if !files::has_open(client.target(), |path| path.contains(FILE)) {
        return;
    }
    let list = ask(client, "VM.log list").unwrap_or_default();
    for output in ours(&list) {
        ask(client, &format!("VM.log output={output} what=all=off"));
    }
}

/// The numbers of outputs of ours in such a list, as `#2`: lines of `#2: file=/tmp/… all=off,… …`.
fn ours(list: &str) -> Vec<&str> {
    let is_ours = |rest: &&str| rest.contains("/.jgraft-") && rest.contains(FILE);
    let outputs = list.lines().filter_map(|line| line.trim().split_once(": "));
    let mut outputs: Vec<_> =
        outputs.filter(|(n, rest)| n.starts_with('#') && is_ours(rest)).map(|(n, _)| n).collect();
    // The numbers behind one that ends move up.
    outputs.reverse();
    outputs
}

fn ask(client: &mut Client<'_>, command: &str) -> Option<String> {
    work::ask(client, "jcmd", &[command.as_bytes()], ANSWER_LIMIT).ok()
}
