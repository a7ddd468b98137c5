//! Output for machines: one object a line, each saying which schema it follows. docs/json.md lists the fields.

use serde::Serialize;

use crate::output;

/// Raised when a field changes its meaning or goes away; new fields do not raise it.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Envelope<'a, T> {
    schema: String,
    #[serde(flatten)]
    body: &'a T,
}

/// Prints one object on stdout; its first field is `"schema": "jgraft.<kind>/1"`.
pub(crate) fn print<T: Serialize>(kind: &str, body: &T) {
    let envelope = Envelope { schema: format!("jgraft.{kind}/{VERSION}"), body };
    match serde_json::to_string(&envelope) {
        Ok(text) => output::line(&text),
        Err(e) => drop(output::keep(Err(e.into()))),
    }
}
