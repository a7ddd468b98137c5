//! A class as it is in force, read by JVMTI. Nothing is retransformed for it, which would throw compiled code away on JDK 8
//! to 22, and nothing goes through a hook.
//!
//! The constant pool is the JVM's own, and code is as a class file has it: HotSpot undoes its own rewriting when asked. The
//! rest is put together of names and flags, and JVMTI does not tell all: see [`ClassParts`] for what is missing. Nor does it
//! tell `Throwable.backtrace` and a few more fields of the JDK that HotSpot hides. Each class that is read costs the JVM an
//! id a method for as long as the class is loaded.

use std::fmt;

use jgraft_classfile::opcode::{ATHROW, DUP, NEW};
use jgraft_classfile::{ClassParts, CodeParts, ConstantPool, MemberParts, access_flags};
use jgraft_jvmti::jni::{Env, JavaVM};
use jgraft_jvmti::{Class, Environment, Error, Loader, Method, Text};
use jgraft_protocol::native::reply::LOADER_BOOT;
use jgraft_protocol::native::{in_force as keys, stage};
use jgraft_protocol::properties;

use crate::class_name::{ClassName, shown};
use crate::environments::{Borrowed, Purpose};
use crate::old_frames;
use crate::report::Failure;
use crate::session::Session;

/// So often a class is read again that was redefined meanwhile.
const TRIES: usize = 3;

/// Reads the classes that the request names, into files of the session; the pairs of the reply beside its outcome.
pub(crate) fn answer(
    vm: &JavaVM,
    session: &Session,
    request: &[(String, String)],
) -> Result<Vec<(String, String)>, Failure> {
    let names = request.iter().filter(|(key, _)| key.starts_with(keys::CLASS)).map(|(_, typed)| {
        let no_name = || Failure::new(stage::OPTIONS, format!("{typed:?} is no name of a class"));
        ClassName::parse(typed).ok_or_else(no_name)
    });
    let names = names.collect::<Result<Vec<_>, _>>()?;
    let threads = properties::get(request, keys::THREADS) == Some("true");
    if names.is_empty() && !threads {
        return Err(Failure::new(stage::OPTIONS, "no class is named"));
    }
    let environment = Borrowed::take(vm, Purpose::Read)?;
    let mut pairs = Vec::new();
    if !names.is_empty() {
        pairs = classes(vm, &environment, session, &names)?;
    }
    if threads {
        pairs.extend(old_frames::answer(vm, &environment, &names)?);
    }
    Ok(pairs)
}

fn classes(
    vm: &JavaVM,
    environment: &Environment,
    session: &Session,
    names: &[ClassName],
) -> Result<Vec<(String, String)>, Failure> {
    let written = vm.with_top_local_frame(|jni| -> Result<_, Error> {
        let found = environment
            .loaded_classes(jni, |signature| names.iter().any(|name| name.has_signature(signature)))?;
        Ok(match found.wanted.len() {
            0 => {
                let loaded = found.loaded;
                let message =
                    format!("none of the {loaded} classes that are loaded has a name that was asked for");
                Err(Failure::new(stage::NOT_LOADED, message))
            }
            count if count > keys::MOST_CLASSES => {
                let most = keys::MOST_CLASSES;
                let message = format!("{count} classes have these names, and {most} are read at once");
                Err(Failure::new(stage::FIND, message))
            }
            _ => write(environment, jni, session, &found.wanted),
        })
    });
    written.map_err(|error| Failure::call(stage::FIND, "the jvm does not tell its classes", &error))?
}

fn write(
    environment: &Environment,
    jni: &Env<'_>,
    session: &Session,
    classes: &[Class],
) -> Result<Vec<(String, String)>, Failure> {
    let mut pairs = Vec::new();
    for (class, n) in classes.iter().zip(1..) {
        let unknown = |error| Failure::call(stage::READ, "the jvm does not tell what a class is", &error);
        let mut put = |key: &str, value: String| pairs.push((format!("{key}{n}"), value));
        put(keys::CLASS, shown(&class.signature(environment).map_err(unknown)?.to_string()));
        let (loader, id) = class.loader(environment, jni).map_err(unknown)?;
        put(
            keys::LOADER,
            match loader {
                Loader::Boot => LOADER_BOOT.to_owned(),
                Loader::Class(signature) => shown(&signature),
            },
        );
        put(keys::LOADER_ID, id.to_string());
        put(keys::MODIFIABLE, class.is_modifiable(environment).map_err(unknown)?.to_string());
        match read(environment, jni, class) {
            Ok(bytes) => {
                let file = keys::file(n);
                session.write_new(&file, &bytes).map_err(|error| {
                    Failure::new(stage::READ, format!("{file} cannot be written into the session: {error}"))
                })?;
                put(keys::FILE, file);
            }
            Err(error) => put(keys::ERROR, error.to_string()),
        }
    }
    Ok(pairs)
}

/// Why a class could not be read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// A call failed: the class is not linked yet, say, or an array.
    Call(Error),
    /// What the JVM told makes no class file.
    ClassFile(jgraft_classfile::Error),
    /// Somebody redefines it all the time.
    Changing,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(error) => write!(f, "{error}"),
            Self::ClassFile(error) => write!(f, "what the jvm told makes no class file: {error}"),
            Self::Changing => write!(f, "it was redefined {TRIES} times while it was read"),
        }
    }
}

