//! `jgraft heap-dump`: written by the JVM where it can, fetched from there, and removed there.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jgraft_attach::heap_dump::{DumpPlace, expected_size, room, with_margin};
use jgraft_attach::{AttachError, Request, Target, error_in, examine};
use serde::Serialize;

use super::histogram::announce_full_gc;
use crate::ask::{Task, not_done};
use crate::cli::HeapDump;
use crate::failure::{EXIT_BLOCKED, EXIT_FAILED, EXIT_INTERRUPTED, Failure};
use crate::hung::explain_hang;
use crate::interrupt::Interrupt;
use crate::{human, json, output, target};

/// The longest answer: a sentence with a path in it.
const REPLY_LIMIT: u64 = 64 << 10;
/// Copied between two moves of the bar, in bytes.
const PIECE: u64 = 4 << 20;
/// How often the bar looks at the growing file, and we for Ctrl-C while it is fetched.
const GLANCE: Duration = Duration::from_millis(100);

#[derive(Serialize)]
struct Answer {
    pid: i32,
    file: String,
    bytes: u64,
    live: bool,
    /// Where the JVM wrote it, in its own view; gone by now.
    written_to: String,
    dump_ms: f64,
    fetch_ms: f64,
}

/// Runs the command.
pub(crate) fn run(options: &HeapDump) -> Result<ExitCode, Failure> {
    let to_stdout = options.file == Path::new("-");
    if to_stdout && options.asked.json {
        return Err(Failure::usage("stdout cannot take both dump and object", "- and --json", "name a file"));
    }
    if let Some(dir) = options.dir.as_ref().filter(|dir| !dir.is_absolute()) {
        let remedy = "name it as the jvm sees it, from the root";
        return Err(Failure::usage("--dir is no absolute path", dir.display().to_string(), remedy));
    }
    let interrupt = Interrupt::catch();
    let mut target = target::find(&options.asked.target)?;
    let preflight = examine(&target);
    if let Some(blocker) = preflight.blockers.first() {
        return Err(Failure::blocked(blocker));
    }
    if preflight.starting {
        target = options.asked.patience.client(target, &interrupt).await_created()?;
    }
    let sink = Sink::open(&options.file)?;
    let place = DumpPlace::make(&target, options.dir.as_deref()).map_err(|f| Failure::blocked(&f))?;
    let expected = expected_size(&target).unwrap_or(0);
    sink.has_room(&place, expected)?;
    if options.live {
        announce_full_gc(target.pid());
    }
    let bar = bar(options, expected);
    let started = Instant::now();
    let pid = target.pid();
    let place = dump(options, target, place, &interrupt, &bar)?;
    let dumped = Instant::now();
    let bytes = match fetch(pid, &place, &sink, expected, &interrupt, &bar) {
        Ok(bytes) => bytes,
        Err(NotFetched::Failed(failure)) => return Err(failure),
        // Made at the price of a pause of the JVM: what went wrong here does not take it away.
        Err(NotFetched::NotTaken(error)) => {
            let remedy =
                "the dump is whole where the jvm wrote it: copy it to a place with room, and remove it there";
            return Err(not_fetched(pid, &error).remedy(remedy).left(pid, &place.leave()));
        }
    };
    bar.finish_and_clear();
    let written_to = place.path().display().to_string();
    drop(place);
    sink.keep();
    if options.asked.json {
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        let body = Answer {
            pid,
            file: options.file.display().to_string(),
            bytes,
            live: options.live,
            written_to,
            dump_ms: milliseconds(dumped - started),
            fetch_ms: milliseconds(dumped.elapsed()),
        };
        json::print("heap-dump", &body);
    } else if !to_stdout {
        let out = human::Stream::stdout();
        let file = human::clean(&options.file.display().to_string());
        let seconds = started.elapsed().as_secs_f64();
        out.line(&format!("dumped the heap of pid {pid} into {file}: {} in {seconds:.1} s", size(bytes)));
    }
    let done = format!("pid {pid} has dumped its heap into {}", options.file.display());
    output::finish(ExitCode::SUCCESS, &done)
}

