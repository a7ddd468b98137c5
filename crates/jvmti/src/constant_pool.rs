//! The constant pool of a loaded class as it is in force, in the form of a class file (JVMS 4.4).

#![allow(unsafe_code, reason = "calls on the environment, with references that the JVM gave")]

use std::ptr::{self, NonNull};

use crate::class::Class;
use crate::env::Environment;
use crate::error::Error;
use crate::memory::Array;
use crate::table;

impl Class {
    /// Its constant pool as it is in force: constant_pool_count and the entries (JVMS 4.4), as a class file has them. Takes
    /// `can_get_constant_pool`.
    pub fn constant_pool(&self, environment: &Environment) -> Result<Vec<u8>, Error> {
        let (mut count, mut length, mut start) = (0, 0, ptr::null_mut());
        // SAFETY: the environment is alive; the class is while `self` is; the places outlive the call.
        unsafe {
            table::get_constant_pool(
                environment.raw(),
                self.object().as_raw(),
                &raw mut count,
                &raw mut length,
                &raw mut start,
            )
        }?;
        let start = NonNull::new(start).ok_or(Error::Missing { call: "GetConstantPool" })?;
        // SAFETY: the call succeeded, so this environment has handed out an array of that length.
        let entries = unsafe { Array::new(environment, start, usize::try_from(length).unwrap_or(0)) };
        let mut pool = (count as u16).to_be_bytes().to_vec();
        pool.extend_from_slice(&entries);
        name_failed_constants(&mut pool);
        Ok(pool)
    }
}

/// CONSTANT_Dynamic, and what HotSpot marks one with in its own memory once that could not be computed.
const DYNAMIC: u8 = 17;
const DYNAMIC_IN_ERROR: u8 = 106;

/// Gives dynamic constants that could not be computed their tag. HotSpot tells its own tag of them, from 11 on up to 26 at
/// least; of classes, handles and types that could not be resolved it tells that of the format.
fn name_failed_constants(pool: &mut [u8]) {
    let mut at = 2;
    while let Some(tag) = pool.get(at).copied() {
        if tag == DYNAMIC_IN_ERROR
            && let Some(place) = pool.get_mut(at)
        {
            *place = DYNAMIC;
        }
        let rest = match tag {
            1 => match pool.get(at + 1..at + 3) {
                Some(&[high, low]) => 2 + usize::from(u16::from_be_bytes([high, low])),
                _ => return,
            },
            3 | 4 | 9..=12 | DYNAMIC | 18 | DYNAMIC_IN_ERROR => 4,
            5 | 6 => 8,
            7 | 8 | 16 | 19 | 20 => 2,
            15 => 3,
            // Whoever reads it will say what is wrong with it.
            _ => return,
        };
        at += 1 + rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dynamic_constant_that_failed_is_one() {
        // "jj" (two bytes that look like the mark), a long, a class, a handle, and a dynamic constant.
        let pool = |tag| {
            let mut pool = vec![0, 8, 1, 0, 2, 106, 106, 5, 0, 0, 0, 0, 0, 0, 0, 106, 7, 0, 1, 15, 6, 0, 106];
            pool.extend([tag, 0, 106, 0, 106]);
            pool
        };
        let mut told = pool(106);
        name_failed_constants(&mut told);
        assert_eq!(told, pool(17));
    }

    #[test]
    fn what_is_no_pool_stays_as_it_is() {
        for pool in [
            &[][..],
            &[0],
            &[0, 2],
            &[0, 2, 1],
            &[0, 2, 1, 255, 255, 106],
            &[0, 2, 99, 106],
            &[0, 2, 18, 106],
        ] {
            let mut told = pool.to_vec();
            name_failed_constants(&mut told);
            assert_eq!(told, pool);
        }
    }
}
