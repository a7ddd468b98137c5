//! The answer: what was found in the jar, and what is wrong with it.

use crate::finding::{Finding, Severity};
use crate::jdk::ClassVersion;

/// What is known of a jar after a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The attributes that concern agents; none if there is no manifest that libinstrument can read.
    pub manifest: Option<ManifestFacts>,
    /// The method that the target will call, or any JDK if there is no target.
    pub agent_main: Option<AgentMain>,
    /// The class-file version of the agent class.
    pub class_version: Option<ClassVersion>,
    /// What is wrong, in the order in which a JVM would meet it.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether the target will surely refuse the jar.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}

/// The main section of the manifest, as libinstrument reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManifestFacts {
    /// Agent-Class: loaded by attach.
    pub agent_class: Option<String>,
    /// Premain-Class: loaded by -javaagent.
    pub premain_class: Option<String>,
    /// Launcher-Agent-Class: loaded by `java -jar`.
    pub launcher_agent_class: Option<String>,
    /// Boot-Class-Path, entry by entry, as written.
    pub boot_class_path: Vec<String>,
    /// Can-Redefine-Classes is "true".
    pub can_redefine_classes: bool,
    /// Can-Retransform-Classes is "true".
    pub can_retransform_classes: bool,
    /// Can-Set-Native-Method-Prefix is "true".
    pub can_set_native_method_prefix: bool,
    /// Class loaders look into META-INF/versions.
    pub multi_release: bool,
}

/// An agentmain method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentMain {
    /// The class that declares it, with dots.
    pub class: String,
    /// Its descriptor.
    pub descriptor: String,
    /// Whether it is public.
    pub public: bool,
    /// Whether the agent class has it from a superclass.
    pub inherited: bool,
}
