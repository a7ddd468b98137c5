//! What makes a process look like a JVM from outside: the files it maps, the signal it catches, its counters, and a
//! runtime image with a version in it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::script::Vm;
use super::sys;

/// A runtime image of a few empty files.
pub(super) struct Disguise {
    home: tempfile::TempDir,
    counters: Option<PathBuf>,
}

impl Disguise {
    /// Makes the image and maps its VM.
    pub(super) fn put_on(vm: Vm, feature: u32) -> io::Result<Disguise> {
        let home = tempfile::Builder::new().prefix("fake-jdk-").tempdir()?;
        let server = home.path().join("lib/server");
        fs::create_dir_all(&server)?;
        fs::write(home.path().join("lib/libinstrument.so"), "")?;
        fs::write(home.path().join("release"), format!("JAVA_VERSION=\"{}\"\n", version(feature)))?;
        map(&server.join("libjvm.so"))?;
        if vm == Vm::OpenJ9 {
            fs::create_dir(home.path().join("lib/default"))?;
            map(&home.path().join("lib/default/libj9vm29.so"))?;
        }
        // Readable for whoever attaches as another user.
        let open: fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(home.path(), open)?;
        Ok(Disguise { home, counters: None })
    }

    /// HotSpot's counters, as of a VM that has created itself.
    pub(super) fn show_counters(&mut self, feature: u32, command: &str) -> io::Result<()> {
        let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten();
        let user = user.map_or_else(|| nix::unistd::geteuid().to_string(), |user| user.name);
        let folder = Path::new("/tmp").join(format!("hsperfdata_{user}"));
        fs::create_dir_all(&folder)?;
        let path = folder.join(std::process::id().to_string());
        let texts = [
            ("sun.rt.jvmCapabilities", "1100000000000000"),
            ("sun.rt.javaCommand", command),
            ("java.property.java.version", &version(feature)),
            ("java.property.java.vm.name", "fake HotSpot"),
            ("java.property.java.home", &self.home.path().display().to_string()),
        ];
        fs::write(&path, hsperfdata(&texts, ("sun.rt.createVmEndTime", 1)))?;
        self.counters = Some(path.clone());
        sys::map_counters(&File::options().read(true).write(true).open(path)?)
    }
}

impl Drop for Disguise {
    fn drop(&mut self) {
        if let Some(counters) = &self.counters {
            let _: io::Result<()> = fs::remove_file(counters);
        }
    }
}

/// `1.8.0_1`, `17.0.1`.
pub(super) fn version(feature: u32) -> String {
    if feature == 8 { "1.8.0_1".to_owned() } else { format!("{feature}.0.1") }
}

fn map(library: &Path) -> io::Result<()> {
    fs::write(library, "not a library")?;
    sys::map_code(&File::open(library)?)
}

/// Format 2.0, little-endian: a prologue of 32 bytes, then one entry a counter.
fn hsperfdata(texts: &[(&str, &str)], long: (&str, i64)) -> Vec<u8> {
    let mut file = vec![0xca, 0xfe, 0xc0, 0xc0, 1, 2, 0, 1];
    file.extend([0; 16]);
    file.extend(32i32.to_le_bytes());
    file.extend((texts.len() as i32 + 1).to_le_bytes());
    for (name, text) in texts {
        let value = [text.as_bytes(), b"\0"].concat();
        entry(&mut file, name, b'B', value.len(), &value);
    }
    entry(&mut file, long.0, b'J', 0, &long.1.to_le_bytes());
    file
}

/// Length, name's offset, vector length, type, flags, units, variability, data's offset; name; data, aligned to 8.
fn entry(file: &mut Vec<u8>, name: &str, kind: u8, vector: usize, value: &[u8]) {
    let data = (20 + name.len() + 1).next_multiple_of(8);
    let length = (data + value.len()).next_multiple_of(8);
    let start = file.len();
    for number in [length, 20, vector] {
        file.extend((number as i32).to_le_bytes());
    }
    file.extend([kind, 0, 1, 1]);
    file.extend((data as i32).to_le_bytes());
    file.extend(name.as_bytes());
    file.resize(start + data, 0);
    file.extend(value);
    file.resize(start + length, 0);
}
