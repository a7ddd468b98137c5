//! apt's lists of sources, in both of their formats: read to derive the source of sid from the one of this
//! machine's own release. It runs nothing.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

/// Debian's own keys, where a source names none.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The texts of the machine's apt sources: (is deb822, text).
pub(super) fn of_this_machine() -> Vec<(bool, String)> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    let parts = fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten();
    files.extend(parts.map(|entry| entry.path()));
    files.sort();
    let texts = files.into_iter().filter_map(|file| match file.extension()?.to_str()? {
        "sources" => Some((true, fs::read_to_string(file).ok()?)),
        "list" => Some((false, fs::read_to_string(file).ok()?)),
        _ => None,
    });
    texts.collect()
}

/// sid from where this machine gets its own release, checked with the same keys.
pub(super) fn sid_source(sources: &[(bool, String)], codename: &str) -> Result<String> {
    let entries = sources.iter().flat_map(|(deb822, text)| if *deb822 { stanzas(text) } else { lines(text) });
    let own = entries.into_iter().find(|entry| {
        let has = |list: &str, word: &str| list.split_whitespace().any(|it| it == word);
        has(&entry.suites, codename) && has(&entry.components, "main")
    });
    let Some(own) = own else {
        bail!("no apt source of this machine names {codename} main, to derive that of sid from");
    };
    let uri = own.uris.split_whitespace().next().context("an apt source without a URI")?;
    let keyring = match own.signed_by.as_str() {
        "" => KEYRING.to_owned(),
        keyring => keyring.to_owned(),
    };
    Ok(format!("Types: deb\nURIs: {uri}\nSuites: sid\nComponents: main\nSigned-By: {keyring}\n"))
}

#[derive(Debug, Default)]
struct Entry {
    uris: String,
    suites: String,
    components: String,
    signed_by: String,
}

/// The entries of a deb822 file. A field's further lines begin with a blank.
fn stanzas(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    for stanza in text.split("\n\n") {
        let mut entry = Entry::default();
        let mut enabled = true;
        let mut field = String::new();
        for line in stanza.lines().filter(|line| !line.starts_with('#')) {
            let value = if line.starts_with([' ', '\t']) {
                line.trim()
            } else {
                let Some((name, value)) = line.split_once(':') else { continue };
                field = name.to_ascii_lowercase();
                value.trim()
            };
            let list = match field.as_str() {
                "uris" => &mut entry.uris,
                "suites" => &mut entry.suites,
                "components" => &mut entry.components,
                "signed-by" => &mut entry.signed_by,
                "enabled" => {
                    enabled = value != "no";
                    continue;
                }
                _ => continue,
            };
            list.push_str(if list.is_empty() { "" } else { " " });
            list.push_str(value);
        }
        // A key in the file itself is not a path; the system's keyring does for Debian's own archive.
        if entry.signed_by.contains("BEGIN") {
            entry.signed_by.clear();
        }
        if enabled && !entry.uris.is_empty() {
            entries.push(entry);
        }
    }
    entries
}

/// The entries of a one-line file: `deb [signed-by=FILE …] URI SUITE COMPONENT…`.
fn lines(text: &str) -> Vec<Entry> {
    let entry = |line: &str| {
        let rest = line.trim().strip_prefix("deb ")?.trim_start();
        let (options, rest) = match rest.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => ("", rest),
        };
        let mut words = rest.split_whitespace();
        let signed_by = options.split_whitespace().find_map(|option| option.strip_prefix("signed-by="));
        Some(Entry {
            uris: words.next()?.to_owned(),
            suites: words.next()?.to_owned(),
            components: words.collect::<Vec<_>>().join(" "),
            signed_by: signed_by.unwrap_or_default().to_owned(),
        })
    };
    text.lines().filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(deb822: bool, text: &str) -> Result<String> {
        sid_source(&[(deb822, text.to_owned())], "bookworm")
    }

    #[test]
    fn derived_from_a_deb822_source() {
        let text = "Types: deb\n# a mirror\nURIs: http://mirror/security\nSuites: bookworm-security\nComponents: main\n\n\
                    Types: deb\nURIs: http://mirror/debian\nSuites: bookworm bookworm-updates\nComponents:\n contrib\n main\n\
                    Signed-By: /keys/debian.gpg\n";
        let expected = "Types: deb\nURIs: http://mirror/debian\nSuites: sid\nComponents: main\nSigned-By: /keys/debian.gpg\n";
        assert_eq!(source(true, text).unwrap(), expected);
    }

    #[test]
    fn derived_from_a_one_line_source() {
        let text = "# deb http://old bookworm main\ndeb-src http://src bookworm main\n\
                    deb [arch=amd64 signed-by=/keys/d.gpg] http://mirror/debian bookworm contrib main\n";
        let expected =
            "Types: deb\nURIs: http://mirror/debian\nSuites: sid\nComponents: main\nSigned-By: /keys/d.gpg\n";
        assert_eq!(source(false, text).unwrap(), expected);
        let plain = source(false, "deb http://mirror/debian bookworm main\n").unwrap();
        assert!(plain.ends_with(&format!("Signed-By: {KEYRING}\n")), "{plain}");
    }

    #[test]
    fn disabled_and_foreign_sources_are_no_source() {
        let text = "Enabled: no\nTypes: deb\nURIs: http://mirror\nSuites: bookworm\nComponents: main\n";
        assert!(source(true, text).is_err());
        assert!(source(false, "deb http://vendor nodistro main\n").is_err());
    }

    #[test]
    fn a_key_inside_the_source_is_not_a_path() {
        let text =
            "URIs: http://mirror\nSuites: bookworm\nComponents: main\nSigned-By:\n -----BEGIN PGP-----\n x\n";
        assert!(source(true, text).unwrap().ends_with(&format!("Signed-By: {KEYRING}\n")));
    }
}
