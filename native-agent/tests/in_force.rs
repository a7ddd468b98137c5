//! Classes read out of a running JVM: what is in force is what the class file says, a change of one method is seen as just
//! that, and reading throws no compiled code away.

#[path = "../../crates/classfile/tests/assembler/text.rs"]
mod assembler;
mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use common::{Attached, Pairs, expect, has_only_the_warning, is_unharmed, load, look, number, service};
use jgraft_attach::{Client, LoadOutcome, Request, Target};
use jgraft_classfile::ClassFile;
use jgraft_classfile::compare::{Change, Comparison, Vm, compare_in_force};
use jgraft_jvm_harness::{Jdk, Jvm, JvmBuilder, artifacts, cache, each_jdk, each_release, javac, targets};
use jgraft_protocol::native::code;
use jgraft_protocol::properties;
use tempfile::TempDir;

/// Classes of the JDK: some of each kind, linked early and late.
const OF_THE_JDK: &[&str] = &[
    "java.lang.Object",
    "java.lang.String",
    "java.lang.Thread",
    "java.util.HashMap",
    "java.util.HashMap$TreeNode",
    "java.util.Map",
    "java.util.function.Function",
    "java.util.Comparator",
    "java.util.concurrent.TimeUnit",
    "java.util.concurrent.ConcurrentHashMap",
    "java.util.stream.Collectors",
    "java.util.AbstractMap",
    "java.lang.invoke.MethodHandles$Lookup",
    "java.math.BigInteger",
];

/// The service's own.
const OF_THE_SERVICE: &[&str] = &["OrderService", "Stock", "Pricing", "Calls", "Refused"];

/// Those of `InForce.java`.
const OF_ALL_KINDS: &[&str] = &[
    "InForce",
    "Swap",
    "Greets",
    "Planet",
    "Planet$1",
    "Kinds",
    "Kinds$1",
    "Kinds$Inner",
    "Kinds$Nested",
    "Kinds$Shape",
    "Kinds$Shape$Square",
    "Changing",
    "Broken",
];

/// Fields that a JVM tells nobody of.
const HIDDEN: &[(&str, &str)] = &[
    ("java.lang.Throwable", "backtrace:Ljava/lang/Object;"),
    ("jdk.internal.reflect.ConstantPool", "constantPoolOop:Ljava/lang/Object;"),
    ("sun.reflect.ConstantPool", "constantPoolOop:Ljava/lang/Object;"),
];

const OF_17: &[&str] = &["Modern", "Modern$Point", "Modern$Line"];

/// What was read: the session that holds it, and the reply.
struct Told {
    session: TempDir,
    reply: Pairs,
    /// The same, for looking up.
    values: BTreeMap<String, String>,
    /// By class, one for each loader.
    numbers: BTreeMap<String, Vec<usize>>,
}

impl Told {
    fn ask(jvm: &Jvm, classes: &[&str]) -> Result<(LoadOutcome, Told)> {
        let session = tempfile::tempdir_in(jvm.cwd())?;
        let mut request = vec![("verb".to_owned(), "in-force")];
        request.extend((1..).zip(classes).map(|(n, class)| (format!("class.{n}"), *class)));
        let request = properties::write(request.iter().map(|(key, value)| (key.as_str(), *value)));
        fs::write(session.path().join("request"), request)?;
        let outcome = load(jvm, &format!("session={}", session.path().display()))?;
        let reply = properties::parse(&fs::read(session.path().join("reply"))?);
        let values: BTreeMap<_, _> = reply.iter().cloned().collect();
        let mut numbers = BTreeMap::<_, Vec<usize>>::new();
        for n in 1.. {
            let Some(class) = values.get(&format!("class.{n}")) else { break };
            numbers.entry(class.clone()).or_default().push(n);
        }
        Ok((outcome, Told { session, reply, values, numbers }))
    }

    fn of(jvm: &Jvm, classes: &[&str]) -> Result<Told> {
        let (outcome, told) = Told::ask(jvm, classes)?;
        ensure!(outcome == LoadOutcome::Loaded, "{outcome:?}: {:?}", told.reply);
        expect(&told.reply, &[("outcome", "ok")])?;
        Ok(told)
    }

