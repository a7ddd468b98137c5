//! `/proc/PID/net/unix` (proc(5)): the Unix domain sockets of a network namespace. Pure.

use std::path::Path;

/// Bit of the flags column: it listens.
const LISTENS: u32 = 1 << 16;

/// The inodes of the sockets that listen under one of these file names. The path is the one given to `bind`, whatever the
/// file has been renamed to since. Columns: number, reference count, protocol, flags, type, state, inode, path.
pub(crate) fn listening(table: &[u8], names: &[&str]) -> Vec<u64> {
    let table = String::from_utf8_lossy(table);
    let inode = |line: &str| {
        let mut columns = line.split_ascii_whitespace();
        let flags = u32::from_str_radix(columns.nth(3)?, 16).ok()?;
        let inode = columns.nth(2)?.parse().ok()?;
        let name = Path::new(columns.next()?).file_name()?;
        (flags & LISTENS != 0 && names.iter().any(|wanted| name == *wanted)).then_some(inode)
    };
    table.lines().skip(1).filter_map(inode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_kernels_table() {
        let table = b"Num       RefCount Protocol Flags    Type St Inode Path\n\
            00000000152939c8: 00000002 00000000 00010000 0001 01 4711 /tmp/.java_pid7.tmp\n\
            00000000152939c9: 00000003 00000000 00000000 0001 03 4712 /tmp/.java_pid7.tmp\n\
            00000000152939ca: 00000002 00000000 00010000 0001 01 4713 /tmp/.java_pid77\n\
            00000000152939cb: 00000002 00000000 00010000 0001 01 4714 /tmp/.java_pid7\n\
            00000000152939cc: 00000002 00000000 00010000 0001 01 4715\n\
            rubbish\n";
        assert_eq!(listening(table, &[".java_pid7", ".java_pid7.tmp"]), [4711, 4714]);
        assert!(listening(table, &[".java_pid8"]).is_empty());
        assert!(listening(b"\xff\n\xff 1 2 3", &[""]).is_empty());
    }
}
