//! What the facts of a target mean: may SIGQUIT be sent, will the listener answer, what stands in the way.
//!
//! Read-only. [`examine`] is `jgraft doctor`'s view of a target; [`signal_is_safe`] is the last look, taken right
//! before the signal.

use std::io::ErrorKind;
use std::path::Path;

use crate::finding::{Finding, FindingKind as Kind};
use crate::listener::{Listener, listener, socket_not_lost, stale_socket, tmp_is_writable};
use crate::privileges::Caller;
use crate::proc::Process;
use crate::proc::status::Status;
use crate::sys::Identity;
use crate::target::{self, SETTLED, START_UP, Target, read_status};

/// What `doctor` says of one target.
#[derive(Debug, Default)]
pub struct Preflight {
    /// Reasons against attaching, the first one first to be mended.
    pub blockers: Vec<Finding>,
    /// Things that will work, but that the user should know of.
    pub warnings: Vec<Finding>,
    /// What was looked at and found good.
    pub good: Vec<String>,
    /// Not ready yet, but will be: worth waiting for.
    pub starting: bool,
}

impl Preflight {
    fn block(&mut self, blocker: Finding) {
        self.blockers.push(blocker);
    }
}

/// Looks at everything that decides whether `target` can be attached to at all.
pub fn examine(target: &Target) -> Preflight {
    let mut result = Preflight::default();
    let status = target.status();
    if target.process().has_ended() || status.has_ended() {
        result.block(no_such_process(target.pid()));
        return result;
    }
    match jvm_proof(target) {
        Ok(proof) => result.good.push(proof),
        Err(blocker) => {
            result.block(blocker);
            return result;
        }
    }
    if let Err(blocker) = not_held(target.pid(), status, target.frozen_by().as_deref()) {
        result.block(blocker);
    } else {
        result.good.push(format!("runs: state {}, its cgroup is not frozen", status.state));
    }
    match may_act_as(status) {
        Ok(sentence) => result.good.push(sentence),
        Err(blocker) => result.block(blocker),
    }
    if target.kind() == target::Kind::OpenJ9 {
        crate::openj9::preflight::examine(target, &mut result);
        return result;
    }
    match attach_enabled(target) {
        Ok(sentence) => result.good.push(sentence),
        Err(blocker) => result.block(blocker),
    }
    let may_ask = |blocker: &Finding| !matches!(blocker.kind, Kind::AttachDisabled | Kind::OptionsUnread);
    match listener(target) {
        Ok(listener) if is_starting(target, listener) => {
            // Something else stands against it: not worth waiting for.
            result.starting = result.blockers.is_empty();
            result.warnings.push(starting(target));
        }
        Ok(Listener::Socket) => {
            result.good.push(format!("its attach socket is there: {}", socket_path(status)))
        }
        Ok(Listener::Absent) if result.blockers.iter().all(may_ask) => may_be_woken(target, &mut result),
        // Where attach is off the same signal means a thread dump.
        Ok(Listener::Absent) => {}
        Err(blocker) => result.block(blocker),
    }
    if target.libjvm_deleted() {
        result.warnings.push(Finding::new(
            Kind::JdkReplaced,
            "the jdk it runs from was replaced or removed since it started",
            "its libjvm.so is marked (deleted) in /proc/PID/maps",
            "if an agent does not load, restart the service on the new jdk",
        ));
    }
    result
}

/// What only `doctor` takes the time to find out: is the socket that [`examine`] has seen a live one? If not, what it takes
/// to wake a listener counts as if there were none.
pub fn examine_socket(target: &Target, preflight: &mut Preflight) {
    if target.kind() != target::Kind::HotSpot || preflight.starting || !preflight.blockers.is_empty() {
        return;
    }
    if !matches!(listener(target), Ok(Listener::Socket)) {
        return;
    }
    let Some(stale) = stale_socket(target) else {
        preflight.good.push("its attach listener is up".to_owned());
        return;
    };
    preflight.warnings.push(stale);
    match socket_not_lost(target) {
        Ok(()) => may_be_woken(target, preflight),
        Err(lost) => preflight.block(lost),
    }
}

fn may_be_woken(target: &Target, result: &mut Preflight) {
    if let Err(blocker) = tmp_is_writable(target) {
        result.block(blocker);
    }
    signal_verdict(target, result);
}