/// Has it written. Where it is not known whether it still writes, what is there stays.
fn dump(
    options: &HeapDump,
    target: Target,
    place: DumpPlace,
    interrupt: &Interrupt,
    bar: &ProgressBar,
) -> Result<DumpPlace, Failure> {
    let which: &[u8] = if options.live { b"-live" } else { b"-all" };
    let request = Request::new("dumpheap", &[place.path().as_os_str().as_bytes(), which]);
    let request = request.map_err(|finding| Failure::blocked(&finding))?;
    let mut client = options.asked.patience.client(target, interrupt);
    let answer = watched(&place, bar, || {
        let reply = client.send(&request)?;
        let header = reply.header();
        Ok((header, reply.into_text(REPLY_LIMIT)?.0))
    });
    let target = client.target();
    match answer {
        Ok((0, text)) if error_in(&request, &text).is_none() => Ok(place),
        Ok((header, text)) => {
            let said = if text.trim().is_empty() { format!("its answer was {header}") } else { text };
            let task =
                Task { what: "dump its heap", remedy: "see that it can write there, or name another --dir" };
            Err(not_done(target.pid(), &task, &said))
        }
        Err(error) => {
            let sent =
                matches!(error, AttachError::Unanswered(_) | AttachError::Interrupted { sent: true, .. });
            let failure = explain_hang(error, target);
            if !sent || target.process().has_ended() {
                return Err(failure);
            }
            Err(failure.left(target.pid(), &place.leave()))
        }
    }
}

/// Moves the bar while the file grows.
fn watched<T: Send>(place: &DumpPlace, bar: &ProgressBar, work: impl FnOnce() -> T) -> T {
    if bar.is_hidden() {
        return work();
    }
    thread::scope(|scope| {
        let (done, is_done) = mpsc::channel::<()>();
        scope.spawn(move || {
            while let Err(mpsc::RecvTimeoutError::Timeout) = is_done.recv_timeout(GLANCE) {
                bar.set_position(place.size());
            }
        });
        let result = work();
        drop(done);
        result
    })
}

/// Why a finished dump is not here.
enum NotFetched {
    /// Our own side did not take it.
    NotTaken(io::Error),
    Failed(Failure),
}

fn not_fetched(pid: i32, error: &io::Error) -> Failure {
    Failure::new(EXIT_FAILED, "not-fetched", format!("the heap dump of pid {pid} could not be fetched"))
        .evidence(error.to_string())
}

/// Copies the finished dump.
fn fetch(
    pid: i32,
    place: &DumpPlace,
    sink: &Sink,
    expected: u64,
    interrupt: &Interrupt,
    bar: &ProgressBar,
) -> Result<u64, NotFetched> {
    let cannot = |e: io::Error| {
        NotFetched::Failed(
            not_fetched(pid, &e).remedy("what was there was removed; see the jvm's own words for it"),
        )
    };
    let source = place.open().map_err(cannot)?;
    let size = source.metadata().map_err(cannot)?.len();
    // A dump holds a few words of its own for each object; what is many times larger is no dump.
    if size > expected.saturating_mul(4).saturating_add(1 << 30) {
        let told = format!("it is {size} bytes long, and the heap had about {expected}");
        return Err(cannot(io::Error::other(told)));
    }
    bar.set_message("fetching");
    bar.set_length(size);
    let told = sink.take(source, size).map_err(NotFetched::NotTaken)?;
    let mut copied = 0;
    while copied < size {
        let got = loop {
            if interrupt.came() {
                let cause = format!("interrupted while the heap dump of pid {pid} was fetched");
                let failure = Failure::new(EXIT_INTERRUPTED, "interrupted", cause)
                    .evidence(format!("{copied} of {size} bytes were here"))
                    .remedy("nothing of it is left; run it again");
                return Err(NotFetched::Failed(failure));
            }
            match told.recv_timeout(GLANCE) {
                Ok(got) => break got,
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => break Ok(0),
            }
        };
        let got = match got {
            // The reader of stdout has had enough.
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe && sink.path.is_none() => return Ok(copied),
            got => got.map_err(NotFetched::NotTaken)?,
        };
        if got == 0 {
            return Err(cannot(io::Error::other(format!("it ends after {copied} of {size} bytes"))));
        }
        copied += got;
        bar.set_position(copied);
    }
    Ok(size)
}

