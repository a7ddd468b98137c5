//! Real programs that are patched while they answer requests: Tomcat, from Maven Central.

mod common;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use anyhow::{Context, Result, ensure};
use common::{PATIENCE, bundled_agent_beside_jgraft, jgraft, text};
use jgraft_jvm_harness::{Jvm, artifacts, cache, each_jdk, javac, maven, skip};

const TOMCAT: [&str; 2] =
    ["org.apache.tomcat.embed:tomcat-embed-core:9.0.98", "org.apache.tomcat:tomcat-annotations-api:9.0.98"];

/// The answer to a request.
fn answer(port: u16) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /lamp HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// The shop with a price, compiled; where its classes are.
fn compiled(price: &str, class_path: &str) -> Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/patch/tomcat/Shop.java");
    let folder = cache::target_dir().join("patched-tomcat").join(price);
    fs::create_dir_all(&folder)?;
    let file = folder.join("Shop.java");
    fs::write(&file, fs::read_to_string(source)?.replace("1299.00", price))?;
    javac::compile(&[file], &folder.join("classes"), &["--release", "8", "-nowarn", "-cp", class_path])?;
    Ok(folder.join("classes"))
}

#[test]
fn an_answer_of_tomcat_changes_and_changes_back_while_requests_run() {
    let jars = match TOMCAT.iter().map(|name| maven::artifact(name)).collect::<Result<Vec<_>, _>>() {
        Ok(jars) => jars,
        Err(reason) => return skip("patch_programs::tomcat", &reason),
    };
    let class_path = jars.iter().map(|jar| text(jar)).collect::<Vec<_>>().join(":");
    let old = compiled("1299.00", &class_path).unwrap();
    let new = compiled("999.00", &class_path).unwrap();
    each_jdk("patch_programs::tomcat", .., |jdk| {
        artifacts::native_agent()?;
        bundled_agent_beside_jgraft()?;
        let base = tempfile::tempdir()?;
        let builder =
            jars.iter().fold(Jvm::builder(jdk).class_path(&old), |jvm, jar| jvm.class_path(jar).visible(jar));
        let builder = builder.visible(&old).visible(base.path());
        let jvm = builder.main("Shop").program_args([base.path()]).start()?;
        let port: u16 = jvm.wait_ready()?.rsplit(' ').next().context("no port")?.parse()?;
        let (enough, (answered, answers)) = (AtomicBool::new(false), mpsc::channel());
        let wrong = thread::scope(|scope| -> Result<Option<String>> {
            let enough = &enough;
            let client = scope.spawn(move || {
                while !enough.load(Ordering::Acquire) {
                    let got = answer(port).unwrap_or_else(|error| error.to_string());
                    let fine = got.starts_with("HTTP/1.1 200")
                        && (got.contains("lamp is 1299.00") || got.contains("lamp is 999.00"));
                    if !fine {
                        return Some(got);
                    }
                    // Whoever counts them may have enough.
                    let _ = answered.send(());
                }
                None
            });
            let driven = drive(&jvm, port, &new, &answers);
            enough.store(true, Ordering::Release);
            let wrong = client.join().unwrap_or_else(|_| Some("the client has panicked".to_owned()));
            driven.map(|()| wrong)
        })?;
        ensure!(wrong.is_none(), "{wrong:?}");
        Ok(())
    });
}

fn drive(jvm: &Jvm, port: u16, new: &Path, answers: &mpsc::Receiver<()>) -> Result<()> {
    let pid = jvm.pid().to_string();
    let class = new.join("PriceServlet.class");
    let some_more = || -> Result<()> {
        answers.try_iter().for_each(drop);
        for _ in 0..20 {
            answers.recv_timeout(PATIENCE).context("requests are not answered any more")?;
        }
        Ok(())
    };
    some_more()?;
    ensure!(answer(port)?.contains("lamp is 1299.00"), "before");
    for _ in 0..2 {
        jgraft(["patch", &pid, "apply", text(&class)])?.expect(0)?;
        ensure!(answer(port)?.contains("lamp is 999.00"), "patched");
        some_more()?;
        jgraft(["patch", &pid, "revert"])?.expect(0)?;
        ensure!(answer(port)?.contains("lamp is 1299.00"), "reverted");
        some_more()?;
    }
    Ok(())
}
