//! How a java process gets the surroundings that a test asks for: a chroot, a pid namespace with a private
//! /tmp, another user. The plan is pure (facts in, mounts out) and carried out by util-linux' `unshare` and
//! a shell, so that this crate needs no unsafe code between fork and exec.
//!
//! Every mount is made in a private mount namespace that ends with the process, and everything `exec`s, so
//! that without a pid namespace the java process keeps the pid of the process we started.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::jdks::quiet;

/// The surroundings of one java process.
#[derive(Debug, Clone)]
pub(crate) struct Place<'a> {
    pub(crate) root: Option<&'a Path>,
    pub(crate) pid_namespace: bool,
    /// uid and gid; supplementary groups are dropped.
    pub(crate) ids: Option<(u32, u32)>,
    pub(crate) cwd: &'a Path,
    /// Host paths that must be readable under the same name inside.
    pub(crate) visible: &'a [PathBuf],
    /// A folder of our own, mode 0755, for mounts in the making.
    pub(crate) scratch: &'a Path,
}

/// One line of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A mount point for a bind of this path.
    Point { like: PathBuf, at: PathBuf },
    /// A tmpfs with a mode.
    Tmpfs { at: PathBuf, mode: &'static str },
    /// A recursive bind.
    Bind { from: PathBuf, at: PathBuf },
    /// The proc file system of the process' own pid namespace.
    Proc { at: PathBuf },
}

impl Place<'_> {
    /// The command that runs `program` in this place. Its pid is the program's, save in a pid namespace:
    /// there the program is its only child.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let steps = self.steps();
        if steps.is_empty() && self.root.is_none() {
            let mut command = quiet(program);
            command.current_dir(self.cwd);
            if let Some((uid, gid)) = self.ids {
                command.uid(uid).gid(gid);
            }
            return command;
        }
        let mut command = quiet("unshare");
        command.arg("--mount");
        if self.pid_namespace {
            command.args(["--pid", "--fork", "--kill-child"]);
        }
        command.args(["--", "sh", "-c"]).arg(self.script(&steps)).arg("sh").arg(program);
        command
    }

    fn script(&self, steps: &[Step]) -> String {
        let mut script = String::from("set -e\n");
        for step in steps {
            script.push_str(&render(step));
        }
        script.push_str("exec unshare");
        if let Some(root) = self.root {
            script.push_str(&format!(" --root={}", quote(root)));
        }
        script.push_str(&format!(" --wd={}", quote(self.cwd)));
        if let Some((uid, gid)) = self.ids {
            script.push_str(&format!(" --setgid={gid} --setuid={uid}"));
        }
        script.push_str(" -- \"$@\"\n");
        script
    }

    fn steps(&self) -> Vec<Step> {
        match self.root {
            Some(root) => self.chroot_steps(root),
            None => self.host_steps(),
        }
    }

    fn chroot_steps(&self, root: &Path) -> Vec<Step> {
        let inside = |path: &Path| root.join(path.strip_prefix("/").unwrap_or(path));
        let bind = |path: &Path| Step::Bind { from: path.to_owned(), at: inside(path) };
        let mut steps = vec![bind(Path::new("/dev"))];
        if self.pid_namespace {
            steps.push(Step::Proc { at: inside(Path::new("/proc")) });
            steps.push(Step::Tmpfs { at: inside(Path::new("/tmp")), mode: "1777" });
        } else {
            steps.push(bind(Path::new("/proc")));
            steps.push(bind(Path::new("/tmp")));
        }
        // The users of the machine: HotSpot publishes no hsperfdata for a uid without a name.
        if inside(Path::new("/etc/passwd")).is_file() {
            steps.push(bind(Path::new("/etc/passwd")));
        }
        for path in outermost(self.visible) {
            if self.pid_namespace || !path.starts_with("/tmp") {
                steps.push(Step::Point { like: path.to_owned(), at: inside(path) });
                steps.push(bind(path));
            }
        }
        steps
    }

    /// A folder is "covered" by a tmpfs that holds only the visible paths below it: /tmp in a pid namespace,
    /// and a folder such as /root that the wanted user may not pass through.
    fn host_steps(&self) -> Vec<Step> {
        let mut covers = BTreeSet::new();
        if self.pid_namespace {
            covers.insert(PathBuf::from("/tmp"));
        }
        if let Some((uid, gid)) = self.ids {
            covers.extend(self.visible.iter().filter_map(|path| barrier(path, uid, gid)));
        }
        let mut steps = Vec::new();
        let outer = outermost(&covers);
        let piles =
            outer.iter().enumerate().map(|(i, cover)| (self.scratch.join(format!("cover-{i}")), cover));
        for (pile, cover) in piles.clone() {
            let mode = if *cover == Path::new("/tmp") { "1777" } else { "755" };
            steps.push(Step::Point { like: PathBuf::from("/"), at: pile.clone() });
            steps.push(Step::Tmpfs { at: pile.clone(), mode });
            for path in outermost(self.visible) {
                if let Ok(below) = path.strip_prefix(cover) {
                    let at = pile.join(below);
                    steps.push(Step::Point { like: path.to_owned(), at: at.clone() });
                    steps.push(Step::Bind { from: path.to_owned(), at });
                }
            }
        }
        // Only now: the piles themselves lie in /tmp, which the first of these may hide.
        steps.extend(piles.map(|(pile, cover)| Step::Bind { from: pile, at: cover.to_path_buf() }));
        if self.pid_namespace {
            steps.push(Step::Proc { at: PathBuf::from("/proc") });
        }
        steps
    }
}

