//! System calls that the program may not make, since the filter of the target's container is not taken over (seccomp(2)):
//! those that a container's filter forbids, and that no compiler makes.
//!
//! For x86-64 alone, as the [trampoline](super::trampoline) is.
#![cfg(target_arch = "x86_64")]

use nix::libc::{self, c_long, sock_filter};

/// linux/audit.h.
const X86_64: u32 = 0xc000_003e;
/// Numbers from here on are of another ABI, x32.
const X32: u32 = 0x4000_0000;
/// Where `struct seccomp_data` has the number, the architecture, and the lower half of the first argument.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const FIRST_ARGUMENT: u32 = 16;
/// New namespaces, that of time aside, which clone(2) has no flag for.
const NAMESPACES: u32 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET) as u32;

/// Keys; namespaces and mounts; other processes; devices; the kernel itself.
const DENIED: [c_long; 43] = [
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kcmp,
    libc::SYS_mknod,
    libc::SYS_mknodat,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
    libc::SYS_syslog,
    libc::SYS_acct,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_quotactl,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_lookup_dcookie,
];

/// What comes before those that are denied, and behind them.
const HEAD: usize = 8;
const TAIL: usize = 5;

/// The filter.
pub(super) static FILTER: [sock_filter; HEAD + 2 * DENIED.len() + TAIL] = filter();

const fn filter() -> [sock_filter; HEAD + 2 * DENIED.len() + TAIL] {
    let mut all = [give(libc::SECCOMP_RET_ALLOW); HEAD + 2 * DENIED.len() + TAIL];
    all[0] = load(ARCHITECTURE);
    all[1] = jump(libc::BPF_JEQ, X86_64, 1, 0);
    all[2] = give(libc::SECCOMP_RET_KILL_PROCESS);
    all[3] = load(NUMBER);
    all[4] = jump(libc::BPF_JGE, X32, 0, 1);
    all[5] = fail(libc::ENOSYS);
    all[6] = jump(libc::BPF_JEQ, libc::SYS_clone3 as u32, 0, 1);
    // The C library goes back to clone then, whose flags can be looked at.
    all[7] = fail(libc::ENOSYS);
    let (mut n, mut at) = (0, HEAD);
    while n < DENIED.len() {
        all[at] = jump(libc::BPF_JEQ, DENIED[n] as u32, 0, 1);
        all[at + 1] = fail(libc::EPERM);
        (n, at) = (n + 1, at + 2);
    }
    all[at] = jump(libc::BPF_JEQ, libc::SYS_clone as u32, 0, 3);
    all[at + 1] = load(FIRST_ARGUMENT);
    all[at + 2] = jump(libc::BPF_JSET, NAMESPACES, 0, 1);
    all[at + 3] = fail(libc::EPERM);
    all
}

const fn load(offset: u32) -> sock_filter {
    sock_filter { code: (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16, jt: 0, jf: 0, k: offset }
}

/// So many instructions on where it is so, and where not.
const fn jump(test: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code: (libc::BPF_JMP | test | libc::BPF_K) as u16, jt, jf, k }
}

const fn give(verdict: u32) -> sock_filter {
    sock_filter { code: (libc::BPF_RET | libc::BPF_K) as u16, jt: 0, jf: 0, k: verdict }
}

const fn fail(errno: i32) -> sock_filter {
    give(libc::SECCOMP_RET_ERRNO | errno as u32)
}
