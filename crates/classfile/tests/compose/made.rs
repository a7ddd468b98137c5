//! Versions of one class, made by javac: each the base with some of its methods otherwise.

use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result};
use jgraft_jvm_harness::cache::{lock, target_dir};
use jgraft_jvm_harness::jdks::no_jdk_hint;
use jgraft_jvm_harness::{Jdk, javac, skip};

/// The versions, compiled for one release.
pub(crate) struct Made(&'static str);

const PRICE: (&str, &str) = ("return \"price \" + n;", "return \"fixed price \" + n * 3000000000L + '!';");
const PICK: (&str, &str) = (
    "switch (n) { case 0: return \"zero\"; case 7: return \"seven\"; default: return \"other\"; }",
    "switch (\"k\" + n) { case \"k7\": return \"a fixed seven\"; case \"k900\": return \"900\"; default: return \"none\"; }",
);

/// Name, and what it has otherwise: text of the base, and what stands in its place.
const VERSIONS: [(&str, &[(&str, &str)]); 13] = [
    ("base", &[]),
    ("price", &[PRICE]),
    ("again", &[("return \"price \" + n;", "return \"another price \" + n + \" at \" + n;")]),
    ("name", &[("i -> \"name \" + i", "i -> \"a fixed name \" + i + \" of \" + i * 2")]),
    ("around the lambda", &[("of.apply(n)", "of.apply(n + 1)")]),
    ("price and pick", &[PRICE, PICK]),
    ("helper", &[("return \"price \" + n;", "return \"price \" + helper(n);"), HELPER]),
    ("uses the helper", &[("return \"price \" + n;", "return \"price \" + helper(n);"), PICK_HELPER, HELPER]),
    ("annotated", &[("public class", "@Deprecated public class"), ("long price", "@Deprecated long price")]),
    (
        "entries",
        &[("return \"price \" + n;", "return \"price \" + new java.util.AbstractMap.SimpleEntry<>(n, n);")],
    ),
    ("lines", &[(PRICE_LINE, "\n\n    static String price(int count) { return \"price \" + count; }")]),
    ("overload", &[("return \"int \" + n", "return \"fixed int \" + n")]),
    ("overloads in the other order", &[(OVER_INT, ""), (OVER_LONG, OVER_BOTH)]),
];

const PRICE_LINE: &str = "    static String price(int n) { return \"price \" + n; }";

const HELPER: (&str, &str) =
    ("static String pick(", "private static int helper(int n) { return n * 2; }\n    static String pick(");
const PICK_HELPER: (&str, &str) = ("switch (n) {", "switch (helper(n)) {");

const OVER_INT: &str = "    static String over(int n) { java.util.function.Supplier<String> of = () -> \"i\"; return \"int \" + n + of.get(); }\n";
const OVER_LONG: &str = "    static String over(long n) { java.util.function.Supplier<String> of = () -> \"l\"; return \"long\" + of.get(); }\n";
const OVER_BOTH: &str = "    static String over(long n) { java.util.function.Supplier<String> of = () -> \"l\"; return \"long\" + of.get(); }\n    static String over(int n) { java.util.function.Supplier<String> of = () -> \"i\"; return \"int \" + n + of.get(); }\n";

impl Made {
    /// Compiles those that are not there yet; without a compiler it is said that the test was skipped.
    pub(crate) fn of(release: &'static str) -> Option<Self> {
        if Jdk::compiler().is_none() {
            skip("compose", no_jdk_hint());
            return None;
        }
        VERSIONS.iter().for_each(|(name, edits)| make(name, edits, release).unwrap());
        Some(Self(release))
    }

    pub(crate) fn class(&self, name: &str) -> Vec<u8> {
        fs::read(self.dir(name).join("Svc.class")).unwrap()
    }

    pub(crate) fn dir(&self, name: &str) -> std::path::PathBuf {
        target_dir().join("compose").join(format!("{} {name}", self.0))
    }
}

fn make(name: &str, edits: &[(&str, &str)], release: &str) -> Result<()> {
    let mut text = base();
    for (old, new) in edits {
        anyhow::ensure!(text.contains(old), "{name}: no {old}");
        text = text.replace(old, new);
    }
    let dir = target_dir().join("compose");
    let source = dir.join(format!("source {name}")).join("Svc.java");
    fs::create_dir_all(source.parent().context("a folder")?)?;
    {
        let _lock = lock(&dir.join("sources"))?;
        if fs::read_to_string(&source).ok().as_deref() != Some(&text) {
            fs::write(&source, text)?;
        }
    }
    javac::compile(&[source], &dir.join(format!("{release} {name}")), &["--release", release, "-g"])
}

/// What is in force first. Its first method fills the constant pool, so that what a patch adds stands past 255.
fn base() -> String {
    let mut text =
        String::from("public class Svc {\n    static long price = 30;\n    static String many(int n) {\n");
    for n in 0..150 {
        let _ = writeln!(text, "        if (n == {n}) return \"text {n}\";");
    }
    text += "        return \"none\";\n    }\n    static String price(int n) { return \"price \" + n; }\n";
    text += "    static String name(int n) {\n        java.util.function.IntFunction<String> of = i -> \"name \" + i;\n";
    text += "        return of.apply(n);\n    }\n";
    let _ = writeln!(text, "    static String pick(int n) {{ {} }}", PICK.0);
    text += OVER_INT;
    text += OVER_LONG;
    text += "    public static String all(int n) {\n        StringBuilder all = new StringBuilder();\n";
    text += "        all.append(price(n)).append(\", \").append(name(n)).append(\", \").append(pick(n)).append(\", \");\n";
    text += "        return all.append(over(n)).append(' ').append(over(7L)).append(' ').append(many(n)).toString();\n    }\n}\n";
    text
}
