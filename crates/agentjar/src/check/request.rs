//! The path and the options as they are about to be sent: what the attach protocol and libinstrument make of
//! the one string "path=options".

use jgraft_classfile::ModifiedUtf8;

use crate::finding::Finding;
use crate::question::Question;

pub(super) fn check(question: &Question<'_>, findings: &mut Vec<Finding>) {
    let path = question.path.as_os_str().as_encoded_bytes();
    let shown = question.path.display();
    if path.contains(&b'=') {
        findings.push(Finding::error(
            "path-has-equals",
            format!("the path {shown} holds a '=', and the JVM takes all after the first '=' for options"),
            "copy or link the jar to a path without '='",
        ));
    }
    if path.contains(&0) {
        findings.push(Finding::error(
            "path-has-nul",
            "the path holds a NUL, which ends it in the request".into(),
            "name the jar by another path",
        ));
    }
    if !question.path.is_absolute() {
        findings.push(Finding::warning(
            "path-relative",
            format!("the path {shown} is relative, and the target resolves it in its own working directory"),
            "name the jar by an absolute path",
        ));
    }
    if !path.is_ascii() {
        findings.extend(encoding_of(path, question));
    }
    if let Some(options) = question.options {
        check_options(options, findings);
    }
    let length = path.len() + question.options.map_or(0, |options| 1 + options.len());
    if let Some(limit) = question.argument_limit.filter(|limit| length > *limit) {
        findings.push(Finding::error(
            "argument-too-long",
            format!("path, '=' and options have {length} bytes, and the request carries at most {limit}"),
            format!(
                "shorten them by {} bytes, put the options into a file that the agent reads, or load with --supervised, \
                 whose request is a file",
                length - limit
            ),
        ));
    }
}

/// libinstrument opens the path by its bytes, but the class loader by the text that they are in the target's
/// encoding of file names: where there is no such text the manifest is found and the classes are not.
fn encoding_of(path: &[u8], question: &Question<'_>) -> Option<Finding> {
    const CODE: &str = "path-not-in-target-encoding";
    const REMEDY: &str = "copy or link the jar to a path of ASCII characters";
    let shown = question.path.display();
    let encoding = question.target.and_then(|target| target.file_name_encoding.as_deref());
    let utf8 = std::str::from_utf8(path).is_ok();
    match encoding.map(|name| (name, name.to_ascii_uppercase().replace(['-', '_'], ""))) {
        Some((_, plain)) if plain == "UTF8" && utf8 => None,
        Some((name, plain)) if matches!(&*plain, "UTF8" | "ANSIX3.41968" | "USASCII" | "ASCII" | "646") => {
            let sentence = format!(
                "the path {shown} has bytes that are no text in the target's file-name encoding {name}"
            );
            Some(Finding::error(CODE, format!("{sentence}: its class loader won't find the jar"), REMEDY))
        }
        Some((name, _)) => {
            let sentence = format!(
                "the path {shown} has characters past ASCII, and the target's file names are in {name}"
            );
            Some(Finding::warning(CODE, sentence, REMEDY))
        }
        None => {
            let sentence = format!(
                "the path {shown} has characters past ASCII, which a JVM started with LC_ALL=C can't open"
            );
            Some(Finding::warning(CODE, sentence, REMEDY))
        }
    }
}

fn check_options(options: &[u8], findings: &mut Vec<Finding>) {
    if options.contains(&0) {
        findings.push(Finding::error(
            "options-have-nul",
            "the options hold a NUL, which ends them in the request".into(),
            "leave it out, or put the options into a file that the agent reads",
        ));
    } else if ModifiedUtf8::new(options).to_str().is_none() {
        findings.push(Finding::warning(
            "options-encoding",
            "the options are not modified UTF-8: what is no text, or past U+FFFF, arrives broken".into(),
            "encode them, or put the options into a file that the agent reads",
        ));
    }
}
