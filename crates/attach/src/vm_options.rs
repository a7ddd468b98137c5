//! The options a JVM was started with: flags, agents, and what it runs, from its command line and environment.
//!
//! Pure: words in, facts out. Order as HotSpot applies it, later wins: the `-XX:Flags=` file, JAVA_TOOL_OPTIONS, the
//! launcher's JDK_JAVA_OPTIONS (9 and newer), the command line, _JAVA_OPTIONS. The launcher expands @argfiles in the
//! third and fourth, HotSpot `-XX:VMOptionsFile=` in all but the first. (`.hotspotrc` is read by debug builds only.)

use std::collections::VecDeque;
use std::io;

mod words;

use words::{Syntax, words};

/// A launcher takes more, but no honest command line names as many files.
const FILES_LIMIT: usize = 64;

/// Options of one JVM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VmOptions {
    words: Vec<(String, Source)>,
    program: Option<Program>,
    unread: Option<String>,
}

/// What a process was started with, as the kernel and its counters tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given<'a> {
    /// `/proc/PID/cmdline`, NUL-separated.
    pub(crate) cmdline: &'a [u8],
    /// `/proc/PID/environ`, NUL-separated.
    pub(crate) environ: &'a [u8],
    /// Whose command line it is.
    pub(crate) started_by: StartedBy,
    /// `java.rt.vmArgs`: every option that the VM was given, joined by blanks.
    pub(crate) vm_args: Option<&'a str>,
}

/// Whose rules a command line follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StartedBy {
    /// `java`.
    Launcher,
    /// A program that makes its JVM through JNI; its words only look like the launcher's, if they do.
    Another,
}

/// Where an option came from, so that a message can say who set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// An environment variable, by name.
    Environment(&'static str),
    /// The command line or a file of options named on it.
    CommandLine,
    /// The file of `-XX:Flags=`.
    FlagsFile,
    /// The JVM's own list in hsperfdata (`java.rt.vmArgs`, `java.rt.vmFlags`), where nothing else can be read.
    PerfData,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Environment(name) => f.write_str(name),
            Source::CommandLine => f.write_str("its command line"),
            Source::FlagsFile => f.write_str("its -XX:Flags file"),
            Source::PerfData => f.write_str("its own list of options"),
        }
    }
}

/// What the launcher was told to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// A main class, or `module/class`.
    Class(String),
    /// `-jar`.
    Jar(String),
}

impl Program {
    /// The class or the jar's path as it was given.
    pub fn name(&self) -> &str {
        match self {
            Program::Class(name) | Program::Jar(name) => name,
        }
    }
}

/// Launcher options whose value is the next word.
const TAKE_A_VALUE: [&str; 13] = [
    "-cp",
    "-classpath",
    "--class-path",
    "-p",
    "--module-path",
    "--upgrade-module-path",
    "--add-modules",
    "--add-exports",
    "--add-opens",
    "--add-reads",
    "--patch-module",
    "--limit-modules",
    "--source",
];

impl VmOptions {
    /// `read` gives the text of a file that the options name.
    pub(crate) fn gather(given: Given<'_>, read: &mut dyn FnMut(&str) -> io::Result<String>) -> VmOptions {
        let mut gathering = Gathering { options: VmOptions::default(), read, files: 0 };
        let variable = |name: &str| {
            let value = given.environ.split(|&b| b == 0).find_map(|entry| {
                let value = entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
                Some(String::from_utf8_lossy(value).into_owned())
            });
            words(&value.unwrap_or_default(), Syntax::Variable)
        };
        gathering.add(variable("JAVA_TOOL_OPTIONS"), Source::Environment("JAVA_TOOL_OPTIONS"));
        match (given.started_by, given.vm_args) {
            (StartedBy::Another, Some(vm_args)) => {
                gathering.add(vm_args.split(' ').map(str::to_owned), Source::PerfData);
            }
            (started_by, vm_args) => {
                let source = Source::Environment("JDK_JAVA_OPTIONS");
                for word in variable("JDK_JAVA_OPTIONS") {
                    let expanded = gathering.expanded(word, started_by);
                    gathering.add(expanded, source);
                }
                gathering.take_command_line(given.cmdline, started_by);
                // Words there are joined by blanks, so what was read exactly goes first.
                if gathering.options.words.is_empty()
                    && let Some(vm_args) = vm_args
                {
                    gathering.add(vm_args.split(' ').map(str::to_owned), Source::PerfData);
                }
            }
        }
        gathering.add(variable("_JAVA_OPTIONS"), Source::Environment("_JAVA_OPTIONS"));
        gathering.put_flags_file_first();
        gathering.options
    }

