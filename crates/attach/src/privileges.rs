//! What attaching to one target asks of the calling process, step by step, and which of it this process has.
//!
//! Read-only: what can be tried without touching the target is tried, the rest follows from ids and capabilities
//! (capabilities(7), ptrace(2) "access mode checking").

use crate::proc::Process;
use crate::staging::{Needs, Place};
use crate::sys::Identity;
use crate::target::Target;

/// One step of attaching.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Privilege {
    /// What is done.
    pub step: &'static str,
    /// What that takes, in general.
    pub needs: String,
    /// What this process has, or lacks.
    pub evidence: String,
    /// The capabilities or ids that would help; none where the step can be done.
    pub missing: Option<String>,
}

impl Privilege {
    fn held(step: &'static str, needs: impl Into<String>, evidence: impl Into<String>) -> Privilege {
        Privilege { step, needs: needs.into(), evidence: evidence.into(), missing: None }
    }

    fn lacking(self, missing: impl Into<String>) -> Privilege {
        Privilege { missing: Some(missing.into()), ..self }
    }
}

/// A capability that some step needs (`linux/capability.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Capability {
    Kill = 5,
    SetGid = 6,
    SetUid = 7,
    SetPcap = 8,
    SysChroot = 18,
    SysPtrace = 19,
    SysAdmin = 21,
}

impl Capability {
    fn name(self) -> &'static str {
        match self {
            Capability::Kill => "CAP_KILL",
            Capability::SetGid => "CAP_SETGID",
            Capability::SetUid => "CAP_SETUID",
            Capability::SetPcap => "CAP_SETPCAP",
            Capability::SysChroot => "CAP_SYS_CHROOT",
            Capability::SysPtrace => "CAP_SYS_PTRACE",
            Capability::SysAdmin => "CAP_SYS_ADMIN",
        }
    }
}

/// What the calling process may do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caller {
    effective: u64,
    uids: Vec<(u64, u64)>,
    gids: Vec<(u64, u64)>,
}

impl Caller {
    pub(crate) fn of_this_process() -> Caller {
        let Ok(me) = Process::open(std::process::id() as i32) else { return Caller::default() };
        let read = |name| String::from_utf8_lossy(&me.read(name).unwrap_or_default()).into_owned();
        Caller {
            effective: effective(&read("status")).unwrap_or_default(),
            uids: ranges(&read("uid_map")),
            gids: ranges(&read("gid_map")),
        }
    }

    fn has(&self, capability: Capability) -> bool {
        self.effective & (1 << capability as u64) != 0
    }

    /// The names of those that it has not.
    pub(crate) fn missing(&self, wanted: &[Capability]) -> Vec<&'static str> {
        wanted.iter().copied().filter(|c| !self.has(*c)).map(Capability::name).collect()
    }

    /// What stands against acting as `identity`; none where it is possible.
    pub(crate) fn cannot_act_as(&self, identity: Identity) -> Option<String> {
        if identity == Identity::current() {
            return None;
        }
        let is_mapped = |ranges: &[(u64, u64)], id: u32| {
            ranges.iter().any(|(from, to)| (*from..*to).contains(&id.into()))
        };
        if !is_mapped(&self.uids, identity.uid) || !is_mapped(&self.gids, identity.gid) {
            return Some(format!(
                "a mapping of uid {} and gid {} in our user namespace",
                identity.uid, identity.gid
            ));
        }
        let missing = self.missing(&[Capability::SetUid, Capability::SetGid]);
        (!missing.is_empty()).then(|| missing.join(" and "))
    }
}

/// Every step, in the order in which they are taken.
pub fn privileges(target: &Target) -> Vec<Privilege> {
    let caller = Caller::of_this_process();
    let steps = [see(target, &caller), look_into(target, &caller), act(target, &caller)];
    let mut steps: Vec<Privilege> = steps.into();
    steps.extend([serve(target, &caller), signal(target, &caller)]);
    let may_stage = steps.iter().all(|step| step.missing.is_none());
    steps.extend([("stage a jar", false), ("stage a library", true)].map(|(step, executable)| {
        let needs = match executable {
            false => "a directory of its view where its user may write",
            true => "a directory of its view where its user may write, not mounted noexec",
        };
        match may_stage.then(|| Place::choose(target, Needs { executable, ..Needs::default() })) {
            None => Privilege::held(step, needs, "not looked for").lacking("the steps above"),
            Some(Ok(place)) => Privilege::held(step, needs, place.home().display().to_string()),
            Some(Err(finding)) => Privilege::held(step, needs, finding.evidence).lacking(finding.remedy),
        }
    }));
    steps
}

fn see(target: &Target, caller: &Caller) -> Privilege {
    let needs = "its directory in /proc: no hidepid, or its user, or CAP_SYS_PTRACE";
    let pid = target.pid();
    Privilege::held(
        "see it",
        needs,
        format!("/proc/{pid}/status can be read{}", with(caller, Capability::SysPtrace)),
    )
}

