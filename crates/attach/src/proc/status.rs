//! `/proc/PID/status` (proc(5)): run state, ids in every pid namespace, owners, signal masks.

use crate::sys::Identity;

/// The lines of `/proc/PID/status` that attaching depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// `R` running, `S` sleeping, `T` stopped, `t` stopped by a tracer, `Z` ended …
    pub state: char,
    /// The process that traces it, 0 for none.
    pub tracer_pid: i32,
    /// Its pid in its own, innermost pid namespace: the number in the names of the attach files.
    pub ns_pid: i32,
    /// How many pid namespaces know it; more than one means a container.
    pub pid_namespaces: usize,
    /// Effective uid and gid, in our user namespace.
    pub uid: u32,
    /// See `uid`.
    pub gid: u32,
    /// Supplementary groups, in our user namespace.
    pub groups: Vec<u32>,
    /// Signals that a handler catches: bit n−1 for signal n.
    pub sig_cgt: u64,
    /// Signals that are ignored.
    pub sig_ign: u64,
}

/// The bit of SIGQUIT (3) in the masks.
const SIGQUIT: u64 = 1 << 2;

impl Status {
    /// `None` where a line that every kernel prints is missing or unreadable.
    pub(crate) fn parse(text: &[u8]) -> Option<Status> {
        let text = String::from_utf8_lossy(text);
        let mut status = Status::default();
        let (mut state, mut uid, mut gid, mut cgt, mut ign, mut pid) = (false, false, false, false, false, 0);
        for line in text.lines() {
            let Some((name, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            let words = || value.split_whitespace();
            match name {
                "State" => (status.state, state) = (value.chars().next()?, true),
                "Pid" => pid = value.parse().ok()?,
                "TracerPid" => status.tracer_pid = value.parse().ok()?,
                // Before Linux 4.1 there is no NStgid: one namespace, the pid itself.
                "NStgid" => {
                    status.ns_pid = words().last()?.parse().ok()?;
                    status.pid_namespaces = words().count();
                }
                "Uid" => (status.uid, uid) = (words().nth(1)?.parse().ok()?, true),
                "Gid" => (status.gid, gid) = (words().nth(1)?.parse().ok()?, true),
                "Groups" => status.groups = words().filter_map(|group| group.parse().ok()).collect(),
                "SigCgt" => (status.sig_cgt, cgt) = (u64::from_str_radix(value, 16).ok()?, true),
                "SigIgn" => (status.sig_ign, ign) = (u64::from_str_radix(value, 16).ok()?, true),
                _ => {}
            }
        }
        if status.ns_pid == 0 {
            (status.ns_pid, status.pid_namespaces) = (pid, 1);
        }
        (state && uid && gid && cgt && ign && status.ns_pid > 0).then_some(status)
    }

    /// A handler is installed: the signal will not kill.
    pub fn catches_sigquit(&self) -> bool {
        self.sig_cgt & SIGQUIT != 0
    }

    /// The signal would be thrown away.
    pub fn ignores_sigquit(&self) -> bool {
        self.sig_ign & SIGQUIT != 0
    }

    /// Stopped by a signal or a tracer: SIGQUIT would wait, and act when nobody expects it (recipe R6).
    pub fn is_stopped(&self) -> bool {
        matches!(self.state, 'T' | 't')
    }

    /// Ended, not reaped yet.
    pub fn has_ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }

    /// Whom the target acts as, and so whom it trusts.
    pub fn identity(&self) -> Identity {
        Identity { uid: self.uid, gid: self.gid }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JVM_IN_A_CONTAINER: &str = "Name:\tjava\nState:\tS (sleeping)\nTgid:\t4711\nPid:\t4711\nTracerPid:\t0\n\
        Uid:\t0\t1000\t0\t0\nGid:\t0\t1001\t0\t0\nGroups:\t27 1002 \nNStgid:\t4711\t12\t1\nSigIgn:\t0000000000000000\n\
        SigCgt:\t2000000181005ccf\n";

    #[test]
    fn reads_the_innermost_pid_and_the_effective_owner() {
        let status = Status::parse(JVM_IN_A_CONTAINER.as_bytes()).unwrap();
        assert_eq!((status.ns_pid, status.pid_namespaces), (1, 3));
        assert_eq!((status.uid, status.gid), (1000, 1001));
        assert_eq!(status.groups, [27, 1002]);
        assert!(status.catches_sigquit() && !status.ignores_sigquit() && !status.is_stopped());
    }

    #[test]
    fn a_missing_mask_is_no_status() {
        let cut = JVM_IN_A_CONTAINER.split("SigCgt").next().unwrap();
        assert_eq!(Status::parse(cut.as_bytes()), None);
        assert_eq!(Status::parse(b""), None);
    }

    #[test]
    fn the_mask_of_a_sleep_does_not_catch() {
        let text = JVM_IN_A_CONTAINER.replace("2000000181005ccf", "0000000000000000");
        assert!(!Status::parse(text.as_bytes()).unwrap().catches_sigquit());
    }
}
