//! Re-basing: a freshly compiled class on the constant pool and bootstrap methods of the class in force (JVMS 4.4,
//! 4.7.23). What the base has keeps its index; what only the new class has is appended.
//!
//! HotSpot merges both pools when it redefines a class, and copies a method for every ldc whose constant has moved past
//! 255; a pool that did not move costs it nothing. Always re-base on the class as it was loaded, or on what
//! [`compose`](crate::compose) made of it last, and never on a patch as it was given.

mod pool;

use std::fmt;

use crate::class_file::ClassFile;
use crate::constant_pool::Tag;
use crate::error::Error;
use crate::left_alone::LeftAlone;
use crate::opcode::LDC_W;
use crate::references::{Referred, Stopped, walk};
use crate::rewrite::{ClassCopy, CodeEdit, Insertion, Place, Scan, Scratch, Snippet, Wanted};
use pool::RebasedPool;

/// Widening an ldc may append a constant and so push another past 255: how often that is looked for one by one.
const ROUNDS: usize = 4;

/// Why a class was not re-based.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RebaseError {
    /// Base or new class are broken.
    Malformed(Error),
    /// The new class has an attribute of this name, which the specification does not define: it may hold indices of the
    /// constant pool, and nobody knows where.
    UnknownAttribute(String),
    /// Code of a method could not be laid out with wider instructions.
    Method {
        /// The method's name and descriptor.
        method: String,
        /// Why.
        reason: LeftAlone,
    },
    /// The new class is of an older version than a constant of the base, which its version does not allow.
    OlderVersion {
        /// major_version of the new class.
        major: u16,
        /// What the base's constant is.
        constant: Tag,
    },
    /// Both pools together have more than 65,534 entries.
    ConstantPoolFull,
    /// Both classes together have more than 65,535 bootstrap methods.
    BootstrapMethodsFull,
}

impl From<Error> for RebaseError {
    fn from(error: Error) -> Self {
        Self::Malformed(error)
    }
}

impl From<Stopped> for RebaseError {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Malformed(error) => Self::Malformed(error),
            Stopped::UnknownAttribute(name) => Self::UnknownAttribute(name),
        }
    }
}

impl fmt::Display for RebaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "broken: {error}"),
            Self::UnknownAttribute(name) => write!(
                f,
                "attribute {name} is not of the specification, and may hold constant-pool indices where nobody knows"
            ),
            Self::Method { method, reason } => write!(f, "{method}: {reason}"),
            Self::OlderVersion { major, constant } => write!(
                f,
                "a class of version {major} may not have a constant of kind {constant}, as the base has: compile it \
                 for the base's release"
            ),
            Self::ConstantPoolFull => {
                f.write_str("both constant pools together have more than 65534 entries")
            }
            Self::BootstrapMethodsFull => f.write_str("together there are more than 65535 bootstrap methods"),
        }
    }
}

impl std::error::Error for RebaseError {}

/// The class `new`, with `base`'s constant pool and bootstrap methods in front of its own.
pub fn rebase(base: &ClassFile<'_>, new: &ClassFile<'_>) -> Result<Vec<u8>, RebaseError> {
    new.check_structure()?;
    check_version(base, new)?;
    let mut wider: Option<Vec<u8>> = None;
    for round in 0.. {
        let parsed = wider.as_deref().map(ClassFile::parse).transpose()?;
        let class = parsed.as_ref().unwrap_or(new);
        let mut pool = RebasedPool::new(base, class)?;
        let too_far = |index: u16| index > u16::from(u8::MAX) || round >= ROUNDS;
        let wanted = short_constants(class, &mut pool, too_far)?;
        if wanted.iter().all(Vec::is_empty) {
            return write(base, class, &mut pool);
        }
        wider = Some(widen(class, &wanted)?);
    }
    // The loop ends by returning: each round widens an ldc, and there are only so many.
    Err(RebaseError::ConstantPoolFull)
}

/// Each kind of constant came with a version (table 4.4-B); a JVM refuses it in older ones, used or not.
fn check_version(base: &ClassFile<'_>, new: &ClassFile<'_>) -> Result<(), RebaseError> {
    let major = new.major_version();
    if base.major_version() <= major {
        return Ok(());
    }
    for constant in (1..base.constant_pool().count()).filter_map(|index| base.constant_pool().tag(index).ok())
    {
        let since = match constant {
            Tag::MethodHandle | Tag::MethodType | Tag::InvokeDynamic => 51,
            Tag::Module | Tag::Package => 53,
            Tag::Dynamic => 55,
            _ => 0,
        };
        if major < since {
            return Err(RebaseError::OlderVersion { major, constant });
        }
    }
    Ok(())
}

