//! Agents that no one here wrote, from Maven Central: checked, loaded or refused, the service unharmed.

mod common;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use common::{jgraft, load, text, unharmed};
use jgraft_jvm_harness::{Jdk, Jvm, JvmBuilder, each_jdk, maven, skip, targets};

const BYTE_BUDDY: &str = "net.bytebuddy:byte-buddy-agent:1.15.10";
const OPEN_TELEMETRY: &str = "io.opentelemetry.javaagent:opentelemetry-javaagent:2.10.0";
const JACOCO: &str = "org.jacoco:org.jacoco.agent:0.8.12:runtime";

/// `None`, with its reason on record, where the repository does not give it.
fn artifact(test: &str, coordinates: &str) -> Option<PathBuf> {
    maven::artifact(coordinates).map_err(|reason| skip(test, &reason)).ok()
}

fn service(jdk: &'static Jdk) -> Result<JvmBuilder<'static>> {
    let service = Jvm::builder(jdk).class_path(targets::order_service_classes()?).main("OrderService");
    Ok(service.program_args(["--quiet"]))
}

#[test]
fn byte_buddys_agent_is_checked_and_loaded() {
    let Some(jar) = artifact("maven::byte_buddy", BYTE_BUDDY) else { return };
    each_jdk("maven::byte_buddy", .., |jdk| {
        let service = service(jdk)?.visible(&jar).start()?;
        service.wait_ready()?;
        jgraft(["check", text(&jar), "--for", &service.pid().to_string()])?.expect(0)?;
        load(service.pid(), text(&jar), &[])?.expect(0)?;
        unharmed(&service)
    });
}

#[test]
fn opentelemetrys_agent_is_checked_and_loaded() {
    let Some(jar) = artifact("maven::opentelemetry", OPEN_TELEMETRY) else { return };
    each_jdk("maven::opentelemetry", .., |jdk| {
        let mut service = service(jdk)?.visible(&jar);
        // Nothing is to leave this machine.
        for signal in ["TRACES", "METRICS", "LOGS"] {
            service = service.env(format!("OTEL_{signal}_EXPORTER"), "none");
        }
        let service = service.start()?;
        service.wait_ready()?;
        jgraft(["check", text(&jar), "--for", &service.pid().to_string()])?.expect(0)?;
        load(service.pid(), text(&jar), &[])?.expect(0)?;
        unharmed(&service)
    });
}

#[test]
fn jacocos_agent_is_refused_with_the_line_that_works() {
    let Some(jar) = artifact("maven::jacoco", JACOCO) else { return };
    each_jdk("maven::jacoco", .., |jdk| {
        let plain = service(jdk)?.visible(&jar).start()?;
        plain.wait_ready()?;
        let refused = load(plain.pid(), text(&jar), &[])?.expect(3)?.explained("was not sent to")?;
        let option = format!("-javaagent:{}", text(&jar));
        ensure!(refused.stderr.contains(&option), "{refused:#?}");
        unharmed(&plain)?;
        if (8..=23).contains(&jdk.feature) {
            // This JaCoCo knows the class files of these; its report goes nowhere.
            let started = service(jdk)?.visible(&jar).args([format!("{option}=output=none")]).start()?;
            started.wait_ready()?;
            let seen = jgraft(["check", text(&jar), "--json", "--for", &started.pid().to_string()])?
                .expect(3)?
                .json()?;
            let codes: Vec<_> =
                seen["warnings"].as_array().into_iter().flatten().map(|w| w["code"].clone()).collect();
            ensure!(codes.contains(&"already-loaded".into()), "{seen}");
            unharmed(&started)?;
        }
        Ok(())
    });
}
