//! The listing before and after: lines are marked where something else is done, and nowhere else.

mod assembler;
mod changed_constants;
mod corpus_files;
#[path = "compose/made.rs"]
mod made;
#[path = "rebase/shuffle.rs"]
mod shuffle;

use assembler::{Class, PUBLIC, STATIC};
use changed_constants::constants_changed;
use corpus_files::{archive, each_class};
use jgraft_classfile::ClassFile;
use jgraft_classfile::diff::{MethodDiff, Side, Told, diff};
use jgraft_classfile::opcode::{GOTO, ICONST_0, ICONST_1, IFEQ, ILOAD_0, IRETURN};
use jgraft_classfile::weave::{Call, Event, Operand, Probes, StaticMethod, weave};
use made::Made;

/// Classes of a JDK to look at, each so manieth.
const EVERY: usize = 50;

fn diff_of(old: &[u8], new: &[u8]) -> Vec<MethodDiff> {
    diff(&ClassFile::parse(old).unwrap(), &ClassFile::parse(new).unwrap(), Told::All).unwrap()
}

fn marked(diff: &MethodDiff, side: Side) -> Vec<&str> {
    diff.lines.iter().filter(|line| line.side == side).map(|line| line.text.as_str()).collect()
}

const NAME: &str = "\
lambda$name$0(I)Ljava/lang/String;
               private static synthetic lambda$name$0(I)Ljava/lang/String; // java.lang.String (int)
    158        iload i
-   158        invokedynamic makeConcatWithConstants:(I)Ljava/lang/String; by handle 6 java/lang/invoke/StringConcatFactory.\
makeConcatWithConstants:(Ljava/lang/invoke/MethodHandles$Lookup;Ljava/lang/String;Ljava/lang/invoke/MethodType;Ljava/lang/\
String;[Ljava/lang/Object;)Ljava/lang/invoke/CallSite; ( \"name \\u{1}\" )
+              iload i
+              iconst_2
+              imul
+              invokedynamic makeConcatWithConstants:(II)Ljava/lang/String; by handle 6 java/lang/invoke/StringConcatFactory.\
makeConcatWithConstants:(Ljava/lang/invoke/MethodHandles$Lookup;Ljava/lang/String;Ljava/lang/invoke/MethodType;Ljava/lang/\
String;[Ljava/lang/Object;)Ljava/lang/invoke/CallSite; ( \"a fixed name \\u{1} of \\u{1}\" )
               areturn
";

#[test]
fn a_method_that_changes_is_shown_before_and_after() {
    let Some(made) = Made::of("17") else { return };
    let (base, name) = (made.class("base"), made.class("name"));
    let diffs = diff_of(&base, &name);
    let text: String = diffs.iter().map(ToString::to_string).collect();
    assert_eq!(text, NAME, "{text}");
    // Lines and names of parameters are no change; annotations are.
    assert_eq!(diff_of(&base, &made.class("lines")), []);
    let marked = diff_of(&base, &made.class("annotated"));
    assert_eq!(marked, [], "of the class and of a field");
    // Methods that come and go.
    let helper = diff_of(&base, &made.class("helper"));
    let names: Vec<_> = helper.iter().map(|diff| diff.method.as_str()).collect();
    assert_eq!(names, ["price(I)Ljava/lang/String;", "helper(I)I"]);
    assert!(
        helper[1].lines.iter().all(|line| line.side == Side::After && line.line != Some(0)),
        "{}",
        helper[1]
    );
}

#[test]
fn a_jump_elsewhere_is_a_change_and_jumps_that_moved_are_none() {
    // if (x) return 0; return 1; and the jump to the other return.
    let body = |target: u8| {
        Class::new("x/Y")
            .method(
                PUBLIC | STATIC,
                "m",
                "(I)I",
                &[ILOAD_0, IFEQ, 0, target, ICONST_0, IRETURN, ICONST_1, IRETURN],
            )
            .bytes()
    };
    let [diff] = diff_of(&body(5), &body(3)).try_into().unwrap();
    assert_eq!(marked(&diff, Side::Before), ["ifeq L2"], "{diff}");
    assert_eq!(marked(&diff, Side::After), ["ifeq L1"], "{diff}");
    // An instruction before the target: the jump is what it was.
    let longer = Class::new("x/Y")
        .method(
            PUBLIC | STATIC,
            "m",
            "(I)I",
            &[ILOAD_0, IFEQ, 0, 9, ICONST_0, GOTO, 0, 3, 0, IRETURN, ICONST_1, IRETURN],
        )
        .bytes();
    let [diff] = diff_of(&body(5), &longer).try_into().unwrap();
    assert!(marked(&diff, Side::Before).is_empty(), "{diff}");
    assert_eq!(marked(&diff, Side::After), ["goto L1", "nop"], "{diff}");
}

#[test]
fn a_jdk_on_pools_in_another_order_has_no_change_and_one_instruction_is_one_line() {
    let Some(archive) = archive() else { return };
    let (mut seen, mut changed, mut woven_methods) = (0, 0, 0);
    each_class(&archive, |name, bytes| {
        seen += 1;
        if seen % EVERY != 0 || name.ends_with("module-info.class") {
            return;
        }
        let class = ClassFile::parse(bytes).unwrap();
        assert_eq!(diff_of(&shuffle::shuffle(&class, seen as u64), bytes), [], "{name}");
        for (method, other) in constants_changed(&class) {
            let [diff] = diff_of(bytes, &other).try_into().unwrap();
            assert_eq!(diff.method, method);
            assert_eq!(marked(&diff, Side::Before), ["iconst_0"], "{name} {diff}");
            assert_eq!(marked(&diff, Side::After), ["iconst_1"], "{name} {diff}");
            changed += 1;
        }
        // A probe is lines more, and none less but for jumps to what it stands before.
        let entry = Call::new(StaticMethod::new("java/lang/Probe", "entry"), &[Operand::ProbeId]);
        let probes = Probes { entry: Some(Event::of(entry)), ..Probes::default() };
        let Some(woven) = weave(&class, |_| Some((&probes, 70_000))).unwrap().class else { return };
        for diff in diff(&class, &ClassFile::parse(&woven).unwrap(), Told::CodeOnly).unwrap() {
            assert_eq!(marked(&diff, Side::Before), [""; 0], "{name} {diff}");
            assert!(
                marked(&diff, Side::After).contains(&"invokestatic java/lang/Probe.entry:(I)V"),
                "{diff}"
            );
            woven_methods += 1;
        }
    });
    println!("{changed} methods with another constant, {woven_methods} with a probe");
    assert!(changed > 50 && woven_methods > 200, "{changed} {woven_methods}");
}
