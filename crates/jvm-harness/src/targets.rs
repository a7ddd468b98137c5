//! The services of `examples/targets`, compiled for tests, examples and the demo.

use std::path::PathBuf;

use anyhow::Result;

use crate::{cache, javac};

/// The folder with the classes of `OrderService`, compiled for JDK 8 when it is not there or older than its
/// source.
///
/// # Errors
/// As [`javac::compile`].
pub fn order_service_classes() -> Result<PathBuf> {
    let source = cache::workspace().join("examples/targets/OrderService.java");
    let classes = cache::target_dir().join("harness/order-service");
    javac::compile(&[source], &classes, &[])?;
    Ok(classes)
}
