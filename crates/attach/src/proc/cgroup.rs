//! `/proc/PID/cgroup` (cgroups(7)): the container a process is in, and whether its cgroup is frozen.

use std::path::{Path, PathBuf};

/// Where every distribution mounts the hierarchies.
const MOUNT: &str = "/sys/fs/cgroup";

/// The container id: the last run of exactly 64 hexadecimal digits, which is how docker, containerd, cri-o and podman
/// name their cgroups, with or without a `docker-` in front and a `.scope` behind.
pub(crate) fn container_id(cgroup: &[u8]) -> Option<String> {
    let digits = |b: &u8| b.is_ascii_digit() || (b'a'..=b'f').contains(b);
    cgroup
        .split(|b| !digits(b))
        .rfind(|run| run.len() == 64)
        .map(|run| String::from_utf8_lossy(run).into_owned())
}

/// The control file that says this process is frozen, if one does. A process frozen by cgroup v2 looks asleep, one
/// frozen by v1 looks like waiting for a disk, so the run state alone does not tell.
pub(crate) fn frozen_by(cgroup: &[u8]) -> Option<PathBuf> {
    frozen_by_under(cgroup, Path::new(MOUNT))
}

fn frozen_by_under(cgroup: &[u8], mount: &Path) -> Option<PathBuf> {
    let text = String::from_utf8_lossy(cgroup);
    for line in text.lines() {
        let mut fields = line.splitn(3, ':');
        let (_, Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let path = path.trim_start_matches('/');
        if controllers.split(',').any(|c| c == "freezer") {
            let file = mount.join("freezer").join(path).join("freezer.state");
            // FREEZING: some thread is still on its way, and will not come back either.
            if read(&file).is_some_and(|state| state.trim_end() != "THAWED") {
                return Some(file);
            }
        } else if controllers.is_empty() {
            for root in [mount.to_owned(), mount.join("unified")] {
                let file = root.join(path).join("cgroup.events");
                if read(&file).is_some_and(|events| events.lines().any(|l| l == "frozen 1")) {
                    return Some(file);
                }
            }
        }
    }
    None
}

fn read(file: &Path) -> Option<String> {
    std::fs::read_to_string(file).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "3f29a1f0c6a1b0d94d8e4d1f7bb0a7a0a0d2b6d6c0d0b3f1e5a4c3b2a1908f7e";

    #[test]
    fn finds_the_id_in_every_runtimes_path() {
        for path in [
            format!("0::/system.slice/docker-{ID}.scope"),
            format!("12:memory:/docker/{ID}\n0::/"),
            format!("0::/kubepods.slice/kubepods-pod12_ab.slice/cri-containerd-{ID}.scope"),
            format!("0::/machine.slice/libpod-{ID}.scope/container"),
        ] {
            assert_eq!(container_id(path.as_bytes()).as_deref(), Some(ID), "{path}");
        }
        assert_eq!(container_id(b"0::/user.slice/user-1000.slice/session-2.scope\n"), None);
        assert_eq!(container_id(format!("0::/x/{ID}0").as_bytes()), None);
    }

    #[test]
    fn sees_both_freezers() {
        let mount = tempfile::tempdir().unwrap();
        let (v1, v2) = (mount.path().join("freezer/a"), mount.path().join("b"));
        std::fs::create_dir_all(&v1).unwrap();
        std::fs::create_dir_all(&v2).unwrap();
        let frozen = |text: &str| frozen_by_under(text.as_bytes(), mount.path());

        std::fs::write(v1.join("freezer.state"), "THAWED\n").unwrap();
        std::fs::write(v2.join("cgroup.events"), "populated 1\nfrozen 0\n").unwrap();
        assert_eq!(frozen("3:freezer:/a\n0::/b\n"), None);

        std::fs::write(v1.join("freezer.state"), "FREEZING\n").unwrap();
        assert_eq!(frozen("3:freezer:/a\n"), Some(v1.join("freezer.state")));

        std::fs::write(v2.join("cgroup.events"), "populated 1\nfrozen 1\n").unwrap();
        assert_eq!(frozen("1:name=systemd:/x\n0::/b\n"), Some(v2.join("cgroup.events")));
    }
}