/// What a java tool prints (stdout, then stderr), in its chroot where it has one. None if it can't be run
/// or fails.
pub(crate) fn tool_output(root: Option<&Path>, program: &Path, args: &[&str]) -> Option<String> {
    if root.is_some() && !nix::unistd::geteuid().is_root() {
        return None;
    }
    let slash = Path::new("/");
    let place = Place { root, pid_namespace: false, ids: None, cwd: slash, visible: &[], scratch: slash };
    let output = place.command(program).args(args).output().ok()?;
    if !output.status.success() {
        return None;
    }
    Some(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// The nearest folder to the root above `path` that this user may not pass through.
fn barrier(path: &Path, uid: u32, gid: u32) -> Option<PathBuf> {
    let mut above: Vec<&Path> = path.ancestors().skip(1).collect();
    above.reverse();
    above.into_iter().find(|dir| !passable(dir, uid, gid)).map(Path::to_owned)
}

fn passable(dir: &Path, uid: u32, gid: u32) -> bool {
    let Ok(facts) = fs::metadata(dir) else { return true };
    let bit = match (facts.uid() == uid, facts.gid() == gid) {
        (true, _) => 0o100,
        (false, true) => 0o010,
        (false, false) => 0o001,
    };
    uid == 0 || facts.mode() & bit != 0
}

/// The paths that lie below no other one of them.
fn outermost<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Vec<&'a Path> {
    let sorted: BTreeSet<&Path> = paths.into_iter().map(PathBuf::as_path).collect();
    let mut outer: Vec<&Path> = Vec::new();
    for path in sorted {
        if !outer.last().is_some_and(|last| path.starts_with(last)) {
            outer.push(path);
        }
    }
    outer
}

fn render(step: &Step) -> String {
    match step {
        Step::Point { like, at } if like.is_file() => {
            let parent = at.parent().unwrap_or(at);
            format!("mkdir -p {0}; [ -e {1} ] || : >{1}\n", quote(parent), quote(at))
        }
        Step::Point { at, .. } => format!("mkdir -p {}\n", quote(at)),
        Step::Tmpfs { at, mode } => format!("mount -t tmpfs -o mode={mode} tmpfs {}\n", quote(at)),
        Step::Bind { from, at } => format!("mount --rbind {} {}\n", quote(from), quote(at)),
        Step::Proc { at } => format!("mount -t proc proc {}\n", quote(at)),
    }
}

fn quote(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn place<'a>(visible: &'a [PathBuf]) -> Place<'a> {
        let cwd = Path::new("/tmp/scratch");
        Place { root: None, pid_namespace: false, ids: None, cwd, visible, scratch: cwd }
    }

    #[test]
    fn a_plain_place_needs_no_mount() {
        assert_eq!(place(&[PathBuf::from("/srv/jgraft")]).steps(), []);
    }

    #[test]
    fn a_chroot_binds_what_must_be_visible_once() {
        let visible = [PathBuf::from("/srv/ws/target"), PathBuf::from("/srv/ws"), PathBuf::from("/tmp/x")];
        let place = Place { root: Some(Path::new("/cache/root")), ..place(&visible) };
        let steps = place.steps();
        let targets: Vec<_> = steps
            .iter()
            .filter_map(|step| match step {
                Step::Bind { at, .. } => Some(at.to_str().unwrap()),
                _ => None,
            })
            .collect();
        let expected = ["/cache/root/dev", "/cache/root/proc", "/cache/root/tmp", "/cache/root/srv/ws"];
        assert_eq!(targets, expected);
        assert!(
            place
                .script(&steps)
                .ends_with("exec unshare --root='/cache/root' --wd='/tmp/scratch' -- \"$@\"\n")
        );
    }

    #[test]
    fn a_private_tmp_keeps_the_visible_paths_below_it_and_is_laid_last() {
        let visible = [PathBuf::from("/tmp/jars"), PathBuf::from("/srv/ws")];
        let place = Place { pid_namespace: true, ..place(&visible) };
        let path = PathBuf::from;
        let expected = [
            Step::Point { like: path("/"), at: path("/tmp/scratch/cover-0") },
            Step::Tmpfs { at: path("/tmp/scratch/cover-0"), mode: "1777" },
            Step::Point { like: path("/tmp/jars"), at: path("/tmp/scratch/cover-0/jars") },
            Step::Bind { from: path("/tmp/jars"), at: path("/tmp/scratch/cover-0/jars") },
            Step::Bind { from: path("/tmp/scratch/cover-0"), at: path("/tmp") },
            Step::Proc { at: path("/proc") },
        ];
        assert_eq!(place.steps(), expected);
    }

    #[test]
    fn a_folder_closed_to_the_user_is_a_barrier() {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let below = dir.path().join("a/b");
        fs::create_dir_all(&below).unwrap();
        let owner = fs::metadata(dir.path()).unwrap();
        assert_eq!(barrier(&below, owner.uid() + 1, owner.gid() + 1).as_deref(), Some(dir.path()));
        assert_eq!(barrier(&below, owner.uid(), owner.gid()), None);
    }

    #[test]
    fn quotes_survive_the_shell() {
        let output =
            quiet("sh").args(["-c", &format!("printf %s {}", quote(Path::new("/a b/it's")))]).output();
        assert_eq!(output.unwrap().stdout, b"/a b/it's");
    }
}
