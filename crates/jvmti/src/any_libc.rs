//! What an agent that is linked for every libc (`crates/agent-link`) has to bring along, since not every libc has it by that
//! name: it is defined in the agent under the libc's own names, hidden from everybody else.
//!
//! - `_dl_find_object`, by which `libgcc_eh.a` finds out how to unwind: glibc has it since 2.35, musl never. Without one a
//!   panic ends the JVM.
//! - `stat64`, `lstat64` and `fstat64`, which the standard library calls where the kernel has no statx(2), or a sandbox
//!   forbids it: before 2.33 they were within each program that was linked with glibc.

#![allow(unsafe_code, reason = "stands in for functions of the libc")]

use std::ffi::{c_char, c_int, c_long, c_ulonglong, c_void};
use std::ptr;

/// `struct dl_find_object` of `dlfcn.h`, 64-bit.
#[repr(C)]
#[derive(Debug)]
pub struct FoundObject {
    flags: c_ulonglong,
    map_start: *const c_void,
    map_end: *const c_void,
    link_map: *const c_void,
    eh_frame: *const c_void,
    reserved: [c_ulonglong; 7],
}

/// `_dl_find_object` that knows this library only: every entry from the JVM catches panics, so no other frame is ever
/// unwound. It takes no lock, unlike dl_iterate_phdr.
///
/// # Safety
/// `found` is to be written.
pub unsafe extern "C" fn find_object(pc: *const c_void, found: *mut FoundObject) -> c_int {
    let Some(object) = this_library().filter(|object| (object.map_start..object.map_end).contains(&pc))
    else {
        return -1;
    };
    // SAFETY: the caller's promise.
    unsafe { found.write(object) };
    0
}

fn this_library() -> Option<FoundObject> {
    unsafe extern "C" {
        /// The start of this library in memory, by the linker.
        static __ehdr_start: u8;
    }
    // A byte for the compiler, and the whole library for us.
    let base: *const c_void = ptr::with_exposed_provenance((&raw const __ehdr_start).expose_provenance());
    // SAFETY: the linker puts the symbol where the header is, at address 0 of the file; it is aligned, and never written to.
    let header = unsafe { &*base.cast::<ElfHeader>() };
    let at = |address: u64| base.wrapping_byte_add(address as usize);
    let (first, count) = (at(header.phoff).cast::<ProgramHeader>(), header.phnum.into());
    // SAFETY: so many program headers lie there, in the same segment.
    let headers = unsafe { std::slice::from_raw_parts(first, count) };
    let end = headers.iter().filter(|header| header.kind == PT_LOAD).map(|h| h.vaddr + h.memsz).max()?;
    let eh_frame = headers.iter().find(|header| header.kind == PT_GNU_EH_FRAME)?;
    Some(FoundObject {
        flags: 0,
        map_start: base,
        map_end: at(end),
        link_map: ptr::null(),
        eh_frame: at(eh_frame.vaddr),
        reserved: [0; 7],
    })
}

/// `stat64`.
///
/// # Safety
/// As of stat(2).
pub unsafe extern "C" fn stat(path: *const c_char, status: *mut c_void) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { syscall(SYS_NEWFSTATAT, AT_FDCWD, path, status, 0 as c_long) as c_int }
}

/// `lstat64`.
///
/// # Safety
/// As of lstat(2).
pub unsafe extern "C" fn lstat(path: *const c_char, status: *mut c_void) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { syscall(SYS_NEWFSTATAT, AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW) as c_int }
}

/// `fstat64`.
///
/// # Safety
/// As of fstat(2).
pub unsafe extern "C" fn fstat(fd: c_int, status: *mut c_void) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { syscall(SYS_FSTAT, fd as c_long, status) as c_int }
}

/// `Elf64_Ehdr`.
#[repr(C)]
struct ElfHeader {
    ident: [u8; 16],
    kind: u16,
    machine: u16,
    version: u32,
    entry: u64,
    phoff: u64,
    shoff: u64,
    flags: u32,
    ehsize: u16,
    phentsize: u16,
    phnum: u16,
}

