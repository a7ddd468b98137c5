//! Arguments of more than 1,024 bytes: carried by version 2 of the attach protocol where the JVM says that it speaks it,
//! refused before anything is touched where it cannot.

mod common;

use std::path::Path;

use anyhow::ensure;
use common::{PATIENCE, good_jar, jgraft, load, service, text, unharmed};
use jgraft_jvm_harness::each_jdk;

#[test]
fn long_options_arrive_or_are_refused() {
    each_jdk("long_arguments::load", .., |jdk| {
        let service = service(jdk, &[])?;
        let (jar, long) = (good_jar()?, "x".repeat(3000));
        let agent = format!("{}={long}", text(&jar));
        if jdk.feature >= 24 {
            load(service.pid(), &agent, &[])?.expect(0)?;
            let wanted = format!("options [{long}]");
            service.wait_for_stdout(|line| line.contains(&wanted), PATIENCE)?;
            return unharmed(&service);
        }
        load(service.pid(), &agent, &[])?.expect(3)?.explained("was not sent to")?;
        let pid = service.pid().to_string();
        jgraft(["jcmd", &pid, "help", &long])?.expect(3)?.explained("too long for version 1")?;
        let socket = format!("/proc/{0}/root/tmp/.java_pid{0}", service.pid());
        ensure!(!Path::new(&socket).exists(), "it was woken for a request that does not fit");
        unharmed(&service)
    });
}

#[test]
fn an_operator_may_have_turned_version_2_off() {
    each_jdk("long_arguments::compat", 24.., |jdk| {
        let service = service(jdk, &["-Djdk.attach.compat=true"])?;
        let agent = format!("{}={}", text(&good_jar()?), "x".repeat(3000));
        load(service.pid(), &agent, &[])?.expect(3)?.explained("asked for its version, it answered")?;
        load(service.pid(), text(&good_jar()?), &[])?.expect(0)?;
        unharmed(&service)
    });
}
