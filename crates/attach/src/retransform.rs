//! What the first retransformation costs a JVM: on 8 to 22 it throws away all compiled code (JDK-8324241, fixed in 23),
//! and a busy service runs interpreted until it has compiled it again.

use crate::finding::{Finding, FindingKind};
use crate::target::{Kind, Target};

/// The first release that keeps compiled code.
const FIXED_IN: u32 = 23;

/// So many compiled methods are a cost that has to be agreed to: to compile them again takes a service seconds.
pub const LARGE_FLUSH: i64 = 5_000;

/// How many methods it has compiled since it started, on a release that would throw them away.
pub fn compiled_at_risk(target: &Target) -> Option<i64> {
    first_retransform(target)?;
    target.perfdata()?.long("sun.ci.totalCompiles")
}

/// The warning, for a release that has that cost. A JVM whose agent could retransform from its start has paid it already,
/// which cannot be told from outside.
pub fn first_retransform(target: &Target) -> Option<Finding> {
    if target.kind() != Kind::HotSpot || target.feature().is_none_or(|feature| feature >= FIXED_IN) {
        return None;
    }
    let compiled = target.perfdata().and_then(|perf| perf.long("sun.ci.totalCompiles"));
    let compiled = match compiled {
        Some(methods) => format!("it has compiled {methods} methods since it started"),
        None => "its counters do not say how much it has compiled".to_owned(),
    };
    Some(Finding::new(
        FindingKind::CodeFlush,
        "the first agent that retransforms a class makes the jvm throw away all its compiled code",
        format!("java {} ({FIXED_IN} and newer keep it); {compiled}", target.version().unwrap_or("?")),
        "do it when the service is quiet; an agent that can retransform and is there from the start avoids it",
    ))
}
