//! `cargo xtask corpus identity`: what is not edited stays as it is, byte for byte.

use anyhow::{Context, Result, bail};

use super::archives::Archive;
use super::examples::facts;

/// Checks all of it and prints a line an archive.
pub(super) fn run(archives: &[Archive]) -> Result<()> {
    println!("{:<44} {:>7} {:>7} {:>6}", "", "classes", "MB", "MB/s");
    let (mut all, mut wrong) = (Sum::default(), Vec::new());
    for archive in archives {
        let args: Vec<String> = archive.jars.iter().map(|jar| jar.display().to_string()).collect();
        let mut sum = Sum::default();
        for fact in facts("identity", &args)? {
            match fact.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                ["jar", _, classes, bytes, micros] => sum.add(&[classes, bytes, micros])?,
                _ => wrong.push(format!("{}: {}", archive.name, fact.join(" "))),
            }
        }
        println!("{:<44} {sum}", archive.name);
        all.join(&sum);
    }
    println!("{:<44} {all}", format!("{} archives", archives.len()));
    if !wrong.is_empty() {
        let first = wrong.iter().take(10).map(|line| format!("\n  {line}")).collect::<String>();
        bail!("{} classes did not come out as they went in:{first}", wrong.len());
    }
    println!("all came out as they went in");
    Ok(())
}

#[derive(Debug, Default)]
struct Sum {
    classes: u64,
    bytes: u64,
    micros: u64,
}

impl Sum {
    fn add(&mut self, fields: &[&str; 3]) -> Result<()> {
        let [classes, bytes, micros] = fields.map(|field| field.parse().context("identity: no number"));
        self.join(&Self { classes: classes?, bytes: bytes?, micros: micros? });
        Ok(())
    }

    fn join(&mut self, other: &Self) {
        self.classes += other.classes;
        self.bytes += other.bytes;
        self.micros += other.micros;
    }
}

impl std::fmt::Display for Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Bytes a microsecond are megabytes a second.
        let rate = self.bytes as f64 / self.micros.max(1) as f64;
        write!(f, "{:>7} {:>7.1} {rate:>6.0}", self.classes, self.bytes as f64 / 1e6)
    }
}