    /// What the counters `java.rt.vmFlags`, where each lacks its `-XX:`, and `java.rt.vmArgs` list.
    pub(crate) fn listed(flags: &str, vm_args: &str) -> VmOptions {
        let flags = flags.split(' ').map(|flag| format!("-XX:{flag}"));
        let words = flags.chain(vm_args.split(' ').map(str::to_owned)).map(|word| (word, Source::PerfData));
        VmOptions { words: words.collect(), ..VmOptions::default() }
    }

    /// A file of options that could not be read, and why: then an option may be set that is not known here.
    pub fn unread(&self) -> Option<&str> {
        self.unread.as_deref()
    }

    /// The main class or jar, where a `java` launcher was given one.
    pub fn program(&self) -> Option<&Program> {
        self.program.as_ref()
    }

    /// A boolean `-XX:` flag that was given explicitly, and where.
    pub fn flag(&self, name: &str) -> Option<(bool, Source)> {
        self.words.iter().rev().find_map(|(word, source)| {
            let given = word.strip_prefix("-XX:")?;
            let value = match given.split_at_checked(1)? {
                ("+", rest) if rest == name => true,
                ("-", rest) if rest == name => false,
                _ => return None,
            };
            Some((value, *source))
        })
    }

    /// An option given as one exact word, such as `-Xrs`.
    pub fn has(&self, option: &str) -> Option<Source> {
        self.words.iter().rev().find(|(word, _)| word == option).map(|(_, source)| *source)
    }

    /// The value of `-DNAME=VALUE`, and where it was given.
    pub fn system_property(&self, name: &str) -> Option<(&str, Source)> {
        self.words.iter().rev().find_map(|(word, source)| {
            let value = word.strip_prefix("-D")?.strip_prefix(name)?.strip_prefix('=')?;
            Some((value, *source))
        })
    }

    /// The jars of `-javaagent:JAR[=OPTIONS]`, in order.
    pub fn java_agents(&self) -> impl Iterator<Item = &str> {
        self.words.iter().filter_map(|(word, _)| {
            let agent = word.strip_prefix("-javaagent:")?;
            Some(agent.split_once('=').map_or(agent, |(jar, _)| jar))
        })
    }
}

/// Options in the making.
struct Gathering<'r> {
    options: VmOptions,
    read: &'r mut dyn FnMut(&str) -> io::Result<String>,
    files: usize,
}