/// `Elf64_Phdr`.
#[repr(C)]
struct ProgramHeader {
    kind: u32,
    flags: u32,
    offset: u64,
    vaddr: u64,
    paddr: u64,
    filesz: u64,
    memsz: u64,
    align: u64,
}

const PT_LOAD: u32 = 1;
const PT_GNU_EH_FRAME: u32 = 0x6474_e550;
const SYS_NEWFSTATAT: c_long = if cfg!(target_arch = "aarch64") { 79 } else { 262 };
const SYS_FSTAT: c_long = if cfg!(target_arch = "aarch64") { 80 } else { 5 };
const AT_FDCWD: c_long = -100;
const AT_SYMLINK_NOFOLLOW: c_long = 0x100;

unsafe extern "C" {
    /// Sets errno, as the libc's own functions do.
    fn syscall(number: c_long, ...) -> c_long;
}

/// Defines a hidden function that does what another does. Left out of unit tests: a test program is linked as any other.
#[doc(hidden)]
#[macro_export]
macro_rules! stand_in {
    ($($name:literal: $function:path),* $(,)?) => {$(
        #[cfg(all(not(test), target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
        $crate::stand_in!(@ "jmp", $name, $function);
        #[cfg(all(not(test), target_os = "linux", target_env = "gnu", target_arch = "aarch64"))]
        $crate::stand_in!(@ "b", $name, $function);
    )*};
    (@ $jump:literal, $name:literal, $function:path) => {
        ::core::arch::global_asm!(
            concat!(".pushsection .text.", $name, ",\"ax\",%progbits"),
            concat!(".hidden ", $name),
            concat!(".globl ", $name),
            concat!(".type ", $name, ",%function"),
            concat!($name, ": ", $jump, " {}"),
            ".popsection",
            sym $function
        );
    };
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;
    use std::fs::{self, File};
    use std::os::fd::AsRawFd;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    #[test]
    fn this_library_is_found_and_no_other() {
        let mut found = FoundObject { flags: 1, ..this_library().unwrap() };
        // SAFETY: a place of its own.
        let answer = unsafe { find_object(find_object as *const c_void, &raw mut found) };
        assert_eq!((answer, found.flags), (0, 0));
        // The first byte of .eh_frame_hdr is its version.
        // SAFETY: mapped for as long as this runs.
        assert_eq!(unsafe { found.eh_frame.cast::<u8>().read() }, 1);
        let elsewhere = ptr::from_ref(&found).cast();
        // SAFETY: a place of its own.
        assert_eq!(unsafe { find_object(elsewhere, &raw mut found) }, -1);
    }

    #[test]
    fn files_and_links_are_told_apart() {
        let folder = std::env::temp_dir().join(format!("jgraft-any-libc-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (file, link) = (folder.join("file"), folder.join("link"));
        fs::write(&file, "content").unwrap();
        symlink("file", &link).unwrap();
        let c_path = CString::new(link.as_os_str().as_bytes()).unwrap();
        // `struct stat` of 64-bit Linux is 144 or 128 bytes; st_dev and st_ino come first.
        let ino = |work: &dyn Fn(*mut c_void) -> c_int| {
            let mut status = [0_u64; 32];
            assert_eq!(work(status.as_mut_ptr().cast()), 0);
            (status[0], status[1])
        };
        let expected = |facts: fs::Metadata| (facts.dev(), facts.ino());
        let open = File::open(&file).unwrap();
        // SAFETY: a path that ends in NUL, and room enough.
        let by_stat = ino(&|status| unsafe { stat(c_path.as_ptr(), status) });
        // SAFETY: the same.
        let by_lstat = ino(&|status| unsafe { lstat(c_path.as_ptr(), status) });
        // SAFETY: an open file, and room enough.
        let by_fstat = ino(&|status| unsafe { fstat(open.as_raw_fd(), status) });
        assert_eq!(by_stat, expected(fs::metadata(&file).unwrap()));
        assert_eq!(by_lstat, expected(fs::symlink_metadata(&link).unwrap()));
        assert_eq!(by_fstat, by_stat);
        assert_ne!(by_lstat, by_stat);
        fs::remove_dir_all(&folder).unwrap();
    }
}
