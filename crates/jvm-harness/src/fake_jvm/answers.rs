//! What a VM of each release answers to each command, as far as a client can tell the releases apart.

use std::path::Path;

use jgraft_protocol::properties;

use super::conduct::Conduct;
use super::disguise::version;
use super::script::Fault;

/// HotSpot: a number, a newline, text.
pub(super) fn hotspot(conduct: &Conduct, words: &[String]) -> Vec<u8> {
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let feature = conduct.feature;
    let (number, text) = match (word(0), word(1)) {
        ("getversion", _) if feature >= 24 && conduct.fault() != Fault::NoVersion2 => {
            (0, if feature >= 25 { "2 streaming".to_owned() } else { "2".to_owned() })
        }
        ("load", library) => load(feature, library, word(2), word(3)),
        ("jcmd", "VM.version") => (0, version_text(conduct)),
        ("jcmd", "help") => (0, "The following commands are available:\nVM.version\nhelp\n".to_owned()),
        ("jcmd", line) => {
            (1, format!("java.lang.IllegalArgumentException: Unknown diagnostic command {line}\n"))
        }
        ("properties" | "agentProperties", _) => (0, own_properties(conduct)),
        ("threaddump", _) => (0, "Full thread dump fake HotSpot\n\n\"main\" #1 prio=5\n".to_owned()),
        ("inspectheap", _) => (0, HISTOGRAM.to_owned()),
        // Header 0 is no proof: the text says whether there is a dump.
        ("dumpheap", "") => (0, "No dump file specified\n".to_owned()),
        ("dumpheap", path) => (0, dump(path)),
        ("printflag", flag) => (0, format!("no such flag '{flag}'\n")),
        ("setflag", _) | ("datadump", _) => (0, String::new()),
        (verb, _) => (-1, format!("Operation {verb} not recognized!\n")),
    };
    format!("{number}\n{text}").into_bytes()
}

/// Success and failure of `load` have three generations of words.
fn load(feature: u32, library: &str, absolute: &str, argument: &str) -> (i32, String) {
    let code = |code: i32| match feature {
        8 => (0, format!("{code}\n")),
        _ => (0, format!("return code: {code}")),
    };
    if library == "instrument" {
        let jar = argument.split('=').next().unwrap_or_default();
        return code(if Path::new(jar).is_file() { 0 } else { 100 });
    }
    if absolute != "true" || Path::new(library).is_file() {
        return code(0);
    }
    let words = format!("{library} was not loaded.\n{library}: cannot open shared object file\n");
    match feature {
        8 => (-1, String::new()),
        9..21 => (-1, words),
        _ => (0, words),
    }
}

/// OpenJ9: a word of its own or Properties text, and a NUL.
pub(super) fn openj9(conduct: &Conduct, command: &str) -> Vec<u8> {
    let text = match command.split_once(':') {
        Some(("ATTACH_DIAGNOSTICS", line)) => diagnostics(line),
        _ if command.starts_with("ATTACH_LOADAGENT") => openj9_load(command),
        _ if command == "ATTACH_GETSYSTEMPROPERTIES" || command == "ATTACH_GETAGENTPROPERTIES" => {
            own_properties(conduct)
        }
        _ if command == "ATTACH_START_LOCAL_MANAGEMENT_AGENT" => {
            "ATTACH_RESULT=service:jmx:rmi://127.0.0.1/stub/fake".to_owned()
        }
        _ => format!("ATTACH_ERR command invalid: {command}"),
    };
    [text.as_bytes(), b"\0"].concat()
}

/// The name ends at the first comma, the options at the last parenthesis.
fn openj9_load(command: &str) -> String {
    let inside =
        command.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')).map_or("", |(inside, _)| inside);
    let (name, options) = inside.split_once(',').unwrap_or((inside, ""));
    let jar = options.split('=').next().unwrap_or_default();
    if command.starts_with("ATTACH_LOADAGENTPATH") && !Path::new(name).is_file() {
        return format!("ATTACH_ERR AgentLoadException {name}:{options}");
    }
    if name == "instrument" && !Path::new(jar).is_file() {
        return "ATTACH_ERR AgentInitializationException100".to_owned();
    }
    "ATTACH_ACK".to_owned()
}

fn diagnostics(line: &str) -> String {
    let (name, argument) = line.split_once(',').unwrap_or((line, ""));
    let result = match (name, argument) {
        ("help", _) => "Dump.heap\nDump.java\nGC.class_histogram\nThread.print\nhelp\n".to_owned(),
        ("Thread.print", "" | "-l") => "JRE fake OpenJ9\n\n\"main\" Id=1 RUNNABLE\n".to_owned(),
        ("GC.class_histogram", "" | "all" | "live") => HISTOGRAM.to_owned(),
        ("GC.run", "") => "Command succeeded".to_owned(),
        ("Dump.heap" | "GC.heap_dump", path) if !path.is_empty() => {
            dump(path);
            format!("Dump written to {path}")
        }
        ("Dump.java" | "Dump.snap" | "Dump.system", path) => format!("Dump written to {path}"),
        _ => {
            return properties::write([
                ("openj9_diagnostics.error", "true"),
                ("openj9_diagnostics.errortype", "Error in command"),
                ("openj9_diagnostics.errormsg", &format!("Command {line} not recognized")),
            ]);
        }
    };
    properties::write([("openj9_diagnostics.error", "false"), ("openj9_diagnostics.string_result", &result)])
}

const HISTOGRAM: &str =
    " num     #instances         #bytes  class name\n   1:             1             16  java.lang.Object\n";

fn version_text(conduct: &Conduct) -> String {
    let version = version(conduct.feature);
    format!("fake HotSpot version {version}\nJDK {version}\n")
}

fn own_properties(conduct: &Conduct) -> String {
    let version = version(conduct.feature);
    let name = format!("fake {:?}", conduct.vm);
    let pairs = [
        ("java.version", &*version),
        ("java.vm.name", &name),
        ("java.vm.version", &version),
        ("sun.jvm.args", "-Dgreeting=gr\u{fc}\u{df}e: a\\b"),
    ];
    format!("#Thu Jan 01 00:00:00 UTC 1970\n{}", properties::write(pairs))
}

fn dump(path: &str) -> String {
    match std::fs::File::create_new(path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, b"JAVA PROFILE 1.0.2\0"))
    {
        Ok(()) => "Heap dump file created\n".to_owned(),
        Err(error) => format!("{error}\n"),
    }
}
