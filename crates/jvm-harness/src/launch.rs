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
    /// Mount options of a tmpfs of its own over /tmp.
    pub(crate) own_tmp: Option<&'a str>,
    /// A folder that is bound there instead of a tmpfs.
    pub(crate) shared_tmp: Option<&'a Path>,
    /// Root of a user namespace of its own; on the host it is whom `ids` says.
    pub(crate) user_namespace: bool,
    /// Its root file system can't be written to.
    pub(crate) read_only: bool,
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
    /// A tmpfs with mount options.
    Tmpfs { at: PathBuf, options: String },
    /// A recursive bind.
    Bind { from: PathBuf, at: PathBuf },
    /// The proc file system of the process' own pid namespace.
    Proc { at: PathBuf },
    /// No writing any more, but to what is mounted below.
    ReadOnly { at: PathBuf },
}

impl<'a> Place<'a> {
    /// On the host, as ourselves.
    pub(crate) fn plain(cwd: &'a Path, visible: &'a [PathBuf], scratch: &'a Path) -> Self {
        Self {
            root: None,
            pid_namespace: false,
            own_tmp: None,
            shared_tmp: None,
            user_namespace: false,
            read_only: false,
            ids: None,
            cwd,
            visible,
            scratch,
        }
    }

    /// The command that runs `program` in this place. Its pid is the program's, save in a pid namespace:
    /// there the program is its only child.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let steps = self.steps();
        if steps.is_empty() && self.root.is_none() && !self.user_namespace {
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
            command.args(["--pid", "--net", "--ipc", "--fork", "--kill-child"]);
        }
        command.args(["--", "sh", "-c"]).arg(self.script(&steps)).arg("sh").arg(program);
        command
    }

    fn script(&self, steps: &[Step]) -> String {
        let mut script = String::from("set -e\n");
        for step in steps {
            script.push_str(&render(step));
        }
        if let Some(root) = self.root {
            // Only root may get there by its path.
            script.push_str(&format!("cd {}\n", quote(root)));
        }
        script.push_str("exec unshare");
        if let Some((uid, gid)) = self.ids {
            script.push_str(&format!(" --setgid={gid} --setuid={uid}"));
        }
        if self.user_namespace {
            // Before the chroot, which need not have this tool.
            script.push_str(" -- unshare --user --map-root-user");
        }
        if self.root.is_some() {
            script.push_str(" --root=.");
        }
        script.push_str(&format!(" --wd={}", quote(self.cwd)));
        script.push_str(" -- \"$@\"\n");
        script
    }

    fn steps(&self) -> Vec<Step> {
        let mut steps = match self.root {
            Some(root) => self.chroot_steps(root),
            None => self.host_steps(),
        };
        let shm = self.root.unwrap_or(Path::new("/")).join("dev/shm");
        // Looked for on the host: a chroot's /dev is that.
        if (self.pid_namespace || self.read_only) && Path::new("/dev/shm").is_dir() {
            steps.push(Step::Tmpfs { at: shm, options: "mode=1777".to_owned() });
        }
        if self.read_only {
            let at = self.root.unwrap_or(Path::new("/")).to_owned();
            // A chroot's folder becomes a mount of its own only by this.
            if self.root.is_some() {
                steps.insert(0, Step::Bind { from: at.clone(), at: at.clone() });
            }
            steps.push(Step::ReadOnly { at });
        }
        steps
    }

    /// The /tmp that replaces the host's, at this mount point.
    fn tmp_step(&self, at: PathBuf, options: String) -> Step {
        match self.shared_tmp {
            Some(folder) => Step::Bind { from: folder.to_owned(), at },
            None => Step::Tmpfs { at, options },
        }
    }

    fn tmp(&self) -> Option<String> {
        let options = self.own_tmp.filter(|options| !options.is_empty());
        let tmp = options.map_or("mode=1777".to_owned(), |options| format!("mode=1777,{options}"));
        (self.pid_namespace || self.own_tmp.is_some()).then_some(tmp)
    }

    fn chroot_steps(&self, root: &Path) -> Vec<Step> {
        let inside = |path: &Path| root.join(path.strip_prefix("/").unwrap_or(path));
        let bind = |path: &Path| Step::Bind { from: path.to_owned(), at: inside(path) };
        let mut steps = vec![bind(Path::new("/dev"))];
        if self.pid_namespace {
            steps.push(Step::Proc { at: inside(Path::new("/proc")) });
        } else {
            steps.push(bind(Path::new("/proc")));
        }
        steps.push(match self.tmp() {
            Some(options) => self.tmp_step(inside(Path::new("/tmp")), options),
            None => bind(Path::new("/tmp")),
        });
        // The users of the machine: HotSpot publishes no hsperfdata for a uid without a name.
        if inside(Path::new("/etc/passwd")).is_file() {
            steps.push(bind(Path::new("/etc/passwd")));
        }
        for path in outermost(self.visible) {
            if self.tmp().is_some() || !path.starts_with("/tmp") {
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
        if self.tmp().is_some() {
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
            let own = if *cover == Path::new("/tmp") { self.tmp() } else { None };
            let options = own.unwrap_or_else(|| "mode=755".to_owned());
            steps.push(Step::Point { like: PathBuf::from("/"), at: pile.clone() });
            steps.push(match *cover == Path::new("/tmp") {
                true => self.tmp_step(pile.clone(), options),
                false => Step::Tmpfs { at: pile.clone(), options },
            });
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
    let place = Place { root, ..Place::plain(slash, &[], slash) };
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
        Step::Tmpfs { at, options } => format!("mount -t tmpfs -o {options} tmpfs {}\n", quote(at)),
        Step::Bind { from, at } => format!("mount --rbind {} {}\n", quote(from), quote(at)),
        Step::Proc { at } => format!("mount -t proc proc {}\n", quote(at)),
        Step::ReadOnly { at } => format!("mount -o remount,bind,ro {}\n", quote(at)),
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
        Place::plain(cwd, visible, cwd)
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
                .ends_with("cd '/cache/root'\nexec unshare --root=. --wd='/tmp/scratch' -- \"$@\"\n")
        );
    }

    #[test]
    fn a_private_tmp_keeps_the_visible_paths_below_it_and_is_laid_last() {
        let visible = [PathBuf::from("/tmp/jars"), PathBuf::from("/srv/ws")];
        let place = Place { pid_namespace: true, ..place(&visible) };
        let path = PathBuf::from;
        let expected = [
            Step::Point { like: path("/"), at: path("/tmp/scratch/cover-0") },
            Step::Tmpfs { at: path("/tmp/scratch/cover-0"), options: "mode=1777".to_owned() },
            Step::Point { like: path("/tmp/jars"), at: path("/tmp/scratch/cover-0/jars") },
            Step::Bind { from: path("/tmp/jars"), at: path("/tmp/scratch/cover-0/jars") },
            Step::Bind { from: path("/tmp/scratch/cover-0"), at: path("/tmp") },
            Step::Proc { at: path("/proc") },
            Step::Tmpfs { at: path("/dev/shm"), options: "mode=1777".to_owned() },
        ];
        let expected: Vec<_> = expected
            .into_iter()
            .filter(|step| {
                Path::new("/dev/shm").is_dir()
                    || !matches!(step, Step::Tmpfs { at, .. } if at.ends_with("shm"))
            })
            .collect();
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
