//! Jars that no one here wrote, for tests on real input: from Maven Central by the machine's own `mvn`, once
//! into the cache. A machine without mvn or network skips such tests.

use std::fs;
use std::path::PathBuf;

use crate::cache;
use crate::jdks::quiet;

/// Pinned, so that the same artifact is fetched by the same code everywhere.
const COPY_GOAL: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy";

/// The jar of `group:name:version` or `group:name:version:classifier`, fetched if the cache has none; with `@zip` behind it,
/// the archive of that type.
///
/// # Errors
/// Why it can't be had, in one line: the reason for a skip.
pub fn artifact(coordinates: &str) -> Result<PathBuf, String> {
    let (group, file_name, mvn_artifact) = parse(coordinates)?;
    let cache = cache::dir().map_err(|error| error.to_string())?.join("maven");
    let folder = cache.join(group);
    let jar = folder.join(file_name);
    if jar.is_file() {
        return Ok(jar);
    }
    let io = |error: std::io::Error| format!("{coordinates}: {}: {error}", folder.display());
    fs::create_dir_all(&folder).map_err(io)?;
    // One lock for all: mvn's own repository does not like two at once.
    let _lock = cache::lock(&cache.join(".lock")).map_err(|error| format!("{error:#}"))?;
    if jar.is_file() {
        return Ok(jar);
    }
    let work = tempfile::Builder::new().prefix(".fetching-").tempdir_in(&folder).map_err(io)?;
    let output = quiet("mvn")
        .args(["-q", "-B", COPY_GOAL])
        .arg(format!("-Dartifact={mvn_artifact}"))
        .arg(format!("-DoutputDirectory={}", work.path().display()))
        .current_dir(work.path())
        .output()
        .map_err(|error| format!("{coordinates}: can't run mvn ({error}); install maven"))?;
    let fetched = fs::read_dir(work.path()).map_err(io)?.flatten().map(|entry| entry.path());
    match fetched.into_iter().find(|path| path.extension() == jar.extension()) {
        Some(path) if output.status.success() => fs::rename(path, &jar).map_err(io)?,
        _ => {
            let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            return Err(format!("{coordinates}: mvn: {}", first_error(&said)));
        }
    }
    Ok(jar)
}

/// The group, the file name as the repository has it (agents look at their own), and the plugin's way to
/// write the coordinates.
fn parse(coordinates: &str) -> Result<(String, String, String), String> {
    let (named, extension) = coordinates.split_once('@').unwrap_or((coordinates, "jar"));
    let parts: Vec<&str> = named.split(':').chain([extension]).collect();
    let plain = |part: &&str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        !part.is_empty() && !part.starts_with('.') && part.chars().all(allowed)
    };
    match parts.as_slice() {
        [group, name, version, extension] if parts.iter().all(plain) => {
            let artifact = format!("{group}:{name}:{version}:{extension}");
            Ok(((*group).to_owned(), format!("{name}-{version}.{extension}"), artifact))
        }
        [group, name, version, classifier, extension] if parts.iter().all(plain) => Ok((
            (*group).to_owned(),
            format!("{name}-{version}-{classifier}.{extension}"),
            format!("{group}:{name}:{version}:{extension}:{classifier}"),
        )),
        _ => Err(format!("{coordinates:?} is not group:name:version[:classifier][@type]")),
    }
}

/// The line of mvn's output that says what went wrong.
fn first_error(said: &str) -> String {
    let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let error = lines.clone().find_map(|line| line.strip_prefix("[ERROR] "));
    error.or_else(|| lines.next_back()).unwrap_or("it printed nothing").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_become_a_file_name_and_an_artifact() {
        let expected = ["org.jacoco", "agent-0.8-runtime.jar", "org.jacoco:agent:0.8:jar:runtime"];
        assert_eq!(parse("org.jacoco:agent:0.8:runtime"), Ok(expected.map(str::to_owned).into()));
        assert_eq!(parse("a:b:1"), Ok(["a", "b-1.jar", "a:b:1:jar"].map(str::to_owned).into()));
        let expected = ["a", "b-1-bin.zip", "a:b:1:zip:bin"];
        assert_eq!(parse("a:b:1:bin@zip"), Ok(expected.map(str::to_owned).into()));
        for wrong in ["a:b", "a:b:1@", "a:b:1@../x", "a::1", "a:../b:1", "a:b:1:c:d", "a:b:..", ""] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_reason_is_mavens_first_error() {
        let said = "\u{1b}[0m\n[ERROR] Could not find artifact x\n[ERROR] \n[ERROR] Re-run with -X\n";
        assert_eq!(first_error(said), "Could not find artifact x");
        assert_eq!(first_error("\n"), "it printed nothing");
    }
}