/// May this target be sent SIGQUIT at all? Only asked while no socket is there.
fn signal_verdict(target: &Target, result: &mut Preflight) {
    let status = target.status();
    match sigquit_is_caught(target.pid(), status) {
        Ok(()) => result.good.push(format!(
            "sigquit is caught (SigCgt {:016x}): the listener can be woken, no thread dump",
            status.sig_cgt
        )),
        Err(blocker) => result.block(explain_uncaught(target, blocker)),
    }
}

/// True while the JVM has not reached the end of its own initialisation. A `load` that comes earlier can meet a VM
/// whose module system is not there yet, so the counter of the VM's own is waited for, not only the signal handler.
/// Nor is a socket a sign of readiness: with `-Xrs` or `-XX:+StartAttachListener` it is made long before.
fn is_starting(target: &Target, listener: Listener) -> bool {
    let young = target.uptime() < START_UP;
    if target.kind() == target::Kind::Launcher || target.perfdata_is_coming() {
        return young;
    }
    // With -Xrs the signal is never caught, and its socket is there all the same; without, a socket that is there before
    // the signal is caught was left by a JVM that had this number, and goes when this one gets to it.
    let reduced = || target.options().has("-Xrs").is_some() || is_on(target, "ReduceSignalUsage");
    let deaf = !target.status().catches_sigquit() && (listener == Listener::Absent || !reduced());
    if let Some(perf) = target.perfdata() {
        return match perf.long("sun.rt.createVmEndTime") {
            Some(end) => end == 0,
            None => young && deaf,
        };
    }
    // Without counters there is no certain sign from outside: SIGQUIT is caught and every thread of the VM's own is up
    // long before the module system is, so only time tells; the VM's time, for a script may have run before it.
    match target.process().age_of_threads() {
        Ok(age) => age < START_UP && (deaf || age < SETTLED),
        Err(_) => young && (deaf || target.uptime() < SETTLED),
    }
}

fn is_on(target: &Target, flag: &str) -> bool {
    target.options().flag(flag).is_some_and(|(on, _)| on)
}

pub(crate) fn starting(target: &Target) -> Finding {
    Finding::new(
        Kind::Starting,
        format!("pid {} is a jvm that is still starting", target.pid()),
        format!("{} ms old, its initialisation is not finished", target.uptime().as_millis()),
        "wait a moment; load waits by itself until --timeout",
    )
}

/// The last look before the signal: everything read anew from a process that is held by its pidfd.
pub(crate) fn signal_is_safe(process: &Process) -> Result<(), Finding> {
    let status = read_status(process).map_err(|_| no_such_process(process.pid()))?;
    if process.has_ended() || status.has_ended() {
        return Err(no_such_process(process.pid()));
    }
    let cgroup = match process.read("cgroup") {
        Err(e) if e.kind() != ErrorKind::NotFound => {
            return Err(Finding::new(
                Kind::System,
                format!("whether pid {} is frozen cannot be told", process.pid()),
                format!("/proc/{}/cgroup: {e}", process.pid()),
                "run jgraft as root",
            ));
        }
        // A kernel without cgroups.
        cgroup => cgroup.unwrap_or_default(),
    };
    not_held(process.pid(), &status, crate::proc::cgroup::frozen_by(&cgroup).as_deref())?;
    sigquit_is_caught(process.pid(), &status)
}

pub(crate) fn no_such_process(pid: i32) -> Finding {
    Finding::new(
        Kind::NoSuchProcess,
        format!("there is no process {pid}"),
        format!("/proc/{pid} is gone or a zombie"),
        "jgraft list shows the jvms of this host",
    )
}

