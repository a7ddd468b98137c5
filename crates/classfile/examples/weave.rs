//! Weaves every method of every class of a jar or jmod at entry, return and throw, and writes the classes below a
//! folder: `weave IN.jar OUT [plain|calls|arguments|guarded]`. What was left alone is told on stderr.

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use jgraft_classfile::weave::{Call, CallSites, Event, Operand, Probes, StaticField, StaticMethod, Weaver};
use jgraft_classfile::{ClassFile, LeftAlone};

const PROBE: &str = "java/lang/WeaveProbe";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, out, rest @ ..] = arguments.as_slice() else {
        return Err("weave IN.jar OUT [plain|calls|arguments|guarded]".into());
    };
    let probes = probes(rest.first().map_or("plain", String::as_str));
    let mut zip = zip::ZipArchive::new(fs::File::open(input)?)?;
    let (mut classes, mut methods, mut before, mut after) = (0, 0, 0, 0);
    let mut took = Duration::ZERO;
    let mut weaver = Weaver::default();
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index)?;
        let name = entry.name()?.into_owned();
        if !name.ends_with(".class") {
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        let begun = Instant::now();
        let mut id = 0;
        let class = ClassFile::parse(&bytes)?;
        let woven = weaver.weave(&class, |_| {
            id += 1;
            Some((&probes, id))
        })?;
        took += begun.elapsed();
        for (index, reason) in woven.left_alone.iter().filter(|(_, reason)| *reason != LeftAlone::NoCode) {
            eprintln!("{name} method {index}: {reason}");
        }
        methods += woven.methods.len();
        let Some(new) = woven.class else { continue };
        (classes, before, after) = (classes + 1, before + bytes.len(), after + new.len());
        let path = PathBuf::from(out).join(name.trim_start_matches("classes/"));
        fs::create_dir_all(path.parent().ok_or("no folder")?)?;
        fs::write(path, new)?;
    }
    let rate = before as f64 / 1e6 / took.as_secs_f64();
    println!("{classes} classes, {methods} methods: {before} -> {after} bytes, {rate:.0} MB/s");
    Ok(())
}

fn probes(kind: &str) -> Probes<'static> {
    use Operand::{Argument, ArgumentIndex, CallPc, EndTime, Exception, ProbeId, Result, StartTime, This};
    let method = |name| StaticMethod::new(PROBE, name);
    let event = |name, operands: &[Operand]| Event::of(Call::new(method(name), operands));
    let each = Call::for_each_argument(method("argument"), &[ProbeId, ArgumentIndex, Argument]);
    let mut probes = Probes {
        clock: method("now"),
        entry: Some(event("enter", &[ProbeId])),
        exit: Some(event("exit", &[ProbeId, StartTime])),
        throw: Some(event("thrown", &[ProbeId, StartTime, Exception])),
        ..Probes::default()
    };
    let mut sites = CallSites {
        wanted: None,
        before: Some(event("before", &[ProbeId, CallPc])),
        after: Some(event("after", &[ProbeId, CallPc, StartTime])),
        throw: Some(event("threw", &[ProbeId, CallPc, StartTime, Exception])),
    };
    match kind {
        "calls" => probes.call_sites = Some(sites),
        "arguments" => {
            probes.entry = Some(Event::of(each.clone()));
            let mut exit = event("result", &[ProbeId, This, Result]);
            exit.calls.push(each);
            probes.exit = Some(exit);
            probes.throw = Some(event("exception", &[ProbeId, This, Exception]));
        }
        "guarded" => {
            let flag = Some(StaticField { class: PROBE, name: "on" });
            for event in [&mut probes.entry, &mut probes.exit, &mut probes.throw].into_iter().flatten() {
                event.guard.flag = flag;
            }
            for event in [&mut probes.exit, &mut probes.throw].into_iter().flatten() {
                event.guard.min_cost = Some(0);
                event.calls[0].operands.insert(2, EndTime);
            }
            sites.before = Some(Event::of(each.clone()));
            sites.after = Some(event("result", &[ProbeId, This, Result]));
            for event in [&mut sites.before, &mut sites.after, &mut sites.throw].into_iter().flatten() {
                event.guard.flag = flag;
            }
            probes.call_sites = Some(sites);
        }
        _ => {}
    }
    probes
}
