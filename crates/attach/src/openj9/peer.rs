//! Who is at the other end of a connection over loopback: TCP has no credentials, so the target's own tables are asked.

use std::net::SocketAddr;
use std::net::TcpStream;

use crate::finding::{Finding, FindingKind};
use crate::proc::Process;

/// The connection must be one of the target's own descriptors: containers that share the attach directory can hold VMs
/// with the same inner pid.
pub(super) fn leads_to(process: &Process, connection: &TcpStream) -> Result<(), Finding> {
    let foreign = |evidence: String| {
        Finding::new(
            FindingKind::ForeignSocket,
            format!("what answered for pid {} is another process", process.pid()),
            evidence,
            "two containers share the attach directory: give each a /tmp of its own",
        )
    };
    let (Ok(peer), Ok(here)) = (connection.peer_addr(), connection.local_addr()) else {
        return Err(foreign("the connection is closed again".to_owned()));
    };
    let inode = ["net/tcp", "net/tcp6"]
        .into_iter()
        .find_map(|table| socket_inode(&process.read(table).ok()?, peer, here));
    let Some(inode) = inode else {
        return Err(foreign(format!("its network namespace has no connection from port {}", peer.port())));
    };
    if process.has_socket(&[inode]).unwrap_or(false) {
        return Ok(());
    }
    Err(foreign(format!("socket:[{inode}] is not among its descriptors")))
}

/// The inode of the established connection from `peer` to `here`: columns are number, local, remote, state, …, inode.
fn socket_inode(table: &[u8], peer: SocketAddr, here: SocketAddr) -> Option<u64> {
    let port = |column: &str| u16::from_str_radix(column.rsplit_once(':')?.1, 16).ok();
    std::str::from_utf8(table).ok()?.lines().skip(1).find_map(|line| {
        let columns: Vec<&str> = line.split_ascii_whitespace().collect();
        let (local, remote, state) = (columns.get(1)?, columns.get(2)?, columns.get(3)?);
        let ports = (port(local)?, port(remote)?);
        let inode: u64 = columns.get(9)?.parse().ok()?;
        (ports == (peer.port(), here.port()) && *state == "01" && inode != 0).then_some(inode)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn our_own_end_is_ours_and_nobody_elses() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let target_end = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (our_end, _) = listener.accept().unwrap();
        let me = Process::open(std::process::id() as i32).unwrap();
        assert_eq!(leads_to(&me, &our_end), Ok(()));
        let init = Process::open(1).unwrap();
        assert_eq!(leads_to(&init, &our_end).unwrap_err().kind, FindingKind::ForeignSocket);
        drop(target_end);
    }

    #[test]
    fn reads_the_kernels_table() {
        let table = b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000 1000 0 4711 1 0 20 4 30 10 -1\n";
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        assert_eq!(socket_inode(table, address(50000), address(8080)), Some(4711));
        assert_eq!(socket_inode(table, address(50001), address(8080)), None);
        assert_eq!(socket_inode(b"rubbish\n1 2 3", address(1), address(2)), None);
    }
}