/// Where the dump goes. A file that is not kept is removed again.
struct Sink {
    file: File,
    /// None for stdout, and once it is kept.
    path: Option<PathBuf>,
}

impl Sink {
    fn open(path: &Path) -> Result<Sink, Failure> {
        if path == Path::new("-") {
            use std::os::fd::AsFd;
            let file = io::stdout().as_fd().try_clone_to_owned().map(File::from);
            let file = file.map_err(|e| not_writable(path, &e))?;
            return Ok(Sink { file, path: None });
        }
        match File::options().write(true).create_new(true).mode(0o600).open(path) {
            Ok(file) => Ok(Sink { file, path: Some(path.to_owned()) }),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                let cause = format!("{} is there already", path.display());
                Err(Failure::new(EXIT_BLOCKED, "file-exists", cause)
                    .evidence("a file is never overwritten with a heap dump")
                    .remedy("name another file"))
            }
            Err(e) => Err(not_writable(path, &e)),
        }
    }

    /// As much as the dump needs, and twice that where both lie on one device.
    fn has_room(&self, place: &DumpPlace, expected: u64) -> Result<(), Failure> {
        let Some(path) = &self.path else { return Ok(()) };
        let known =
            self.file.metadata().and_then(|file| Ok((file.dev(), place.device()?, room(&self.file)?)));
        let Ok((ours, theirs, room)) = known else { return Ok(()) };
        // The same margin as over there; nothing where nothing is known.
        let dump = if expected == 0 { 0 } else { with_margin(expected) };
        let need = if ours == theirs { dump.saturating_mul(2) } else { dump };
        if room >= need {
            return Ok(());
        }
        Err(Failure::new(
            EXIT_BLOCKED,
            "no-room",
            format!("{} has no room for the heap dump", path.display()),
        )
        .evidence(format!("up to {} are needed, {} are free", size(need), size(room)))
        .remedy("name a file on another disk, or - and a command to pipe it to"))
    }

    /// Copies so many bytes beside us, and tells how many of them each time. Nobody joins that thread: a write to a full
    /// pipe ends when its reader likes, and with the process.
    fn take(&self, source: File, size: u64) -> io::Result<mpsc::Receiver<io::Result<u64>>> {
        let mut file = self.file.try_clone()?;
        let waits_here = self.path.is_none() && output::never_waits();
        let (tell, told) = mpsc::channel();
        thread::Builder::new().spawn(move || {
            let mut left = size;
            while left > 0 {
                let mut piece = (&source).take(PIECE.min(left));
                let got = match waits_here {
                    true => io::copy(&mut piece, &mut output::Waiting),
                    false => io::copy(&mut piece, &mut file),
                };
                let copied = *got.as_ref().unwrap_or(&0);
                if tell.send(got).is_err() || copied == 0 {
                    break;
                }
                left -= copied;
            }
        })?;
        Ok(told)
    }

    fn keep(mut self) {
        self.path = None;
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            let _: io::Result<()> = std::fs::remove_file(path);
        }
    }
}

fn not_writable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(EXIT_BLOCKED, "file-not-writable", format!("{} cannot be made", path.display()))
        .evidence(error.to_string())
        .remedy("name a file in a directory that you can write to")
}

/// On a terminal only.
fn bar(options: &HeapDump, expected: u64) -> ProgressBar {
    let shown = io::stderr().is_terminal() && !options.asked.json;
    let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(expected), target).with_message("dumping");
    match ProgressStyle::with_template("{msg} {bar:30} {bytes} of {total_bytes} {bytes_per_sec}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn size(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