impl Gathering<'_> {
    /// Adds options of the VM's; in place of `-XX:VMOptionsFile=` those that are in the file.
    fn add(&mut self, words: impl IntoIterator<Item = String>, source: Source) {
        for word in words {
            match word.strip_prefix("-XX:VMOptionsFile=") {
                // Such a file cannot name another one.
                Some(file) => {
                    let inner = self.words_of(file, Syntax::Variable);
                    self.options.words.extend(inner.into_iter().map(|word| (word, source)));
                }
                None => self.options.words.push((word, source)),
            }
        }
    }

    /// The words of an @argfile in place of its name. An argfile cannot name another one.
    fn expanded(&mut self, word: String, started_by: StartedBy) -> Vec<String> {
        match word.strip_prefix('@') {
            Some(file) if started_by == StartedBy::Launcher && !file.starts_with('@') => {
                self.words_of(file, Syntax::ArgFile)
            }
            _ => vec![word],
        }
    }

    fn words_of(&mut self, file: &str, syntax: Syntax) -> Vec<String> {
        self.files += 1;
        let text = match self.files <= FILES_LIMIT {
            true => (self.read)(file),
            false => Err(io::Error::other("too many files of options")),
        };
        match text {
            Ok(text) => words(&text, syntax),
            Err(error) => {
                self.options.unread.get_or_insert_with(|| format!("{file}: {error}"));
                Vec::new()
            }
        }
    }

    /// The command line up to the main class; what follows is the program's own.
    fn take_command_line(&mut self, cmdline: &[u8], started_by: StartedBy) {
        let mut given: VecDeque<String> = cmdline
            .split(|&b| b == 0)
            .filter(|word| !word.is_empty())
            .skip(1)
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        // Of an argfile; to be taken before what was given.
        let mut expanded = VecDeque::new();
        let mut argfiles = true;
        loop {
            let word = match (expanded.pop_front(), argfiles) {
                (Some(word), _) => word,
                (None, true) => {
                    let Some(word) = given.pop_front() else { return };
                    expanded = self.expanded(word, started_by).into();
                    continue;
                }
                (None, false) => {
                    let Some(word) = given.pop_front() else { return };
                    word
                }
            };
            let mut next = || expanded.pop_front().or_else(|| given.pop_front());
            match word.as_str() {
                "-jar" => {
                    self.options.program = next().map(Program::Jar);
                    return;
                }
                "-m" | "--module" => {
                    self.options.program = next().map(Program::Class);
                    return;
                }
                "--disable-@files" => argfiles = false,
                _ if word.starts_with("--module=") => {
                    self.options.program = Some(Program::Class(word["--module=".len()..].to_owned()));
                    return;
                }
                _ if word.starts_with('-') => {
                    let value = TAKE_A_VALUE.contains(&word.as_str()).then(next).flatten();
                    // The JDK's other tools (`javac -J-Xmx1g`) hand on what follows -J.
                    let word = word.strip_prefix("-J").filter(|rest| rest.starts_with('-')).unwrap_or(&word);
                    self.add([word.to_owned()].into_iter().chain(value), Source::CommandLine);
                }
                _ => {
                    self.options.program = Some(Program::Class(word));
                    return;
                }
            }
        }
    }

    /// The last `-XX:Flags=` wins, and whatever else is given wins over its file, whose words lack the `-XX:`.
    fn put_flags_file_first(&mut self) {
        let named = self.options.words.iter().rev().find_map(|(word, _)| word.strip_prefix("-XX:Flags="));
        let Some(file) = named.map(str::to_owned) else { return };
        let inner = self.words_of(&file, Syntax::Flags);
        let first = inner.into_iter().map(|word| (format!("-XX:{word}"), Source::FlagsFile));
        self.options.words.splice(0..0, first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given_by(started_by: StartedBy, cmdline: &str, environ: &str, vm_args: Option<&str>) -> VmOptions {
        let cmdline = cmdline.replace(' ', "\0");
        let environ = environ.replace('|', "\0");
        let (cmdline, environ) = (cmdline.as_bytes(), environ.as_bytes());
        VmOptions::gather(Given { cmdline, environ, started_by, vm_args }, &mut |file| match file {
            "opts" => Ok("-XX:-EnableDynamicAgentLoading # off\n-cp \"a b\" Main".to_owned()),
            "off" => Ok("-XX:+DisableAttachMechanism".to_owned()),
            "flags" => Ok("# ours\n+DisableAttachMechanism".to_owned()),
            "nested" => Ok("@off -XX:VMOptionsFile=off".to_owned()),
            _ => Err(io::ErrorKind::PermissionDenied.into()),
        })
    }

    fn gather(cmdline: &str, environ: &str) -> VmOptions {
        given_by(StartedBy::Launcher, cmdline, environ, None)
    }

    const OFF: &str = "DisableAttachMechanism";

    #[test]
    fn later_wins_and_says_where() {
        let options = gather(
            "java -XX:+DisableAttachMechanism Main",
            "JAVA_TOOL_OPTIONS=-XX:-DisableAttachMechanism|_JAVA_OPTIONS=-XX:-EnableDynamicAgentLoading",
        );
        assert_eq!(options.flag("DisableAttachMechanism"), Some((true, Source::CommandLine)));
        let from = Source::Environment("_JAVA_OPTIONS");
        assert_eq!(options.flag("EnableDynamicAgentLoading"), Some((false, from)));
        assert_eq!(options.flag("UsePerfData"), None);
    }

    #[test]
    fn what_follows_the_main_class_is_not_an_option() {
        let options = gather("java -cp x.jar shop.Main -XX:+DisableAttachMechanism -Xrs", "");
        assert_eq!(options.program(), Some(&Program::Class("shop.Main".into())));
        assert_eq!(options.flag("DisableAttachMechanism"), None);
        assert_eq!(options.has("-Xrs"), None);
    }

    #[test]
    fn finds_the_program_in_all_its_forms() {
        let program = |cmdline| gather(cmdline, "").program().map(|p| p.name().to_owned());
        assert_eq!(program("java -Xrs -jar /srv/app.jar -jar x").as_deref(), Some("/srv/app.jar"));
        assert_eq!(program("java -p mods --module m/c.Main").as_deref(), Some("m/c.Main"));
        assert_eq!(program("java --module=m/c.Main").as_deref(), Some("m/c.Main"));
        assert_eq!(program("java -version"), None);
    }

    #[test]
    fn argfiles_count_as_the_command_line() {
        let options = gather("java -XX:+EnableDynamicAgentLoading @opts @@x", "");
        assert_eq!(options.flag("EnableDynamicAgentLoading"), Some((false, Source::CommandLine)));
        assert_eq!(options.program(), Some(&Program::Class("Main".into())));
    }

    #[test]
    fn what_the_counters_list() {
        let flag = |flags, args| VmOptions::listed(flags, args).flag("EnableDynamicAgentLoading");
        assert_eq!(flag("", "-Xmx32m"), None);
        assert_eq!(flag("-EnableDynamicAgentLoading X=6", "-Xmx32m"), Some((false, Source::PerfData)));
        let later = "-XX:Flags=flags -XX:+EnableDynamicAgentLoading";
        assert_eq!(flag("-EnableDynamicAgentLoading", later), Some((true, Source::PerfData)));
    }

    #[test]
    fn agents_lose_their_options() {
        let options = gather("java -javaagent:/a/otel.jar=x=y -javaagent:b.jar Main", "");
        assert_eq!(options.java_agents().collect::<Vec<_>>(), ["/a/otel.jar", "b.jar"]);
    }

    #[test]
    fn files_of_options_are_looked_into_wherever_they_are_named() {
        let tool = Source::Environment("JAVA_TOOL_OPTIONS");
        let launcher = Source::Environment("JDK_JAVA_OPTIONS");
        for (cmdline, environ, source) in [
            ("java @off Main", "", Source::CommandLine),
            ("java -XX:VMOptionsFile=off Main", "", Source::CommandLine),
            ("java Main", "JAVA_TOOL_OPTIONS=-XX:VMOptionsFile=off", tool),
            ("java Main", "JDK_JAVA_OPTIONS=-Xrs @off", launcher),
            ("java --disable-@files Main", "JDK_JAVA_OPTIONS=@off", launcher),
            ("java -XX:Flags=flags Main", "", Source::FlagsFile),
            ("java Main", "JAVA_TOOL_OPTIONS=-XX:Flags=flags", Source::FlagsFile),
        ] {
            let options = gather(cmdline, environ);
            assert_eq!(options.flag(OFF), Some((true, source)), "{cmdline} {environ}");
            assert_eq!(options.unread(), None);
        }
        let options = gather("java -XX:-DisableAttachMechanism -XX:Flags=flags Main", "");
        assert_eq!(options.flag(OFF), Some((false, Source::CommandLine)));
        for (cmdline, environ) in [
            ("java --disable-@files @off Main", ""),
            ("java Main", "JAVA_TOOL_OPTIONS=@off"),
            ("java -XX:VMOptionsFile=nested Main", ""),
            ("java -XX:Flags=flags -XX:Flags=opts Main", ""),
        ] {
            assert_eq!(gather(cmdline, environ).flag(OFF), None, "{cmdline} {environ}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_remembered() {
        for cmdline in ["java @gone Main", "java -XX:VMOptionsFile=gone Main", "java -XX:Flags=gone Main"] {
            let options = gather(cmdline, "");
            assert_eq!(options.unread(), Some("gone: permission denied"), "{cmdline}");
        }
        assert_eq!(gather("java -cp x Main @gone", "").unread(), None);
        let many = "@off ".repeat(FILES_LIMIT + 1);
        assert_eq!(gather(&format!("java {many}"), "").unread(), Some("off: too many files of options"));
    }

    #[test]
    fn a_jni_launchers_words_are_its_own_where_the_vm_says_better() {
        let cmdline = "jsvc -user app -XX:+DisableAttachMechanism @gone";
        let options =
            given_by(StartedBy::Another, cmdline, "JAVA_TOOL_OPTIONS=-Xrs", Some("-Xmx64m -Xfuture"));
        assert_eq!((options.flag(OFF), options.unread(), options.program()), (None, None, None));
        assert_eq!(options.has("-Xmx64m"), Some(Source::PerfData));
        assert_eq!(options.has("-Xrs"), Some(Source::Environment("JAVA_TOOL_OPTIONS")));
        let options = given_by(StartedBy::Another, "javac -J-XX:+DisableAttachMechanism @gone", "", None);
        assert_eq!((options.flag(OFF), options.unread()), (Some((true, Source::CommandLine)), None));
    }
}