/// The proof that it is a JVM, as a sentence.
fn jvm_proof(target: &Target) -> Result<String, Finding> {
    let pid = target.pid();
    let exe = target.exe().map_or("unknown".to_owned(), |exe| exe.display().to_string());
    match target.kind() {
        target::Kind::HotSpot => {
            Ok(format!("a hotspot vm, java {}", target.version().unwrap_or("of unknown version")))
        }
        target::Kind::Launcher => Ok("a java launcher about to load its vm".to_owned()),
        target::Kind::OpenJ9 => {
            Ok(format!("an openj9 vm, java {}", target.version().unwrap_or("of unknown version")))
        }
        target::Kind::NotAJvm => Err(Finding::new(
            Kind::NotAJvm,
            format!("pid {pid} is not a jvm"),
            format!("no code of a libjvm.so is mapped; its executable is {exe}"),
            "jgraft list shows the jvms of this host",
        )),
        target::Kind::Unreadable => Err(Finding::new(
            Kind::NoAccess,
            format!("pid {pid} belongs to {} and cannot be looked into", target.user()),
            format!("/proc/{pid}/maps is closed to uid {}", Identity::current().uid),
            match Identity::current().uid {
                0 => "a capability is missing, or a user namespace or security module shields it: see jgraft doctor --privileges"
                    .to_owned(),
                _ => run_as_root_or(target.status().uid),
            },
        )),
    }
}

fn run_as_root_or(uid: u32) -> String {
    match uid {
        0 => "run jgraft as root".to_owned(),
        _ => format!("run jgraft as root or as {}", crate::proc::users::name_of(uid)),
    }
}

/// Neither stopped nor frozen: a signal sent now is acted on now, not when somebody thaws it (recipe R6).
fn not_held(pid: i32, status: &Status, frozen_by: Option<&Path>) -> Result<(), Finding> {
    if status.is_stopped() {
        let (by, remedy) = match status.tracer_pid {
            0 => ("by a signal".to_owned(), format!("kill -CONT {pid}, then try again")),
            tracer => (format!("by its tracer, pid {tracer}"), format!("let the debugger {tracer} go on")),
        };
        return Err(Finding::new(
            Kind::Stopped,
            format!("pid {pid} is stopped {by}"),
            format!("State: {} in /proc/{pid}/status; a signal would act when it goes on", status.state),
            remedy,
        ));
    }
    match frozen_by {
        None => Ok(()),
        Some(file) => Err(Finding::new(
            Kind::Frozen,
            format!("pid {pid} is frozen by its cgroup"),
            file.display().to_string(),
            "thaw it (docker unpause, or that control file), then try again",
        )),
    }
}

/// Can we become whom the JVM trusts?
fn may_act_as(status: &Status) -> Result<String, Finding> {
    let (me, owner) = (Identity::current(), status.identity());
    if me == owner {
        return Ok(format!("runs as uid {} gid {}, as we do", owner.uid, owner.gid));
    }
    let missing = match Caller::of_this_process().cannot_act_as(owner) {
        None if me.uid == 0 => {
            return Ok(format!("runs as uid {} gid {}, whom root can act as", owner.uid, owner.gid));
        }
        None => return Ok(format!("runs as uid {} gid {}, whom we can act as", owner.uid, owner.gid)),
        Some(missing) => missing,
    };
    Err(Finding::new(
        Kind::OtherUser,
        format!("the jvm runs as uid {} gid {}, we as uid {} gid {}", owner.uid, owner.gid, me.uid, me.gid),
        format!("an attach listener serves its own user only, and to act as that user we lack {missing}"),
        run_as_root_or(owner.uid),
    ))
}

/// `sun.rt.jvmCapabilities` starts with 1 where attach is on: the JVM's own word, whatever the options seem to say.
fn attach_enabled(target: &Target) -> Result<String, Finding> {
    let refuse = |evidence: String| {
        Err(Finding::new(
            Kind::AttachDisabled,
            format!("attach is turned off in pid {}", target.pid()),
            evidence,
            "its operator decided so: start it without -XX:+DisableAttachMechanism, or with the agent on its command line",
        ))
    };
    let capabilities = target.perfdata().and_then(|perf| perf.text("sun.rt.jvmCapabilities"));
    if let (None, Some(unread)) = (capabilities, target.options().unread()) {
        return Err(Finding::new(
            Kind::OptionsUnread,
            format!("whether attach is turned off in pid {} cannot be told", target.pid()),
            format!("its counters are off, and a file of its options cannot be read as its user: {unread}"),
            "make that file readable for the jvm's user, or start it with its counters on (-XX:+UsePerfData)",
        ));
    }
    match (capabilities, target.options().flag("DisableAttachMechanism")) {
        (Some(bits), Some((true, source))) if bits.starts_with('0') => {
            refuse(format!("-XX:+DisableAttachMechanism in {source}; sun.rt.jvmCapabilities begins with 0"))
        }
        (Some(bits), _) if bits.starts_with('0') => refuse("sun.rt.jvmCapabilities begins with 0".to_owned()),
        (None, Some((true, source))) => refuse(format!("-XX:+DisableAttachMechanism in {source}")),
        (Some(bits), _) => {
            Ok(format!("attach is on (sun.rt.jvmCapabilities {}…)", bits.get(..4).unwrap_or(bits)))
        }
        (None, _) => Ok("no option turns attach off".to_owned()),
    }
}