    /// The number of a class that only one loader has.
    fn number(&self, class: &str) -> Result<usize> {
        match self.numbers.get(class).map(Vec::as_slice) {
            Some(&[number]) => Ok(number),
            found => bail!("{class} has the numbers {found:?}"),
        }
    }

    fn get(&self, key: &str, n: usize) -> Option<&str> {
        self.values.get(&format!("{key}{n}")).map(String::as_str)
    }

    fn bytes(&self, class: &str) -> Result<Vec<u8>> {
        let n = self.number(class)?;
        let file = self.get("file.", n).with_context(|| format!("{class}: {:?}", self.get("error.", n)))?;
        let path = self.session.path().join(file);
        ensure!(fs::metadata(&path)?.mode() & 0o777 == 0o600, "{}", path.display());
        Ok(fs::read(path)?)
    }
}

/// What is in force beside a class file.
fn compare(jdk: &Jdk, told: &[u8], file: &[u8]) -> Result<Comparison> {
    let (told, file) = (ClassFile::parse(told)?, ClassFile::parse(file)?);
    told.check_structure()?;
    ensure!(told.methods().count() > 0 || file.methods().count() == 0, "no methods were told");
    let vm = Vm { feature: u16::try_from(jdk.feature)?, allows_adding_methods: false };
    Ok(compare_in_force(&told, &file, vm)?)
}

/// The program with classes of all kinds, its own agent, run from a copy of its classes.
struct Program {
    classes: PathBuf,
    modern: Option<PathBuf>,
    changed: PathBuf,
    agent: PathBuf,
}

impl Program {
    fn new(jdk: &Jdk) -> Result<Program> {
        let sources = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/in_force");
        let folder = cache::target_dir().join("harness");
        let classes = folder.join("in-force");
        let gone = folder.join("in-force-gone");
        javac::compile(&[sources.join("gone/Gone.java")], &gone, &[])?;
        let all = ["InForce.java", "Changing.java", "Broken.java"].map(|name| sources.join(name));
        javac::compile(&all, &classes, &["-cp", &gone.display().to_string()])?;
        let changed = folder.join("in-force-changed");
        javac::compile(&[sources.join("changed/Changing.java")], &changed, &[])?;
        let modern = (jdk.feature >= 17).then(|| folder.join("in-force-modern"));
        if let Some(modern) = &modern {
            javac::compile(&[sources.join("modern/Modern.java")], modern, &["--release", "17"])?;
        }
        let agent = folder.join("in-force.jar");
        javac::jar("Premain-Class: InForce\nCan-Retransform-Classes: true", &classes, &agent)?;
        Ok(Program { classes, modern, changed, agent })
    }

    fn builder<'j>(&self, jdk: &'j Jdk) -> Result<JvmBuilder<'j>> {
        let mut builder = Jvm::builder(jdk)
            .args([format!("-javaagent:{}", self.agent.display())])
            .class_path(&self.classes)
            .visible(&self.agent)
            .visible(&self.changed)
            .visible(artifacts::native_agent()?)
            .main("InForce")
            .program_args([&self.changed]);
        if let Some(modern) = &self.modern {
            builder = builder.class_path(modern);
        }
        Ok(builder)
    }

    /// The class file that a class was loaded from, as the JVM itself has it.
    fn file(&self, jvm: &Jvm, class: &str) -> Result<Vec<u8>> {
        jvm.ask(&format!("dump {class}"), |line| line.starts_with("done "))?;
        Ok(fs::read(jvm.cwd().join(format!("{class}.class")))?)
    }
}

#[test]
fn the_classes_of_a_service_are_in_force_as_their_files_say() {
    each_jdk("the_classes_of_a_service_are_in_force_as_their_files_say", .., |jdk| {
        let folder = targets::order_service_classes()?;
        let jvm = service(jdk)?.start()?;
        jvm.wait_ready()?;
        let told = Told::of(&jvm, OF_THE_SERVICE)?;
        for class in OF_THE_SERVICE {
            // Its exception is linked when the first order is refused, which may be yet to come.
            let error = told.get("error.", told.number(class)?).unwrap_or_default();
            if *class == "Refused" && error.contains("JVMTI_ERROR_CLASS_NOT_PREPARED") {
                continue;
            }
            let file = fs::read(folder.join(format!("{class}.class")))?;
            let found = compare(jdk, &told.bytes(class)?, &file)?;
            ensure!(found.is_same(), "{class}: {found:?}");
        }
        is_unharmed(&jvm, jdk, Attached::Times(1))
    });
}

