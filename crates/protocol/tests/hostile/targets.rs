//! What is done to hostile text; the fuzz targets in `fuzz/` and the long run `cargo xtask fuzz` call the same.

use jgraft_protocol::properties;

/// Texts to begin with.
pub(crate) const PROPERTIES: [&[u8]; 3] = [
    b"#Tue Jan 01 00:00:00 UTC 2026\nagent.jar=/tmp/a\\ b.jar\nagent.sha256=00ff\noptions=a\\=b\\\n   c\\u00FC\n",
    b"! none\r\nstage agentmain\\: x\nstatus:failed\ntrace=\\tat A.b(A.java\\:1)\\n\\uD834\\uDD1E\n\n",
    b"a\nb=\nc \\\n\\\nd:\\u12",
];

/// Reads it, writes it, and reads the same again.
pub(crate) fn properties(bytes: &[u8]) {
    let pairs = properties::parse(bytes);
    let written = properties::write(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    assert!(written.is_ascii());
    assert_eq!(properties::parse(written.as_bytes()), pairs);
    for (key, _) in &pairs {
        assert!(properties::get(&pairs, key).is_some());
    }
}