fn sigquit_is_caught(pid: i32, status: &Status) -> Result<(), Finding> {
    if status.catches_sigquit() && !status.ignores_sigquit() {
        return Ok(());
    }
    if status.ignores_sigquit() {
        return Err(Finding::new(
            Kind::SigquitIgnored,
            format!("pid {pid} ignores sigquit, so its listener cannot be woken"),
            format!("SigIgn {:016x}", status.sig_ign),
            "start the service without ignoring sigquit (trap '' QUIT, nohup wrappers)",
        ));
    }
    Err(Finding::new(
        Kind::SigquitNotCaught,
        format!("pid {pid} does not catch sigquit: sending it would kill the process"),
        format!("SigCgt {:016x} lacks bit 3", status.sig_cgt),
        "nothing was sent; start the service with -XX:+StartAttachListener, or put the agent on its command line",
    ))
}

fn explain_uncaught(target: &Target, blocker: Finding) -> Finding {
    match target.options().has("-Xrs") {
        Some(source) if blocker.kind == Kind::SigquitNotCaught => Finding {
            evidence: format!(
                "-Xrs in {source}; {}; and the socket it made at start is gone",
                blocker.evidence
            ),
            ..blocker
        },
        _ => blocker,
    }
}

/// Loading any agent: the flag of JEP 451 and its forerunner (since 9).
pub fn agent_loading(target: &Target) -> Result<Option<Finding>, Finding> {
    const FLAG: &str = "EnableDynamicAgentLoading";
    // The release cannot be told of a JVM that runs from a deleted JDK: then it may know the flag.
    let knows_it = target.feature().is_none_or(|feature| feature >= 9);
    let given = match (target.options().unread(), target.own_options()) {
        (Some(_), Some(own)) if knows_it => own.flag(FLAG),
        (Some(unread), None) if knows_it => {
            return Err(Finding::new(
                Kind::OptionsUnread,
                format!("whether loading agents is turned off in pid {} cannot be told", target.pid()),
                format!("a file of its options cannot be read as its user: {unread}"),
                "make that file readable for the jvm's user, or start it with its counters on (-XX:+UsePerfData)",
            ));
        }
        _ => target.options().flag(FLAG),
    };
    match given {
        Some((false, source)) => Err(Finding::new(
            Kind::AgentLoadingDisabled,
            format!("loading agents is turned off in pid {}", target.pid()),
            format!("-XX:-{FLAG} in {source}"),
            "its operator decided so: start it without that flag, or with the agent on its command line",
        )),
        Some((true, _)) => Ok(None),
        None if target.feature().is_some_and(|feature| feature >= 21) => Ok(Some(Finding::new(
            Kind::Jep451,
            "the jvm will print its JEP 451 warning (an agent \"has been loaded dynamically\") on its stderr",
            format!("java {} without -XX:+{FLAG}", target.version().unwrap_or("21+")),
            "harmless; -XX:+EnableDynamicAgentLoading on its command line announces that this is wanted",
        ))),
        None => Ok(None),
    }
}

/// Loading a Java agent needs module java.instrument in the runtime image.
pub fn instrument_module(target: &Target) -> Result<(), Finding> {
    if target.has_instrument() != Some(false) {
        return Ok(());
    }
    Err(Finding::new(
        Kind::NoInstrumentModule,
        "its runtime image has no module java.instrument, so no java agent can be loaded",
        format!("no libinstrument.so under {}", target.java_home().unwrap_or(Path::new("?")).display()),
        "build the image with jlink --add-modules java.instrument",
    ))
}

fn socket_path(status: &Status) -> String {
    format!("/tmp/.java_pid{}", status.ns_pid)
}
