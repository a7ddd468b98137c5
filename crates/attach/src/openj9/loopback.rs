//! The attacher's end of the connection: a port on loopback, and the greeting by which the target shows that it has
//! read its key. Part of the helper, so nothing here allocates.

use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, SockaddrIn, SockaddrIn6, SockaddrLike};

use super::helper::{Duty, Stop, watch};
use super::sys;

/// Who has connected says its key at once.
const GREETING: Duration = Duration::from_secs(1);

/// Listens on 127.0.0.1, and with the same port on `::1` where the target may prefer that; never anywhere else.
pub(super) struct Listener {
    v4: OwnedFd,
    v6: Option<OwnedFd>,
    pub(super) port: u16,
}

impl Listener {
    pub(super) fn on_loopback() -> Result<Listener, Errno> {
        let v4 = listen(AddressFamily::Inet, &SockaddrIn::new(127, 0, 0, 1, 0))?;
        let port = socket::getsockname::<SockaddrIn>(v4.as_raw_fd())?.port();
        let v6 = SockaddrIn6::from(SocketAddrV6::new(Ipv6Addr::LOCALHOST, port, 0, 0));
        Ok(Listener { v4, v6: listen(AddressFamily::Inet6, &v6).ok(), port })
    }

    /// The next connection; none after this time, or where it has gone away again.
    pub(super) fn accept(&self, duty: &Duty<'_>, at_most: Duration) -> Result<Option<OwnedFd>, Stop> {
        let second = self.v6.as_ref().unwrap_or(&self.v4);
        let ready = watch(duty, [self.v4.as_fd(), second.as_fd()], at_most)?;
        for (listener, ready) in [&self.v4, second].into_iter().zip(ready) {
            if !ready {
                continue;
            }
            let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
            if let Ok(fd) = socket::accept4(listener.as_raw_fd(), flags) {
                return Ok(Some(sys::owned(fd)));
            }
        }
        Ok(None)
    }
}

fn listen(family: AddressFamily, address: &dyn SockaddrLike) -> Result<OwnedFd, Errno> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let listener = socket::socket(family, SockType::Stream, flags, None)?;
    socket::bind(listener.as_raw_fd(), address)?;
    socket::listen(&listener, socket::Backlog::new(4)?)?;
    Ok(listener)
}

/// `ATTACH_CONNECTED KEY ` and NUL, by the end of this try.
pub(super) fn greets(connection: &OwnedFd, duty: &Duty<'_>, until: Instant) -> Result<bool, Stop> {
    let until = until.max(Instant::now() + GREETING / 4).min(Instant::now() + GREETING);
    let mut greeting = [0u8; 128];
    let mut length = 0;
    while length < greeting.len() {
        match nix::unistd::read(connection, &mut greeting[length..]) {
            Ok(0) => return Ok(false),
            Ok(got) => length += got,
            Err(Errno::EINTR) => continue,
            Err(Errno::EAGAIN) => {
                let left = until.saturating_duration_since(Instant::now());
                let [ready, _] = watch(duty, [connection.as_fd(), connection.as_fd()], left)?;
                if !ready {
                    return Ok(false);
                }
            }
            Err(_) => return Ok(false),
        }
        if let Some(end) = greeting[..length].iter().position(|&byte| byte == 0) {
            let mut words = greeting[..end].split(|&byte| byte == b' ');
            let known =
                words.next() == Some(b"ATTACH_CONNECTED") && words.next() == Some(duty.key.as_bytes());
            // Nothing may follow before a command was given.
            return Ok(known && end + 1 == length);
        }
    }
    Ok(false)
}
