//! The options a JVM was started with: flags, agents, and what it runs, from its command line and environment.
//!
//! Pure: words in, facts out. Order as HotSpot applies it, later wins: JAVA_TOOL_OPTIONS, the launcher's
//! JDK_JAVA_OPTIONS (9 and newer), the command line with its @argfiles, _JAVA_OPTIONS.

use std::collections::VecDeque;

/// Options of one JVM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VmOptions {
    words: Vec<(String, Source)>,
    program: Option<Program>,
}

/// Where an option came from, so that a message can say who set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// An environment variable, by name.
    Environment(&'static str),
    /// The command line or an @argfile named on it.
    CommandLine,
    /// The JVM's own list in hsperfdata (`java.rt.vmArgs`), where nothing else can be read.
    PerfData,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Environment(name) => f.write_str(name),
            Source::CommandLine => f.write_str("its command line"),
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
    /// From `/proc/PID/cmdline` and `environ` (both NUL-separated). `read_argfile` gives an @argfile's text.
    pub(crate) fn gather(
        cmdline: &[u8],
        environ: &[u8],
        mut read_argfile: impl FnMut(&str) -> Option<String>,
    ) -> VmOptions {
        let mut options = VmOptions::default();
        let variable = |name: &str| {
            environ.split(|&b| b == 0).find_map(|entry| {
                let value = entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
                Some(String::from_utf8_lossy(value).into_owned())
            })
        };
        let from_environment = |options: &mut VmOptions, name| {
            for word in variable(name).map(|v| words(&v)).unwrap_or_default() {
                options.words.push((word, Source::Environment(name)));
            }
        };
        from_environment(&mut options, "JAVA_TOOL_OPTIONS");
        from_environment(&mut options, "JDK_JAVA_OPTIONS");
        options.take_command_line(cmdline, &mut read_argfile);
        from_environment(&mut options, "_JAVA_OPTIONS");
        options
    }

    /// The command line up to the main class; what follows is the program's own.
    fn take_command_line(&mut self, cmdline: &[u8], read_argfile: &mut impl FnMut(&str) -> Option<String>) {
        let mut rest: VecDeque<String> = cmdline
            .split(|&b| b == 0)
            .filter(|word| !word.is_empty())
            .skip(1)
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        let mut argfiles = 0;
        while let Some(word) = rest.pop_front() {
            if let Some(file) = word.strip_prefix('@').filter(|f| !f.starts_with('@')) {
                // An argfile cannot name another one, so the bound is only against a lying command line.
                argfiles += 1;
                if argfiles <= 64
                    && let Some(text) = read_argfile(file)
                {
                    for word in words(&text).into_iter().rev() {
                        rest.push_front(word);
                    }
                }
                continue;
            }
            match word.as_str() {
                "-jar" => {
                    self.program = rest.pop_front().map(Program::Jar);
                    return;
                }
                "-m" | "--module" => {
                    self.program = rest.pop_front().map(Program::Class);
                    return;
                }
                _ if word.starts_with("--module=") => {
                    self.program = Some(Program::Class(word["--module=".len()..].to_owned()));
                    return;
                }
                _ if word.starts_with('-') => {
                    let takes_value = TAKE_A_VALUE.contains(&word.as_str());
                    self.words.push((word, Source::CommandLine));
                    if takes_value && let Some(value) = rest.pop_front() {
                        self.words.push((value, Source::CommandLine));
                    }
                }
                _ => {
                    self.program = Some(Program::Class(word));
                    return;
                }
            }
        }
    }

    /// Adds `java.rt.vmArgs`, which is all there is when a program made its JVM through JNI. Words there are joined
    /// by blanks, so what was read exactly goes first.
    pub(crate) fn add_perfdata(&mut self, vm_args: &str) {
        if self.words.is_empty() {
            self.words.extend(vm_args.split(' ').map(|word| (word.to_owned(), Source::PerfData)));
        }
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

    /// The jars of `-javaagent:JAR[=OPTIONS]`, in order.
    pub fn java_agents(&self) -> impl Iterator<Item = &str> {
        self.words.iter().filter_map(|(word, _)| {
            let agent = word.strip_prefix("-javaagent:")?;
            Some(agent.split_once('=').map_or(agent, |(jar, _)| jar))
        })
    }
}

/// Splits as HotSpot splits its variables and the launcher its argfiles: blanks separate, quotes of either kind group,
/// `#` starts a comment in an argfile only, which no option starts with.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut started, mut quote) = (Vec::new(), String::new(), false, None);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            (q, Some(open)) if q == open => quote = None,
            ('"' | '\'', None) => (quote, started) = (Some(c), true),
            ('#', None) if !started => {
                for skipped in chars.by_ref() {
                    if skipped == '\n' {
                        break;
                    }
                }
            }
            (c, None) if c.is_ascii_whitespace() => {
                if started {
                    words.push(std::mem::take(&mut word));
                    started = false;
                }
            }
            (c, _) => {
                word.push(c);
                started = true;
            }
        }
    }
    if started {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(cmdline: &str, environ: &str) -> VmOptions {
        VmOptions::gather(
            cmdline.replace(' ', "\0").as_bytes(),
            environ.replace('|', "\0").as_bytes(),
            |file| {
                (file == "opts").then(|| "-XX:-EnableDynamicAgentLoading # off\n-cp \"a b\" Main".to_owned())
            },
        )
    }

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
    fn agents_lose_their_options() {
        let options = gather("java -javaagent:/a/otel.jar=x=y -javaagent:b.jar Main", "");
        assert_eq!(options.java_agents().collect::<Vec<_>>(), ["/a/otel.jar", "b.jar"]);
    }
}
