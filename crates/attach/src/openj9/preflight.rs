//! What stands against attaching to an OpenJ9 VM, read from its options, its namespaces and its entry in the attach
//! directory. Nothing is written, sent or signalled.

use super::directory;
use crate::finding::{Finding, FindingKind};
use crate::preflight::{Preflight, starting};
use crate::sys::Identity;
use crate::target::{START_UP, Target};

/// Adds what is OpenJ9's own to what holds for every VM.
pub(crate) fn examine(target: &Target, result: &mut Preflight) {
    match enabled(target) {
        Ok(sentence) => result.good.push(sentence),
        Err(blocker) => return result.blockers.push(blocker),
    }
    if let Err(blocker) = namespaces_open(target) {
        result.blockers.push(blocker);
    }
    match directory::find(target) {
        Ok(Some(entry)) => {
            result.good.push(format!("it has announced itself: {}", entry.path.display()));
        }
        Ok(None) if target.uptime() < START_UP => {
            result.starting = result.blockers.is_empty();
            result.warnings.push(starting(target));
        }
        Ok(None) => {
            result.blockers.push(not_announced(target, "no entry of its user and pid is there".to_owned()))
        }
        Err(error) => result.blockers.push(not_announced(target, error.to_string())),
    }
}

fn enabled(target: &Target) -> Result<String, Finding> {
    match directory::option(target, "enable") {
        Some((value, source)) if value.eq_ignore_ascii_case("no") => Err(Finding::new(
            FindingKind::AttachDisabled,
            format!("attach is turned off in pid {}", target.pid()),
            format!("-Dcom.ibm.tools.attach.enable={value} in {source}"),
            "its operator decided so: start it without that option, or with the agent on its command line",
        )),
        Some((value, source)) => Ok(format!("-Dcom.ibm.tools.attach.enable={value} in {source}")),
        None => Ok("no option turns attach off".to_owned()),
    }
}

/// Its semaphore is in its IPC namespace, and it connects back over the loopback device of its network namespace.
fn namespaces_open(target: &Target) -> Result<(), Finding> {
    if Identity::current().uid == 0 {
        return Ok(());
    }
    for kind in ["ipc", "net"] {
        let theirs = target.process().link(&format!("ns/{kind}")).ok();
        let ours = std::fs::read_link(format!("/proc/self/ns/{kind}")).ok();
        if theirs != ours {
            return Err(Finding::new(
                FindingKind::NoAccess,
                format!(
                    "pid {} is in another {kind} namespace, which an openj9 vm is reached through",
                    target.pid()
                ),
                format!("/proc/{}/ns/{kind} is not ours", target.pid()),
                "run jgraft as root, or from inside the container",
            ));
        }
    }
    Ok(())
}

pub(super) fn not_announced(target: &Target, evidence: String) -> Finding {
    let path = directory::common_path(target);
    Finding::new(
        FindingKind::NotAnnounced,
        format!("pid {} is an openj9 vm that is not announced in {}", target.pid(), path.display()),
        evidence,
        "its files may have been cleaned away: exempt the directory from tmpfiles clean-up and restart the service",
    )
}