#[test]
fn classes_of_all_kinds_are_in_force_as_their_files_say() {
    each_release("classes_of_all_kinds_are_in_force_as_their_files_say", .., |jdk| {
        let program = Program::new(jdk)?;
        let jvm = program.builder(jdk)?.start()?;
        jvm.wait_ready()?;
        let of_17 = if jdk.feature >= 17 { OF_17 } else { &[] };
        let classes = [OF_THE_JDK, OF_ALL_KINDS, of_17].concat();
        // Once they are dumped they are loaded and linked.
        let files = classes.iter().map(|class| program.file(&jvm, class)).collect::<Result<Vec<_>>>()?;
        let told = Told::of(&jvm, &classes)?;
        let mut wrong = Vec::new();
        for (class, file) in classes.iter().zip(&files) {
            let found = compare(jdk, &told.bytes(class)?, file)?;
            if !found.is_same() {
                wrong.push(format!("{class}: {found:?}"));
            }
            ensure!(told.get("modifiable.", told.number(class)?) == Some("true"), "{class}");
            let is_boot = class.starts_with("java.");
            let (loader, id) = (told.get("loader.", told.number(class)?), told.number(class)?);
            ensure!((loader == Some("boot")) == is_boot, "{class}: {loader:?}");
            ensure!((told.get("loader.id.", id) == Some("0")) == is_boot, "{class}");
        }
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    });
}

/// Constants that are computed, jsr and ret, wide forms and the like.
#[test]
fn code_that_no_compiler_writes_is_in_force_as_its_files_say() {
    each_release("code_that_no_compiler_writes_is_in_force_as_its_files_say", .., |jdk| {
        let (folder, files) = assembled(jdk)?;
        let jvm = Program::new(jdk)?.builder(jdk)?.class_path(folder.path()).start()?;
        jvm.wait_ready()?;
        for class in files.keys() {
            jvm.ask(&format!("run {class}"), |line| line.starts_with("done "))?;
        }
        let told = Told::of(&jvm, &files.keys().map(String::as_str).collect::<Vec<_>>())?;
        for (class, file) in &files {
            let found = compare(jdk, &told.bytes(class)?, file)?;
            ensure!(found.is_same(), "{class}: {found:?}");
        }
        println!("JDK {}: {} classes are as their files say", jdk.version, files.len());
        ensure!(files.len() > 5, "{} classes only", files.len());
        Ok(())
    });
}

/// The golden programs of the weaver that are no Java and that this JDK runs, by class.
fn assembled(jdk: &Jdk) -> Result<(TempDir, BTreeMap<String, Vec<u8>>)> {
    let (folder, mut files) = (tempfile::tempdir()?, BTreeMap::new());
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../crates/classfile/tests/golden");
    for entry in fs::read_dir(&golden)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "jasm") {
            continue;
        }
        let text = fs::read_to_string(&path)?;
        let said = |what| {
            let mut comments = text.lines().take_while(|line| line.starts_with(';'));
            comments.find_map(|line| line.strip_prefix(what)).map(str::parse::<u32>).transpose()
        };
        let (oldest, newest) = (said("; release: ")?.unwrap_or(8), said("; until: ")?.unwrap_or(u32::MAX));
        if !(oldest..=newest).contains(&jdk.feature) {
            continue;
        }
        for (name, bytes) in assembler::assemble(&text)? {
            let file = folder.path().join(format!("{name}.class"));
            fs::create_dir_all(file.parent().context("no folder")?)?;
            fs::write(file, &bytes)?;
            files.insert(name.replace('/', "."), bytes);
        }
    }
    Ok((folder, files))
}