/// For each method the pcs of its ldc that have to be wider, with their constants. These constants come first, so that
/// as few as can be stand past 255.
fn short_constants(
    class: &ClassFile<'_>,
    pool: &mut RebasedPool<'_, '_>,
    too_far: impl Fn(u16) -> bool,
) -> Result<Vec<Vec<(u32, u16)>>, RebaseError> {
    let mut wanted = Vec::new();
    for method in class.methods() {
        let mut pcs = Vec::new();
        if let Some(code) = method?.code(class.constant_pool())? {
            for instruction in code.instructions() {
                let instruction = instruction?;
                let crate::instruction::Operands::Pool(index) = instruction.operands else { continue };
                if instruction.opcode == crate::opcode::LDC && too_far(pool.index(index)?) {
                    pcs.push((instruction.pc as u32, index));
                }
            }
        }
        wanted.push(pcs);
    }
    Ok(wanted)
}

/// The same class, with ldc_w in the place of these ldc.
fn widen(class: &ClassFile<'_>, wanted: &[Vec<(u32, u16)>]) -> Result<Vec<u8>, RebaseError> {
    let mut copy = ClassCopy::new(class);
    let (mut scan, mut scratch) = (Scan::default(), Scratch::default());
    for (method, pcs) in class.methods().zip(wanted) {
        let method = method?;
        if pcs.is_empty() {
            continue;
        }
        let mut edit = CodeEdit::default();
        for (snippet, (pc, index)) in pcs.iter().enumerate() {
            let [high, low] = index.to_be_bytes();
            edit.snippets.push(Snippet { code: vec![LDC_W, high, low], ..Snippet::default() });
            edit.insertions.push(Insertion { pc: *pc, place: Place::Instead, snippet, frame: None });
        }
        let done = copy.method(&method, |method| {
            let code = method.code()?;
            scan.run(&code.code, 0, Wanted::Ends)?;
            method.replace_code(&code, &scan, &edit, &mut scratch)
        });
        done.map_err(|reason| RebaseError::Method {
            method: format!("{}{}", method.name(), method.descriptor()),
            reason,
        })?;
    }
    Ok(copy.finish())
}

/// The class with every index as `pool` has it.
fn write(
    base: &ClassFile<'_>,
    class: &ClassFile<'_>,
    pool: &mut RebasedPool<'_, '_>,
) -> Result<Vec<u8>, RebaseError> {
    let start = class.constant_pool_end();
    let mut body = class.bytes().get(start..).unwrap_or_default().to_vec();
    let mut failed = None;
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(place) = body.get_mut(at - start..at - start + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    };
    walk(class, &mut |place| {
        let moved = match place.what {
            Referred::Constant(index) => pool.index(index),
            Referred::ShortConstant(index) => pool.index(u16::from(index)),
            Referred::Pc(_) | Referred::Length { .. } => return,
        };
        match (moved, place.what) {
            // Those past 255 have been widened.
            (Ok(moved), Referred::ShortConstant(_)) => put(place.at, &[moved as u8]),
            (Ok(moved), _) => put(place.at, &moved.to_be_bytes()),
            (Err(error), _) => failed = failed.take().or(Some(error)),
        }
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    // The numbers of bootstrap methods stand in the pool; the attribute is the base's, longer.
    let bootstrap = pool.bootstrap_methods()?;
    let count_at = class.attributes_at()? - start;
    let own = class.attributes()?.find("BootstrapMethods")?;
    let name = match (&own, base.attributes()?.find("BootstrapMethods")?) {
        (Some(own), _) => pool.index(own.name_index())?,
        (None, Some(base)) => base.name_index(),
        (None, None) => 0,
    };
    if let Some(info) = bootstrap.filter(|_| name != 0) {
        let mut attribute = name.to_be_bytes().to_vec();
        attribute.extend((info.len() as u32).to_be_bytes());
        attribute.extend(info);
        match own {
            Some(own) => {
                let at = own.offset() - 6 - start;
                body.splice(at..at + own.whole().len(), attribute);
            }
            None => {
                let count = crate::reader::Reader::at(&body, count_at).u2()?.checked_add(1);
                let count = count.ok_or(RebaseError::BootstrapMethodsFull)?;
                if let Some(place) = body.get_mut(count_at..count_at + 2) {
                    place.copy_from_slice(&count.to_be_bytes());
                }
                body.extend(attribute);
            }
        }
    }
    // magic, minor_version, major_version
    let mut out = class.bytes().get(..8).unwrap_or_default().to_vec();
    out.extend(pool.count().to_be_bytes());
    out.extend_from_slice(base.bytes().get(10..base.constant_pool_end()).unwrap_or_default());
    out.extend_from_slice(pool.appended());
    out.extend(body);
    Ok(out)
}
