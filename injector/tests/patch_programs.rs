//! Real programs that are patched while they answer requests: Tomcat, from Maven Central.

mod common;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail, ensure};
use common::{PATIENCE, bundled_agent_beside_jgraft, jgraft, text};
use jgraft_jvm_harness::{Jvm, artifacts, cache, each_release, javac, maven, skip};

const TOMCAT: [&str; 2] =
    ["org.apache.tomcat.embed:tomcat-embed-core:9.0.98", "org.apache.tomcat:tomcat-annotations-api:9.0.98"];

/// Each keeps its connection, but for the last, which makes one for each request.
const CLIENTS: usize = 5;
/// How many answers each client gets, at least, before something changes again.
const ANSWERS: usize = 20;
/// How often a class is patched and reverted.
const TIMES: usize = 2;

/// What is patched, and how it shows.
struct Patch {
    path: &'static str,
    class: PathBuf,
    status: &'static str,
    /// Part of the answer before, and what stands there instead.
    old: &'static str,
    new: &'static str,
    /// Part of the rest, which stays as it is.
    rest: &'static str,
}

#[test]
fn an_answer_of_tomcat_changes_once_and_changes_back_once_while_requests_run() {
    let jars = match TOMCAT.iter().map(|name| maven::artifact(name)).collect::<Result<Vec<_>, _>>() {
        Ok(jars) => jars,
        Err(reason) => return skip("patch_programs::tomcat", &reason),
    };
    let class_path = jars.iter().map(|jar| text(jar)).collect::<Vec<_>>().join(":");
    let (old, new) = (compiled(&[], &class_path).unwrap(), compiled(&CHANGES, &class_path).unwrap());
    let patches = patches(&new, &jars[0]).unwrap();
    each_release("patch_programs::tomcat", .., |jdk| {
        artifacts::native_agent()?;
        bundled_agent_beside_jgraft()?;
        let base = tempfile::tempdir()?;
        let builder = jars
            .iter()
            .fold(Jvm::builder(jdk).class_path(old.join("app")), |jvm, jar| jvm.class_path(jar).visible(jar));
        let builder = builder.visible(&old).visible(base.path()).main("Shop");
        let jvm = builder.program_args([base.path(), &old.join("web")]).start()?;
        let port: u16 = jvm.wait_ready()?.rsplit(' ').next().context("no port")?.parse()?;
        for patch in &patches {
            changes_once(&jvm, port, patch).with_context(|| patch.path)?;
        }
        Ok(())
    });
}

const CHANGES: [(&str, &str); 2] = [("1299.00", "999.00"), ("7 lamps", "8 lamps")];

/// A servlet of the application's loader, one of a web application's, and what Tomcat itself answers with.
fn patches(new: &Path, tomcat: &Path) -> Result<[Patch; 3]> {
    let [(price, new_price), (stock, new_stock)] = CHANGES;
    let (doctype, new_doctype) = ("<!doctype html>", "<!DOCTYPE HTML>");
    Ok([
        Patch {
            path: "/price",
            class: new.join("app/PriceServlet.class"),
            status: "200",
            old: price,
            new: new_price,
            rest: "a lamp is ",
        },
        Patch {
            path: "/web/stock",
            class: new.join("web/WEB-INF/classes/web/StockServlet.class"),
            status: "200",
            old: stock,
            new: new_stock,
            rest: " are left, says ParallelWebappClassLoader",
        },
        Patch {
            path: "/nothing",
            class: edited(tomcat, "org/apache/catalina/valves/ErrorReportValve.class", doctype, new_doctype)?,
            status: "404",
            old: doctype,
            new: new_doctype,
            rest: "Apache Tomcat",
        },
    ])
}

/// The program and its web application with these changes; where `app`, its classes, and `web` are.
fn compiled(changes: &[(&str, &str)], class_path: &str) -> Result<PathBuf> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/patch/tomcat");
    let folder =
        cache::target_dir().join("patched-tomcat").join(if changes.is_empty() { "old" } else { "new" });
    for (source, classes) in [("Shop.java", "app"), ("web/StockServlet.java", "web/WEB-INF/classes")] {
        let file = folder.join("source").join(source);
        let text = fs::read_to_string(sources.join(source))?;
        let text = changes.iter().fold(text, |text, (old, new)| text.replace(old, new));
        if fs::read_to_string(&file).ok().as_ref() != Some(&text) {
            fs::create_dir_all(file.parent().context("no folder")?)?;
            fs::write(&file, text)?;
        }
        let classes = folder.join(classes);
        javac::compile(&[file], &classes, &["--release", "8", "-nowarn", "-cp", class_path])?;
    }
    Ok(folder)
}

/// A class of a jar with another text of the same length in its constants.
fn edited(jar: &Path, class: &str, old: &str, new: &str) -> Result<PathBuf> {
    let mut bytes = Vec::new();
    zip::ZipArchive::new(File::open(jar)?)?.by_name(class)?.read_to_end(&mut bytes)?;
    let found: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(old.as_bytes())).collect();
    ensure!(old.len() == new.len() && found.len() == 1, "{old} is at {found:?} of {class}");
    bytes[found[0]..found[0] + new.len()].copy_from_slice(new.as_bytes());
    let folder = cache::target_dir().join("patched-tomcat/edited");
    fs::create_dir_all(&folder)?;
    let file = folder.join(Path::new(class).file_name().context("no name")?);
    fs::write(&file, bytes)?;
    Ok(file)
}