#[test]
fn all_that_is_loaded_is_in_force_as_its_files_say() {
    each_jdk("all_that_is_loaded_is_in_force_as_its_files_say", .., |jdk| {
        let program = Program::new(jdk)?;
        let jvm = program.builder(jdk)?.start()?;
        jvm.wait_ready()?;
        jvm.ask("dump-all", |line| line.starts_with("done "))?;
        let mut names = Vec::new();
        for entry in fs::read_dir(jvm.cwd())? {
            let name = entry?.file_name().into_string().unwrap_or_default();
            // A JVM with an archive of classes has made these anew when that was written.
            names.extend(
                name.strip_suffix(".class").filter(|name| !name.ends_with("$Holder")).map(str::to_owned),
            );
        }
        let told = Told::of(&jvm, &names.iter().map(String::as_str).collect::<Vec<_>>())?;
        let (mut same, mut unlinked, mut wrong) = (0, 0, Vec::new());
        for name in &names {
            if let Some(error) = told.get("error.", told.number(name)?) {
                ensure!(error.ends_with("JVMTI_ERROR_CLASS_NOT_PREPARED (22)"), "{name}: {error}");
                unlinked += 1;
                continue;
            }
            let file = fs::read(jvm.cwd().join(format!("{name}.class")))?;
            let found = compare(jdk, &told.bytes(name)?, &file)?;
            let is_hidden = |change: &Change| matches!(change, Change::FieldAdded(field) if HIDDEN.contains(&(name.as_str(), field.as_str())));
            match found.contents.is_empty() && found.differences.iter().all(|it| is_hidden(&it.change)) {
                true => same += 1,
                false => wrong.push(format!("{name}: {found:?}")),
            }
        }
        println!("JDK {}: {same} classes are as their files say, {unlinked} are not linked", jdk.version);
        ensure!(wrong.is_empty(), "{} of {}: {}", wrong.len(), names.len(), wrong.join("\n"));
        ensure!(same > 200, "{same} classes only");
        Ok(())
    });
}

#[test]
fn a_method_that_is_changed_is_seen_and_equal_again_afterwards() {
    each_release("a_method_that_is_changed_is_seen_and_equal_again_afterwards", .., |jdk| {
        let program = Program::new(jdk)?;
        let jvm = program.builder(jdk)?.start()?;
        jvm.wait_ready()?;
        let changed = fs::read(program.changed.join("Changing.class"))?;
        let file = program.file(&jvm, "Changing")?;
        for _ in 0..3 {
            let said = jvm.ask("change", |line| line.starts_with("done "))?;
            ensure!(said == "done second138803.5138813.5", "{said}");
            let told = Told::of(&jvm, &["Changing"])?.bytes("Changing")?;
            let found = compare(jdk, &told, &file)?;
            let members: Vec<_> = found.contents.iter().map(|change| change.member.as_str()).collect();
            ensure!(found.differences.is_empty(), "{found:?}");
            ensure!(members == ["changed()Ljava/lang/String;"], "{found:?}");
            let found = compare(jdk, &told, &changed)?;
            ensure!(found.is_same(), "{found:?}");

            let said = jvm.ask("restore", |line| line.starts_with("done "))?;
            ensure!(said == "done first", "{said}");
            let told = Told::of(&jvm, &["Changing"])?.bytes("Changing")?;
            let found = compare(jdk, &told, &file)?;
            ensure!(found.is_same(), "{found:?}");
        }
        Ok(())
    });
}

#[test]
fn what_cannot_be_read_has_its_reason() {
    each_release("what_cannot_be_read_has_its_reason", .., |jdk| {
        let program = Program::new(jdk)?;
        let jvm = program.builder(jdk)?.start()?;
        jvm.wait_ready()?;
        // Nobody has used it, so it is not linked; the others are read all the same.
        let told = Told::of(&jvm, &["Unlinked", "Kinds", "shop.Absent"])?;
        let error = told.get("error.", told.number("Unlinked")?).unwrap_or_default();
        ensure!(error.ends_with("returned JVMTI_ERROR_CLASS_NOT_PREPARED (22)"), "{:?}", told.reply);
        ensure!(told.get("file.", told.number("Unlinked")?).is_none(), "{:?}", told.reply);
        ensure!(!told.bytes("Kinds")?.is_empty() && told.get("class.", 3).is_none(), "{:?}", told.reply);
        for (classes, stage) in [(&["shop.Absent"][..], "not-loaded"), (&["[I"], "options"), (&[], "options")]
        {
            let (outcome, told) = Told::ask(&jvm, classes)?;
            ensure!(outcome == LoadOutcome::AgentFailed(code::FAILED), "{classes:?}: {outcome:?}");
            expect(&told.reply, &[("outcome", "failed"), ("stage", stage)])?;
        }
        Ok(())
    });
}

