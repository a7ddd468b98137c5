//! Asks a JVM for its version, by pid or by the name of its main class:
//! `cargo run -p jgraft-attach --example version -- OrderService`.

use std::error::Error;
use std::time::Duration;

use jgraft_attach::{Client, Request, discover, examine};

fn main() -> Result<(), Box<dyn Error>> {
    let name = std::env::args().nth(1).ok_or("usage: version PID|NAME")?;
    let target = discover::resolve(&name)?;
    for blocker in examine(&target).blockers {
        eprintln!("{}: {}; {}", blocker.cause, blocker.evidence, blocker.remedy);
    }
    let mut client = Client::new(target).timeout(Duration::from_secs(5));
    let reply = client.send(&Request::jcmd("VM.version")?)?;
    let (text, took) = reply.into_text(1 << 20)?;
    println!("{} ({took:?})", text.trim_end());
    Ok(())
}
