//! The program between ours and the target's: a few instructions in sealed memory that execute their first argument.
//!
//! A process that is about to execute something is, as far as `/proc/self/exe` tells, still what it was. Were that jgraft,
//! a script of the target that names `/proc/self/exe` as its interpreter would run jgraft in there, and through that link a
//! target whose user is root could later write to the file of the host (CVE-2019-5736). Nobody can write to this.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};

/// `execve(argv[1], argv + 1, envp)`; where that fails, `exit_group(127)`.
#[cfg(target_arch = "x86_64")]
const CODE: &[u8] = &[
    0x48, 0x8b, 0x0c, 0x24, // mov rcx, [rsp]         argc
    0x48, 0x8d, 0x74, 0x24, 0x10, // lea rsi, [rsp+16]   argv + 1
    0x48, 0x8b, 0x3e, // mov rdi, [rsi]
    0x48, 0x8d, 0x14, 0xce, // lea rdx, [rsi+rcx*8]   behind argv's NULL
    0xb8, 0x3b, 0x00, 0x00, 0x00, // mov eax, 59
    0x0f, 0x05, // syscall
    0xbf, 0x7f, 0x00, 0x00, 0x00, // mov edi, 127
    0xb8, 0xe7, 0x00, 0x00, 0x00, // mov eax, 231
    0x0f, 0x05, // syscall
];
#[cfg(target_arch = "x86_64")]
const MACHINE: u16 = 62;

// Elsewhere nobody has tried it, so it is not done.
#[cfg(not(target_arch = "x86_64"))]
const CODE: &[u8] = &[];
#[cfg(not(target_arch = "x86_64"))]
const MACHINE: u16 = 0;

/// What it exits with where the program could not be executed, as shells do.
#[cfg(test)]
const NOT_EXECUTED: i32 = 127;

const HEADERS: u64 = 64 + 56;
const ADDRESS: u64 = 0x1_0000;
/// Since Linux 6.3 it is to be said that a file in memory will be executed; before, the flag is unknown.
const MFD_EXEC: u32 = 0x10;

/// It, in memory that nobody can change any more.
pub(super) fn sealed() -> io::Result<OwnedFd> {
    if CODE.is_empty() {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "only on x86-64"));
    }
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let with_exec = MFdFlags::from_bits_retain(flags.bits() | MFD_EXEC);
    let memory = match memfd_create(c"jgraft-trampoline", with_exec) {
        Err(Errno::EINVAL) => memfd_create(c"jgraft-trampoline", flags),
        other => other,
    }?;
    let mut file = File::from(memory);
    file.write_all(&image())?;
    let seals =
        SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL;
    fcntl(file.as_fd(), FcntlArg::F_ADD_SEALS(seals))?;
    Ok(file.into())
}

/// An ELF file (System V ABI, chapters 4 and 5): one segment, readable and executable, which is all of the file.
fn image() -> Vec<u8> {
    let size = HEADERS + CODE.len() as u64;
    let mut image = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let half = |image: &mut Vec<u8>, values: &[u16]| {
        values.iter().for_each(|value| image.extend(value.to_le_bytes()));
    };
    let word = |image: &mut Vec<u8>, values: &[u32]| {
        values.iter().for_each(|value| image.extend(value.to_le_bytes()));
    };
    let long = |image: &mut Vec<u8>, values: &[u64]| {
        values.iter().for_each(|value| image.extend(value.to_le_bytes()));
    };
    // e_type, e_machine; e_version; e_entry, e_phoff, e_shoff; e_flags; e_ehsize, e_phentsize, e_phnum, e_sh…
    half(&mut image, &[2, MACHINE]);
    word(&mut image, &[1]);
    long(&mut image, &[ADDRESS + HEADERS, 64, 0]);
    word(&mut image, &[0]);
    half(&mut image, &[64, 56, 1, 0, 0, 0]);
    // p_type, p_flags; p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align
    word(&mut image, &[1, 5]);
    long(&mut image, &[0, ADDRESS, ADDRESS, size, size, 0x1000]);
    image.extend(CODE);
    image
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;
    use std::process::Command;

    #[test]
    fn it_executes_its_first_argument_and_nobody_can_write_to_it() {
        let memory = sealed().unwrap();
        // The standard library's child opens it by this path before it closes it.
        let path = format!("/proc/{}/fd/{}", std::process::id(), memory.as_raw_fd());
        let run =
            |args: &[&str]| Command::new(&path).args(args).env_clear().env("A", "b c").output().unwrap();
        let said = run(&["/bin/sh", "-c", "echo \"$0 $1 $A\"; exit 3", "zero", "one"]);
        assert_eq!((said.status.code(), &*said.stdout), (Some(3), &b"zero one b c\n"[..]));
        assert_eq!(run(&["/nowhere"]).status.code(), Some(NOT_EXECUTED));
        let error = File::options().write(true).open(&path).and_then(|mut file| file.write_all(b"x"));
        assert_eq!(error.unwrap_err().raw_os_error(), Some(nix::libc::EPERM));
    }
}
