//! The threads of a process as the kernel sees them (`/proc/PID/task`): of one that does not answer there is nothing else.

use std::io;

use crate::target::Target;

/// More are not looked at.
const LIMIT: usize = 4096;

/// One thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadState {
    /// Its number in our pid namespace.
    pub tid: i32,
    /// At most 15 bytes; HotSpot names its own threads and, since 9 or so, Java's.
    pub name: String,
    /// `R` running, `S` sleeping, `D` waiting in the kernel, `T` stopped, `t` stopped by a tracer …
    pub state: char,
    /// The function of the kernel that it sleeps in, where we may know.
    pub wchan: Option<String>,
}

/// Its threads by number, at most 4,096. One that ends meanwhile is left out.
pub fn threads(target: &Target) -> io::Result<Vec<ThreadState>> {
    let process = target.process();
    let mut threads = Vec::new();
    for tid in process.entries("task")?.into_iter().take(LIMIT) {
        let Some(tid) = tid.to_str() else { continue };
        let read = |file: &str| process.read(&format!("task/{tid}/{file}"));
        let Ok(stat) = read("stat") else { continue };
        let Some((name, state)) = name_and_state(&stat) else { continue };
        let wchan = read("wchan").ok().map(|place| String::from_utf8_lossy(&place).trim().to_owned());
        // "0": it runs, or the kernel does not tell us.
        let wchan = wchan.filter(|place| !place.is_empty() && place != "0");
        threads.push(ThreadState { tid: tid.parse().unwrap_or(0), name, state, wchan });
    }
    threads.sort_by_key(|thread| thread.tid);
    Ok(threads)
}

/// Fields 2 and 3 of proc(5)'s `stat`: a name may hold blanks and parentheses, so it ends at the last `)`.
fn name_and_state(stat: &[u8]) -> Option<(String, char)> {
    let start = stat.iter().position(|&b| b == b'(')? + 1;
    let end = stat.iter().rposition(|&b| b == b')')?;
    let state = stat.get(end + 2).copied().map(char::from)?;
    Some((String::from_utf8_lossy(stat.get(start..end)?).into_owned(), state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_look_like_anything() {
        assert_eq!(name_and_state(b"7 (a) R (b)) S 1 2"), Some(("a) R (b)".to_owned(), 'S')));
        assert_eq!(name_and_state(b"7 (x"), None);
        assert_eq!(name_and_state(b") ("), None);
    }

    #[test]
    fn we_are_among_our_threads() {
        let me = Target::inspect(std::process::id() as i32).unwrap();
        let named = std::thread::Builder::new().name("finds itself".into());
        let seen = named.spawn(move || threads(&me).unwrap()).unwrap().join().unwrap();
        assert!(seen.iter().any(|thread| thread.name == "finds itself" && thread.state == 'R'), "{seen:?}");
    }
}
