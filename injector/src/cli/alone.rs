//! One command without the rules of all the others: what was typed is the same struct, sooner.

use std::ffi::OsString;

use clap::Args;

use super::*;

/// A command by its first word, with clap's rules for that one alone: to build the rules of all of them costs more than to
/// ask a JVM whose listener is up. `None` where the first word names none; then [`Cli`] has the words for it.
pub(crate) fn parse(words: &[OsString]) -> Option<Result<Command, clap::Error>> {
    if let Some(jcmd) = plain_jcmd(words) {
        return Some(Ok(Command::Jcmd(jcmd)));
    }
    macro_rules! alone {
        ($($name:literal => $command:ident,)*) => {
            match words.get(1)?.to_str()? {
                $($name => by_itself::<$command>($name, &words[1..]).map(Command::$command),)*
                _ => return None,
            }
        };
    }
    Some(alone! {
        "list" => List,
        "doctor" => Doctor,
        "check" => Check,
        "load" => Load,
        "jcmd" => Jcmd,
        "threads" => Threads,
        "heap-dump" => HeapDump,
        "histogram" => Histogram,
        "properties" => Properties,
        "agent-properties" => AgentProperties,
        "flag" => Flag,
        "data-dump" => DataDump,
        "start-management" => StartManagement,
        "stat" => Stat,
        "trace" => Trace,
        "patch" => Patch,
        "status" => Status,
        "reset" => Reset,
    })
}

/// `jcmd TARGET CMD…`, without an option in front, leaves nothing to clap, whose rules take a tenth of the time of the whole
/// command.
fn plain_jcmd(words: &[OsString]) -> Option<Jcmd> {
    let [_, name, words @ ..] = words else { return None };
    let words = words.iter().map(|word| word.to_str().map(str::to_owned)).collect::<Option<Vec<_>>>()?;
    match &words[..] {
        [target, command, ..]
            if name == "jcmd" && [target, command].iter().all(|word| !word.starts_with('-')) =>
        {
            let patience = Patience { timeout: TIMEOUT, reply_timeout: None };
            Some(Jcmd { target: target.clone(), words: words[1..].to_vec(), patience, json: false })
        }
        _ => None,
    }
}

fn by_itself<T: Args>(name: &'static str, words: &[OsString]) -> Result<T, clap::Error> {
    let mut command = clap::Command::new(name).bin_name(format!("jgraft {name}")).max_term_width(WIDTH);
    command = T::augment_args(command);
    let matches = command.try_get_matches_from_mut(words)?;
    T::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn a_command_by_itself_has_the_same_words() {
        let said = |parsed: Result<Command, clap::Error>| match parsed {
            Ok(command) => format!("parsed, json {}", command.json()),
            Err(error) => error.to_string(),
        };
        let mut names = 0;
        for command in Cli::command().get_subcommands().filter(|command| command.get_name() != "jattach") {
            for more in ["--help", "-h", "--no-such-option", "", "x", "x y", "--json x y", "--timeout 0 x y"]
            {
                let words: Vec<OsString> = ["jgraft", command.get_name()]
                    .into_iter()
                    .chain(more.split_whitespace())
                    .map(OsString::from)
                    .collect();
                let alone = parse(&words).unwrap_or_else(|| panic!("{words:?} is not known"));
                let together = Cli::try_parse_from(&words).map(|cli| cli.command);
                assert_eq!(said(alone), said(together), "{words:?}");
            }
            names += 1;
        }
        assert!(names >= 14, "only {names} commands");
        assert!(parse(&["jgraft".into(), "--version".into()]).is_none());
    }

    #[test]
    fn a_plain_jcmd_means_what_clap_makes_of_it() {
        let mut plain = 0;
        for line in [
            "7 VM.version",
            "Shop Thread.print -l --json",
            "7 GC.heap_dump -- -x",
            "7",
            "",
            "--json 7 VM.version",
            "--timeout 5s 7 VM.version",
            "7 --json VM.version",
            "7 -- VM.version",
            "-- 7 VM.version",
            "- 7 VM.version",
            "7 -l",
            "--help",
            "7 help",
            "help VM.version",
        ] {
            let words: Vec<OsString> =
                ["jgraft", "jcmd"].into_iter().chain(line.split(' ')).map(OsString::from).collect();
            let Some(alone) = plain_jcmd(&words) else { continue };
            let Ok(together) = by_itself::<Jcmd>("jcmd", &words[1..]) else {
                panic!("clap refuses {line:?}")
            };
            let parts = |jcmd: Jcmd| {
                let Patience { timeout, reply_timeout } = jcmd.patience;
                (jcmd.target, jcmd.words, timeout, reply_timeout, jcmd.json)
            };
            assert_eq!(parts(alone), parts(together), "{line:?}");
            plain += 1;
        }
        assert_eq!(plain, 5);
        assert!(plain_jcmd(&["jgraft".into(), "load".into(), "7".into(), "x.jar".into()]).is_none());
        use std::os::unix::ffi::OsStringExt;
        assert!(
            plain_jcmd(&["jgraft".into(), "jcmd".into(), "7".into(), OsString::from_vec(vec![0xff])])
                .is_none()
        );
    }
}