impl From<Error> for Unread {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

/// What the JVM tells of a class, as a class file.
pub(crate) fn read(environment: &Environment, jni: &Env<'_>, class: &Class) -> Result<Vec<u8>, Unread> {
    for _ in 0..TRIES {
        let parts = parts(environment, jni, class)?;
        // Code of one version on the constant pool of another would say something that nobody wrote.
        if class.constant_pool(environment)? == parts.constant_pool {
            return parts.class_file().map_err(Unread::ClassFile);
        }
    }
    Err(Unread::Changing)
}

fn parts(environment: &Environment, jni: &Env<'_>, class: &Class) -> Result<ClassParts, Error> {
    let (minor_version, major_version) = class.version_numbers(environment)?;
    let fields = class.fields(environment)?.into_iter().map(|field| {
        let (name, descriptor) = field.name(environment)?;
        Ok(member(field.modifiers(environment)?, &name, &descriptor))
    });
    let constant_pool = class.constant_pool(environment)?;
    let methods = class.methods(environment)?.into_iter().map(|method| {
        let (name, descriptor) = method.name(environment)?;
        let member = member(method.modifiers(environment)?, &name, &descriptor);
        Ok(MemberParts { code: code(environment, method, member.access_flags)?, ..member })
    });
    let mut methods = methods.collect::<Result<Vec<_>, Error>>()?;
    if let Ok(pool) = ConstantPool::of(&constant_pool) {
        methods.retain(|method| !is_overpass(method, &pool));
    }
    Ok(ClassParts {
        minor_version,
        major_version,
        access_flags: class_flags(class.modifiers(environment)?),
        this_class: internal(&class.signature(environment)?),
        super_class: super_class(environment, jni, class)?,
        interfaces: class.interfaces(environment, jni)?.iter().map(internal).collect(),
        fields: fields.collect::<Result<_, Error>>()?,
        methods,
        constant_pool,
    })
}

fn member(access_flags: u16, name: &Text<'_>, descriptor: &Text<'_>) -> MemberParts {
    let (name, descriptor) = (name.to_bytes().to_vec(), descriptor.to_bytes().to_vec());
    MemberParts { access_flags, name, descriptor, code: None }
}

fn code(environment: &Environment, method: Method<'_>, flags: u16) -> Result<Option<CodeParts>, Error> {
    if flags & (access_flags::NATIVE | access_flags::ABSTRACT) != 0 {
        return Ok(None);
    }
    let code = method.bytecodes(environment)?.to_vec();
    Ok(Some(CodeParts { max_locals: method.max_locals(environment)?, code }))
}

/// Whether it is a method of no class file: one that HotSpot makes where it finds none to inherit, or several, to throw the
/// error of that. JDK 8 and older builds of 11 tell those too (JDK-8216324).
fn is_overpass(method: &MemberParts, pool: &ConstantPool<'_>) -> bool {
    const FLAGS: u16 = access_flags::PUBLIC | access_flags::BRIDGE | access_flags::SYNTHETIC;
    let Some(CodeParts { code, .. }) = &method.code else { return false };
    let &[NEW, high, low, DUP, .., ATHROW] = code.as_slice() else { return false };
    let error = pool.class_name(u16::from_be_bytes([high, low]));
    method.access_flags == FLAGS && error.is_ok_and(|error| ERRORS_OF_OVERPASSES.contains(&error.as_bytes()))
}

const ERRORS_OF_OVERPASSES: [&[u8]; 2] =
    [b"java/lang/AbstractMethodError", b"java/lang/IncompatibleClassChangeError"];

/// An interface's is Object in its class file (JVMS 4.1), and none for JNI.
fn super_class(environment: &Environment, jni: &Env<'_>, class: &Class) -> Result<Option<Vec<u8>>, Error> {
    let superclass = class.super_class(environment, jni)?;
    let is_interface = class.modifiers(environment)? & access_flags::INTERFACE != 0;
    let object = is_interface.then(|| b"java/lang/Object".to_vec());
    Ok(superclass.as_ref().map(internal).or(object))
}

/// access_flags of a class file by the flags of the class: a private member class is for its package there, a protected
/// one public, and none static. ACC_SUPER, which up to 24 is told of none and since 25 of interfaces too, all but interfaces
/// have.
fn class_flags(flags: u16) -> u16 {
    let public = if flags & access_flags::PROTECTED != 0 { access_flags::PUBLIC } else { 0 };
    let superclass = if flags & access_flags::INTERFACE == 0 { access_flags::SUPER } else { 0 };
    let no_flags_of_files =
        access_flags::PRIVATE | access_flags::PROTECTED | access_flags::STATIC | access_flags::SUPER;
    flags & !no_flags_of_files | public | superclass
}

/// `Ljava/lang/Object;` without its ends.
fn internal(signature: &Text<'_>) -> Vec<u8> {
    let signature = signature.to_bytes();
    let inside = signature.strip_prefix(b"L").and_then(|rest| rest.strip_suffix(b";"));
    inside.unwrap_or(signature).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_member_classes_are_as_compilers_write_them() {
        // protected static abstract; private static final; public interface; private static interface.
        for (told, written) in [(0x040c, 0x0421), (0x001a, 0x0030), (0x0621, 0x0601), (0x060a, 0x0600)] {
            assert_eq!(class_flags(told), written, "{told:#06x}");
        }
    }
}
