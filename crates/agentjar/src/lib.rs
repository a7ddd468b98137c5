//! Checks a Java agent jar before it is sent to a JVM: what that JVM will surely refuse is an error, what is
//! likely to disappoint is a warning, and each says how it is known and what to do.
//!
//! A function of what is handed in: the jar as a reader, the request, what is known of the target, and a
//! look at files beside the jar. Nothing here opens a file or talks to a JVM. It is no verifier: an agent
//! that passes may still throw.
//!
//! ```no_run
//! use jgraft_agentjar::{Question, TargetFacts, check};
//!
//! let jar = std::fs::File::open("/opt/agent.jar").unwrap();
//! let target = TargetFacts { feature_version: Some(17), ..TargetFacts::default() };
//! let report = check(jar, &Question { target: Some(&target), ..Question::new("/opt/agent.jar".as_ref()) });
//! for finding in &report.findings {
//!     println!("{}: {}; {}", finding.code, finding.sentence, finding.remedy);
//! }
//! ```

mod check;
mod companions;
mod end_record;
mod finding;
mod jar;
mod java_manifest;
mod jdk;
mod manifest;
mod question;
mod report;
mod source;

pub use check::{check, unopened};
pub use companions::{Companion, companions};
pub use finding::{Finding, Severity};
pub use jar::{Jar, JarError};
pub use jdk::ClassVersion;
pub use manifest::{Manifest, ManifestError};
pub use question::{Neighbour, Question, ReadSeek, TargetFacts};
pub use report::{AgentMain, ManifestFacts, Report};
