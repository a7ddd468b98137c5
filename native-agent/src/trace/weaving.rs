//! The hook that weaves, and the retransformation of classes that are loaded: in batches, since each stops the application
//! for a moment, and halved where one class fails all others of its batch.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jgraft_jvmti::{Class, ClassFile, Environment, Error, Event, Events, Panic};
use jni::Env;

use super::Trace;
use super::edits::shown;

/// A batch that takes longer is followed by a smaller one. The application stands still for a part of that time.
const LONG: Duration = Duration::from_millis(40);
/// One that takes less is followed by a larger one.
const SHORT: Duration = Duration::from_millis(20);
const FIRST_BATCH: usize = 10;
const LARGEST_BATCH: usize = 200;

/// Weaves whatever comes through and is wanted.
pub(super) struct Hook(pub(super) Arc<Trace>);

impl Events for Hook {
    fn class_file_load_hook(&self, _: &Environment, class: &ClassFile<'_>) -> Option<Vec<u8>> {
        let name = match class.name() {
            Some(name) => name.to_string(),
            None => {
                jgraft_classfile::ClassFile::parse(class.bytes()).ok()?.this_class_name().ok()?.to_string()
            }
        };
        self.0.weave(&name, class.bytes(), class.is_redefinition())
    }

    fn panicked(&self, _: Event, _: &Panic) {}
}

/// The loaded classes that can be retransformed and have a name that is wanted.
pub(super) fn loaded(
    environment: &Environment,
    jni: &Env<'_>,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Class>, Error> {
    let found = environment.loaded_classes(jni, |signature| {
        let signature = signature.to_string();
        internal_name(&signature).is_some_and(&wanted)
    })?;
    let mut classes = found.wanted;
    classes.retain(|class| class.is_modifiable(environment).unwrap_or(false));
    Ok(classes)
}

/// The name of a class in its signature; none for an array or a primitive type.
pub(super) fn internal_name(signature: &str) -> Option<&str> {
    signature.strip_prefix('L').and_then(|rest| rest.strip_suffix(';'))
}

/// What a retransformation came to.
#[derive(Debug, Default)]
pub(super) struct Retransformed {
    pub(super) classes: usize,
    /// The longest that one batch took.
    pub(super) longest: Duration,
    /// Names of classes, and why the JVM did not take them.
    pub(super) refused: Vec<(String, String)>,
}

/// Sends classes through the hook.
pub(super) fn retransform(environment: &Environment, classes: &[Class]) -> Result<Retransformed, Error> {
    let (mut done, mut rest, mut batch) = (Retransformed::default(), classes, FIRST_BATCH);
    while !rest.is_empty() {
        let (now, later) = rest.split_at(batch.min(rest.len()));
        let start = Instant::now();
        halved(environment, now, &mut done)?;
        let took = start.elapsed();
        done.longest = done.longest.max(took);
        batch = next_batch(batch, took);
        rest = later;
    }
    Ok(done)
}

fn next_batch(batch: usize, took: Duration) -> usize {
    match took {
        long if long > LONG => (batch / 2).max(1),
        short if short < SHORT => (batch + batch.div_ceil(2)).min(LARGEST_BATCH),
        _ => batch,
    }
}

/// All of them, but for those that the JVM refuses by themselves.
fn halved(environment: &Environment, classes: &[Class], done: &mut Retransformed) -> Result<(), Error> {
    match environment.retransform_classes(classes) {
        Ok(()) => done.classes += classes.len(),
        Err(error) if error.is_wrong_phase() => return Err(error),
        Err(error) => match classes {
            [] => {}
            [one] => {
                let signature = one.signature(environment).map(|name| name.to_string()).unwrap_or_default();
                let name = internal_name(&signature).unwrap_or(&signature);
                done.refused.push((shown(name), error.to_string()));
            }
            _ => {
                let (first, second) = classes.split_at(classes.len() / 2);
                halved(environment, first, done)?;
                halved(environment, second, done)?;
            }
        },
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_follow_the_time_that_they_take() {
        let ms = Duration::from_millis;
        assert_eq!([ms(1), ms(30), ms(41)].map(|took| next_batch(10, took)), [15, 10, 5]);
        assert_eq!((next_batch(1, ms(500)), next_batch(190, ms(1)), next_batch(1, ms(1))), (1, 200, 2));
    }

    #[test]
    fn names_in_signatures() {
        assert_eq!(internal_name("Lshop/Order;"), Some("shop/Order"));
        assert_eq!((internal_name("[Lshop/Order;"), internal_name("I")), (None, None));
    }
}
