//! Test: the hand-declared numbers, signatures, bits and names agree with every `jvmti.h` of this machine's JDKs.

use std::fs;

use anyhow::{Context, Result, ensure};
use jgraft_jvm_harness::{Jdk, skip};

use crate::{capabilities, error, event, raw, table};

/// Runs a check on each header there is. Runtimes without one are many, so only their total lack is worth a word.
fn each_header(test: &str, check: impl Fn(&str) -> Result<()>) {
    let header = |jdk: &Jdk| fs::read_to_string(jdk.host_home().join("include/jvmti.h")).ok();
    let headers: Vec<_> = Jdk::all().iter().filter_map(|jdk| Some((jdk, header(jdk)?))).collect();
    if headers.is_empty() {
        return skip(test, "no JDK here has include/jvmti.h; a full JDK of any release does");
    }
    for (jdk, text) in headers {
        if let Err(error) = check(&text) {
            panic!("{test}, header of JDK {jdk}: {error:#}");
        }
    }
}

#[test]
fn functions_have_number_and_signature_of_the_header() {
    each_header("functions_have_number_and_signature_of_the_header", |header| {
        for (number, name, parameters) in table::FUNCTIONS {
            let place = format!("(JNICALL *{name}) (jvmtiEnv* env");
            let at = header.find(&place).with_context(|| format!("no {name}"))?;
            let stated = between(&header[..at], "/*", ":", Side::Last).context("no number")?;
            ensure!(stated.trim() == number.to_string(), "{name} is number {}", stated.trim());
            let rest = &header[at + place.len()..];
            let rest = &rest[..rest.find(");").context("no end")?];
            let stated: Vec<_> = rest.split(',').map(words).filter(|part| !part.is_empty()).collect();
            let mut declared: Vec<_> =
                parameters.iter().map(|(name, r#type)| format!("{} {name}", c_type(r#type))).collect();
            if rest.contains("...") {
                declared.push("...".to_owned());
            }
            ensure!(stated == declared, "{name}: the header has {stated:?}, we have {declared:?}");
        }
        Ok(())
    });
}

#[test]
fn capabilities_have_the_bits_of_the_header() {
    each_header("capabilities_have_the_bits_of_the_header", |header| {
        let fields = structure(header, "jvmtiCapabilities")?;
        let mut next = 0;
        let mut bits = Vec::new();
        for field in fields.split(';').map(words).filter(|field| !field.is_empty()) {
            let (name, width) = field.split_once(':').context("no bit field")?;
            bits.push((words(name).trim_start_matches("unsigned int").trim().to_owned(), next));
            next += width.trim().parse::<usize>()?;
        }
        ensure!(next == 8 * size_of::<raw::jvmtiCapabilities>(), "{next} bits");
        for (name, bit) in capabilities::BITS {
            let stated = bits.iter().find(|(stated, _)| stated == name).map(|(_, bit)| bit);
            ensure!(stated == Some(bit), "{name} is bit {stated:?}, not {bit}");
        }
        Ok(())
    });
}

#[test]
fn callbacks_are_in_the_order_of_the_header() {
    each_header("callbacks_are_in_the_order_of_the_header", |header| {
        let fields = structure(header, "jvmtiEventCallbacks")?;
        let fields: Vec<_> = fields.split(';').map(words).collect();
        let ours = ["VMInit", "VMDeath", "ThreadStart", "ThreadEnd", "ClassFileLoadHook"];
        ensure!(size_of::<raw::jvmtiEventCallbacks>() == ours.len() * size_of::<raw::Slot>());
        for (name, field) in ours.iter().zip(&fields) {
            ensure!(field.ends_with(&format!("jvmtiEvent{name} {name}")), "{field} where we have {name}");
        }
        let hook = between(header, "(JNICALL *jvmtiEventClassFileLoadHook)", ";", Side::First);
        let ours = "(jvmtiEnv *jvmti_env, JNIEnv* jni_env, jclass class_being_redefined, jobject loader, \
                    const char* name, jobject protection_domain, jint class_data_len, \
                    const unsigned char* class_data, jint* new_class_data_len, \
                    unsigned char** new_class_data)";
        ensure!(hook.map(words).as_deref() == Some(ours), "{hook:?}");
        Ok(())
    });
}

#[test]
fn stacks_have_the_fields_of_the_header() {
    each_header("stacks_have_the_fields_of_the_header", |header| {
        for (name, ours) in [
            ("jvmtiStackInfo", "jthread thread; jint state; jvmtiFrameInfo* frame_buffer; jint frame_count;"),
            ("jvmtiFrameInfo", "jmethodID method; jlocation location;"),
        ] {
            let fields = between(header, &format!("struct {name} {{"), "};", Side::First).map(words);
            ensure!(fields.as_deref() == Some(ours), "{name}: {fields:?}");
        }
        Ok(())
    });
}

#[test]
fn numbers_are_those_of_the_header() {
    let constants = [
        ("JVMTI_ENABLE", raw::JVMTI_ENABLE),
        ("JVMTI_DISABLE", raw::JVMTI_DISABLE),
        ("JVMTI_EVENT_VM_INIT", event::Event::VmInit.number()),
        ("JVMTI_EVENT_VM_DEATH", event::Event::VmDeath.number()),
        ("JVMTI_EVENT_CLASS_FILE_LOAD_HOOK", event::Event::ClassFileLoadHook.number()),
        ("JVMTI_VERSION_1_2", raw::JVMTI_VERSION_1_2),
        ("JVMTI_VERSION_9", raw::JVMTI_VERSION_9),
        ("JVMTI_ERROR_WRONG_PHASE", error::ErrorCode::WRONG_PHASE.number()),
    ];
    // The first two came with JDK 9, the last with 21.
    let newer = [
        "JVMTI_ERROR_INVALID_MODULE",
        "JVMTI_ERROR_UNMODIFIABLE_MODULE",
        "JVMTI_ERROR_UNSUPPORTED_OPERATION",
    ];
    each_header("numbers_are_those_of_the_header", |header| {
        for (name, number) in constants {
            ensure!(constant(header, name) == Some(number), "{name} is {:?}", constant(header, name));
        }
        for (number, name) in error::NAMES {
            let name = format!("JVMTI_ERROR_{name}");
            let stated = constant(header, &name);
            ensure!(stated == Some(*number) || stated.is_none() && newer.contains(&&*name), "{name}");
        }
        let known = |line: &&str| error::NAMES.iter().any(|(_, name)| line[12..].starts_with(name));
        let lines = header.lines().map(str::trim).filter(|line| line.starts_with("JVMTI_ERROR_"));
        let unknown: Vec<_> = lines
            .filter(|line| !line.starts_with("JVMTI_ERROR_NONE") && !line.starts_with("JVMTI_ERROR_MAX"))
            .filter(|line| !known(line))
            .collect();
        ensure!(unknown.is_empty(), "new errors: {unknown:?}");
        Ok(())
    });
}

/// The value of an enumerator.
fn constant(header: &str, name: &str) -> Option<i32> {
    let lines = header.lines().filter_map(|line| line.trim().split_once('='));
    let value = lines.filter(|(left, _)| left.trim() == name).map(|(_, right)| right).next()?;
    let value = value.trim().trim_end_matches(',');
    match value.strip_prefix("0x") {
        Some(hex) => i32::from_str_radix(hex, 16).ok(),
        None => value.parse().ok(),
    }
}

/// The fields of `typedef struct { … } name;`, without comments.
fn structure(header: &str, name: &str) -> Result<String> {
    let end = header.find(&format!("}} {name};")).with_context(|| format!("no {name}"))?;
    let start = header[..end].rfind('{').context("no start")?;
    let mut fields = String::new();
    let mut rest = &header[start + 1..end];
    while let Some((before, after)) = rest.split_once("/*") {
        fields.push_str(before);
        rest = after.split_once("*/").context("no end of a comment")?.1;
    }
    Ok(fields + rest)
}

/// A Rust type as the header writes it: `*mut *mut c_char` → `char**`.
fn c_type(rust: &str) -> String {
    if let Some(pointee) = rust.strip_prefix("*mut ") {
        return format!("{}*", c_type(pointee));
    }
    if let Some(pointee) = rust.strip_prefix("*const ") {
        return format!("const {}*", c_type(pointee));
    }
    match rust {
        "c_char" => "char".to_owned(),
        "c_uchar" => "unsigned char".to_owned(),
        name => name.to_owned(),
    }
}

/// With single blanks.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

enum Side {
    First,
    Last,
}

/// What is between `open` (its first or last occurrence) and the next `close`.
fn between<'t>(text: &'t str, open: &str, close: &str, side: Side) -> Option<&'t str> {
    let at = match side {
        Side::First => text.find(open)?,
        Side::Last => text.rfind(open)?,
    };
    text[at + open.len()..].split_once(close).map(|(inside, _)| inside)
}