fn look_into(target: &Target, caller: &Caller) -> Privilege {
    let needs = "ptrace read access to /proc/PID/{root,maps,cwd,fd}: its uid and gid, and dumpable; or CAP_SYS_PTRACE in its user namespace";
    let (pid, step) = (target.pid(), "look into it");
    let closed = ["root", "cwd", "ns/pid"].into_iter().find(|name| target.process().link(name).is_err());
    match (closed, target.process().open_file("maps")) {
        (None, Ok(_)) => {
            let evidence = format!("/proc/{pid}/root is open{}", with(caller, Capability::SysPtrace));
            Privilege::held(step, needs, evidence)
        }
        (closed, _) => {
            let evidence = format!("/proc/{pid}/{} is closed to us", closed.unwrap_or("maps"));
            let lacking = Privilege::held(step, needs, evidence);
            match caller.has(Capability::SysPtrace) {
                false => lacking.lacking(Capability::SysPtrace.name()),
                true => lacking.lacking("CAP_SYS_PTRACE in its user namespace, or a security module's leave"),
            }
        }
    }
}

fn act(target: &Target, caller: &Caller) -> Privilege {
    let owner = target.status().identity();
    let (me, step) = (Identity::current(), "act as its user");
    let needs = format!(
        "to be uid {} gid {} already, or CAP_SETUID and CAP_SETGID, and both ids mapped here; one thread of ours takes them, without supplementary groups",
        owner.uid, owner.gid
    );
    let evidence = match me == owner {
        true => format!("we are uid {} gid {}", me.uid, me.gid),
        false => format!("we are uid {} gid {}, CapEff {:016x}", me.uid, me.gid, caller.effective),
    };
    let privilege = Privilege::held(step, needs, evidence);
    match caller.cannot_act_as(owner) {
        None => privilege,
        Some(missing) => privilege.lacking(missing),
    }
}

/// The listener's own check, which comes for free with the step before.
fn serve(target: &Target, caller: &Caller) -> Privilege {
    let owner = target.status().identity();
    let needs = "a peer of its own uid and gid; from java 11 on root of its user namespace will do too";
    let privilege = Privilege::held(
        "be served by its listener",
        needs,
        format!("the thread that connects is uid {} gid {}", owner.uid, owner.gid),
    );
    match caller.cannot_act_as(owner) {
        None => privilege,
        Some(_) => privilege.lacking("the step above"),
    }
}

fn signal(target: &Target, caller: &Caller) -> Privilege {
    let owner = target.status().identity();
    let needs = "its uid, from a pid namespace that contains its own; only where no listener is up";
    let privilege =
        Privilege::held("wake its listener", needs, format!("the thread that signals is uid {}", owner.uid));
    match caller.cannot_act_as(owner) {
        None => privilege,
        Some(_) => privilege.lacking("the step above"),
    }
}

fn with(caller: &Caller, capability: Capability) -> String {
    match caller.has(capability) {
        true => format!("; we have {}", capability.name()),
        false => format!("; without {}", capability.name()),
    }
}

/// The `CapEff` line of `/proc/PID/status`.
fn effective(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

/// The inner ids of a `uid_map` or `gid_map`, as ranges that exclude their end.
fn ranges(map: &str) -> Vec<(u64, u64)> {
    let range = |line: &str| {
        let mut numbers = line.split_whitespace().map(|word| word.parse().ok());
        let (from, _, count): (u64, Option<u64>, u64) = (numbers.next()??, numbers.next()?, numbers.next()??);
        Some((from, from.checked_add(count)?))
    };
    map.lines().filter_map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_and_mappings_decide() {
        let status = "Name:\tx\nCapEff:\t00000000000000c0\nCapBnd:\t1\n";
        let whole = ranges("         0          0 4294967295\n");
        let caller =
            Caller { effective: effective(status).unwrap(), uids: whole.clone(), gids: whole.clone() };
        let other = Identity { uid: 54321, gid: 54322 };
        assert_eq!(caller.cannot_act_as(other), None);
        assert_eq!(caller.cannot_act_as(Identity::current()), None);
        assert!(!caller.has(Capability::SysPtrace));
        let without = Caller { effective: 1 << 7, ..caller.clone() };
        assert_eq!(without.cannot_act_as(other).as_deref(), Some("CAP_SETGID"));
        let rootless = Caller { uids: ranges("0 1000 1\n1 100000 65536\n"), ..caller };
        assert_eq!(rootless.uids, [(0, 1), (1, 65537)]);
        assert_eq!(rootless.cannot_act_as(other), None);
        let unmapped = rootless.cannot_act_as(Identity { uid: 70000, gid: 1 }).unwrap();
        assert!(unmapped.contains("uid 70000"), "{unmapped}");
        assert!(ranges("rubbish\n1 2\n").is_empty());
    }
}