/// What a client was answered, in the order of its requests: whenever that changes, the answer and how many commands had
/// ended when it last asked and got this.
type Seen = Vec<(&'static str, usize)>;

/// What the clients are told.
#[derive(Default)]
struct Told {
    /// How many commands have ended.
    commands: AtomicUsize,
    enough: AtomicBool,
}

/// Each client sees the old answer, from some moment on the new one, then the old one again, and never another.
fn changes_once(jvm: &Jvm, port: u16, patch: &Patch) -> Result<()> {
    let (told, (answered, answers)) = (Told::default(), mpsc::channel());
    let (driven, seen) = thread::scope(|scope| {
        let (told, clients) = (&told, (0..CLIENTS).map(|number| (number, answered.clone())));
        let clients: Vec<_> = clients
            .map(|(number, answered)| scope.spawn(move || asks(port, patch, number, told, &answered)))
            .collect();
        let driven = drive(jvm, patch, told, &answers);
        told.enough.store(true, Ordering::Release);
        let ended = |client: thread::ScopedJoinHandle<'_, _>| {
            client.join().unwrap_or_else(|_| Err(anyhow!("it has panicked")))
        };
        (driven, clients.into_iter().map(ended).collect::<Vec<Result<Seen>>>())
    });
    let expected: Vec<_> = [patch.old, patch.new].into_iter().cycle().take(2 * TIMES + 1).collect();
    for (number, seen) in seen.into_iter().enumerate() {
        let seen = seen.with_context(|| format!("client {number}"))?;
        // One that has been told nothing wrong is only short of answers where it was not driven to the end.
        if driven.is_ok() {
            let answers: Vec<_> = seen.iter().map(|(answer, _)| *answer).collect();
            ensure!(answers == expected, "client {number} has seen {answers:?}");
        }
        // When the command has ended, it is in force.
        for (which, (answer, ended)) in seen.iter().enumerate() {
            ensure!(*ended <= which, "client {number} was answered {answer} after {ended} commands");
        }
    }
    driven
}

/// Patches and reverts, and waits in between until each client has had some answers.
fn drive(jvm: &Jvm, patch: &Patch, told: &Told, answers: &mpsc::Receiver<usize>) -> Result<()> {
    let some_more = || -> Result<()> {
        answers.try_iter().for_each(drop);
        let (mut counts, start) = ([0; CLIENTS], Instant::now());
        while counts.iter().any(|count| *count < ANSWERS) {
            let left = PATIENCE.saturating_sub(start.elapsed());
            let who = answers.recv_timeout(left).with_context(|| format!("too few answers: {counts:?}"))?;
            counts[who] += 1;
        }
        Ok(())
    };
    let pid = jvm.pid().to_string();
    let commands = [vec!["patch", &pid, "apply", text(&patch.class)], vec!["patch", &pid, "revert"]];
    some_more()?;
    for command in commands.iter().cycle().take(2 * TIMES) {
        jgraft(command.iter().copied())?.expect(0)?;
        told.commands.fetch_add(1, Ordering::SeqCst);
        some_more()?;
    }
    Ok(())
}

/// Requests without a pause, until it is enough.
fn asks(
    port: u16,
    patch: &Patch,
    number: usize,
    told: &Told,
    answered: &mpsc::Sender<usize>,
) -> Result<Seen> {
    let connect = || -> Result<BufReader<TcpStream>> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(BufReader::new(stream))
    };
    let mut connection = connect()?;
    let (mut seen, mut first_rest) = (Seen::new(), None);
    while !told.enough.load(Ordering::Acquire) {
        if number == CLIENTS - 1 {
            connection = connect()?;
        }
        let ended = told.commands.load(Ordering::SeqCst);
        let (known, rest) = answer(&mut connection, patch)?;
        let first_rest = first_rest.get_or_insert_with(|| rest.clone());
        ensure!(*first_rest == rest, "{rest} and not {first_rest}");
        match seen.last_mut() {
            Some(last) if last.0 == known => last.1 = ended,
            _ => seen.push((known, ended)),
        }
        // Whoever counts them may have enough.
        let _: Result<(), mpsc::SendError<usize>> = answered.send(number);
    }
    Ok(seen)
}

/// The part of an answer that changes, and the rest.
fn answer(connection: &mut BufReader<TcpStream>, patch: &Patch) -> Result<(&'static str, String)> {
    let request = format!("GET {} HTTP/1.1\r\nHost: shop\r\n\r\n", patch.path);
    connection.get_mut().write_all(request.as_bytes())?;
    let (status, mut length) = (line(connection)?, None);
    loop {
        let header = line(connection)?.to_ascii_lowercase();
        match header.split_once(": ") {
            Some(("content-length", value)) => length = Some(value.parse()?),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length.with_context(|| format!("{status} without a length"))?];
    connection.read_exact(&mut body)?;
    let body = String::from_utf8(body)?;
    let fine = status.contains(patch.status) && body.contains(patch.rest);
    match [patch.old, patch.new].map(|known| body.matches(known).count()) {
        [1, 0] if fine => Ok((patch.old, body.replace(patch.old, ""))),
        [0, 1] if fine => Ok((patch.new, body.replace(patch.new, ""))),
        _ => bail!("{status}\n{body}"),
    }
}

fn line(connection: &mut BufReader<TcpStream>) -> Result<String> {
    let mut line = String::new();
    ensure!(connection.read_line(&mut line)? > 0, "the connection was closed");
    Ok(line.trim_end().to_owned())
}