#[test]
fn each_loader_has_its_own() {
    let classes = cache::target_dir().join("harness/two-loaders");
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/TwoLoaders.java");
    each_release("each_loader_has_its_own", .., |jdk| {
        javac::compile(std::slice::from_ref(&source), &classes, &[])?;
        let library = artifacts::native_agent()?;
        let jvm = Jvm::builder(jdk).class_path(&classes).main("TwoLoaders").program_args([&classes]);
        let jvm = jvm.visible(library).start()?;
        jvm.wait_ready()?;
        let (_, told) = Told::ask(&jvm, &["Shared"])?;
        ensure!(
            told.get("class.", 2) == Some("Shared") && told.get("class.", 3).is_none(),
            "{:?}",
            told.reply
        );
        for n in [1, 2] {
            ensure!(told.get("loader.", n) == Some("java.net.URLClassLoader"), "{:?}", told.reply);
        }
        ensure!(
            number(&told.reply, "loader.id.1")? != number(&told.reply, "loader.id.2")?,
            "{:?}",
            told.reply
        );
        Ok(())
    });
}

#[test]
fn the_checks_of_jni_have_nothing_to_say_to_reading() {
    each_jdk("the_checks_of_jni_have_nothing_to_say_to_reading", .., |jdk| {
        let jvm = service(jdk)?.args(["-Xcheck:jni"]).start()?;
        jvm.wait_ready()?;
        let mark = jvm.stdout_mark();
        // ConcurrentHashMap and the like have many superinterfaces, and OrderService a loader that is an object.
        let classes = ["OrderService", "Stock", "java.lang.String", "java.util.concurrent.ConcurrentHashMap"];
        let told = Told::of(&jvm, &classes)?;
        for class in classes {
            told.bytes(class)?;
        }
        jvm.ask("order", |line| line.starts_with("order "))?;
        // What the launcher of JDK 8 does before is not ours.
        let output: Vec<_> = jvm.stdout().lines().skip(mark).map(str::to_owned).collect();
        ensure!(output.len() == 1, "{output:?}");
        has_only_the_warning(&jvm, jdk, Attached::Times(1))
    });
}

/// A retransformation throws nearly all compiled code away on 8 to 22, once; the list of it can be had from 9 on.
#[test]
fn reading_throws_no_compiled_code_away() {
    each_release("reading_throws_no_compiled_code_away", 11..=22, |jdk| {
        let program = Program::new(jdk)?;
        // One compiler, so that nothing takes the place of what is compiled; and whoever asks for code waits for it.
        let options = ["-XX:TieredStopAtLevel=1", "-Xbatch"];
        let jvm = Jvm::builder(jdk).args(options).class_path(&program.classes).main("InForce");
        let jvm = jvm.program_args([&program.changed]).visible(&program.changed);
        let jvm = jvm.visible(artifacts::native_agent()?).start()?;
        jvm.wait_ready()?;
        let before = compiled(&jvm)?;
        ensure!(before.len() > 50, "{before:?}");
        Told::of(&jvm, &["Kinds", "Changing", "java.util.HashMap", "java.lang.String"])?;
        let after = compiled(&jvm)?;
        let lost: Vec<_> = before.difference(&after).collect();
        ensure!(lost.is_empty(), "{lost:?}");
        // That the list would show it.
        look(&jvm, "Kinds")?;
        let left = compiled(&jvm)?.intersection(&before).count();
        println!(
            "JDK {}: {} compiled methods, all there after reading, {left} after a retransformation",
            jdk.version,
            before.len()
        );
        ensure!(left < before.len() / 2, "{left} of {} are left after a retransformation", before.len());
        Ok(())
    });
}

/// The methods that are compiled and in use, by the number of the compilation.
fn compiled(jvm: &Jvm) -> Result<BTreeSet<String>> {
    let mut client = Client::new(Target::inspect(jvm.pid().cast_signed())?);
    let text = client.send(&Request::jcmd("Compiler.codelist")?)?.into_text(16 << 20)?.0;
    // Compilation, level, state (0 in use), method, addresses.
    let in_use = text.lines().filter_map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        let &[id, level, "0", method, ..] = words.as_slice() else { return None };
        // Level 0 are wrappers of native methods.
        (level != "0").then(|| format!("{id} {method}"))
    });
    Ok(in_use.collect())
}
