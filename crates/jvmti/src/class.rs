//! Classes of the JVM: which are loaded, what they are called, sending them through the hooks again.

#![allow(unsafe_code, reason = "calls on the environment, with references that the JVM gave")]

use std::ptr::{self, NonNull};

use jni::Env;
use jni::objects::{JClass, JClassLoader};
use jni::refs::Global;
use jni::strings::JNIStr;
use jni::sys::{JNI_OK, jclass, jint};

use crate::env::Environment;
use crate::error::Error;
use crate::memory::{Array, Text};
use crate::method::Method;
use crate::table;

/// A class, which stays loaded while this lives.
#[derive(Debug)]
pub struct Class {
    object: Global<JClass<'static>>,
}

impl Class {
    /// The class that a local reference is of.
    pub(crate) fn of(jni: &Env<'_>, class: &JClass<'_>) -> Result<Class, Error> {
        Ok(Class { object: jni.new_global_ref(class)? })
    }

    /// The signature, as `Ljava/util/Map$Entry;`, `[I` or `I`; a hidden class has a dot in its own.
    pub fn signature<'e>(&self, environment: &'e Environment) -> Result<Text<'e>, Error> {
        signature(environment, self.object.as_raw())
    }

    /// Whether it can be retransformed: no array, no primitive type, no hidden class.
    pub fn is_modifiable(&self, environment: &Environment) -> Result<bool, Error> {
        let mut modifiable = false;
        // SAFETY: the environment is alive; the class is while `self` is; the place outlives the call.
        unsafe {
            table::is_modifiable_class(environment.raw(), self.object.as_raw(), (&raw mut modifiable).cast())
        }?;
        Ok(modifiable)
    }

    /// Its flags, as the InnerClasses attribute has them where it is a member of another class. Of ACC_SUPER
    /// nothing is to be believed: HotSpot leaves it out or, since 25, tells it of interfaces.
    pub fn modifiers(&self, environment: &Environment) -> Result<u16, Error> {
        let mut modifiers = 0;
        // SAFETY: the environment is alive; the class is while `self` is; the place outlives the call.
        unsafe { table::get_class_modifiers(environment.raw(), self.object.as_raw(), &raw mut modifiers) }?;
        Ok(modifiers as u16)
    }

    /// minor_version and major_version of its class file; an error for an array or a primitive type.
    pub fn version_numbers(&self, environment: &Environment) -> Result<(u16, u16), Error> {
        let (mut minor, mut major) = (0, 0);
        // SAFETY: the environment is alive; the class is while `self` is; both places outlive the call.
        unsafe {
            table::get_class_version_numbers(
                environment.raw(),
                self.object.as_raw(),
                &raw mut minor,
                &raw mut major,
            )
        }?;
        Ok((minor as u16, major as u16))
    }

    /// The methods that it declares; an error where it is not linked yet.
    pub fn methods(&self, environment: &Environment) -> Result<Vec<Method<'_>>, Error> {
        let (mut count, mut start) = (0, ptr::null_mut());
        // SAFETY: the environment is alive; the class is while `self` is; both places outlive the call.
        unsafe {
            table::get_class_methods(environment.raw(), self.object.as_raw(), &raw mut count, &raw mut start)
        }?;
        // A class without methods may come without an array.
        let Some(start) = NonNull::new(start) else { return Ok(Vec::new()) };
        // SAFETY: the call succeeded, so this environment has handed out an array of that length.
        let ids = unsafe { Array::new(environment, start, usize::try_from(count).unwrap_or(0)) };
        Ok(ids.iter().map(|id| Method::new(self, *id)).collect())
    }

    /// The class as the `jni` crate knows it.
    pub fn object(&self) -> &JClass<'static> {
        &self.object
    }
}

/// What was found among the loaded classes.
#[derive(Debug)]
pub struct LoadedClasses {
    /// The ones that were wanted.
    pub wanted: Vec<Class>,
    /// How many there are in all, arrays included.
    pub loaded: usize,
}

impl Environment {
    /// The loaded classes with a signature that is `wanted`.
    pub fn loaded_classes(
        &self,
        jni: &Env<'_>,
        mut wanted: impl FnMut(&JNIStr) -> bool,
    ) -> Result<LoadedClasses, Error> {
        // The JVM makes a local reference for each class there is. All but a few go before anything else is called:
        // with thousands of them about, -Xcheck:jni complains of every JNI call, those of our hooks included.
        jni.with_local_frame(0, |jni| {
            let classes = self.all_loaded_classes()?;
            room_for_a_call(jni)?;
            let mut found = LoadedClasses { wanted: Vec::new(), loaded: classes.len() };
            for class in classes.iter() {
                if wanted(&signature(self, *class)?) {
                    // SAFETY: GetLoadedClasses made a local reference in the frame on top, which is that of `jni`.
                    let class = unsafe { JClass::from_raw(jni, *class) };
                    found.wanted.push(Class { object: jni.new_global_ref(&class)? });
                }
            }
            Ok(found)
        })
    }

    /// Sends classes through the class file load hooks again, from the bytes as they were loaded or last redefined, in
    /// this thread and before it returns. Either all are retransformed or none.
    pub fn retransform_classes(&self, classes: &[Class]) -> Result<(), Error> {
        let raw: Vec<jclass> = classes.iter().map(|class| class.object.as_raw()).collect();
        // SAFETY: the environment is alive; the references live while `classes` is borrowed; count and array belong
        // together, as there are no 2^31 classes.
        unsafe { table::retransform_classes(self.raw(), raw.len() as jint, raw.as_ptr()) }
    }

    fn all_loaded_classes(&self) -> Result<Array<'_, jclass>, Error> {
        let (mut count, mut start) = (0, ptr::null_mut());
        // SAFETY: the environment is alive; both places outlive the call.
        unsafe { table::get_loaded_classes(self.raw(), &raw mut count, &raw mut start) }?;
        // A JVM that says "no error" and gives no array breaks the specification.
        let start = NonNull::new(start).ok_or(Error::Missing { call: "GetLoadedClasses" })?;
        // SAFETY: the call succeeded, so this environment has handed out an array of that length.
        Ok(unsafe { Array::new(self, start, usize::try_from(count).unwrap_or(0)) })
    }
}

/// Defines a class in the boot loader: one in a package of java.base belongs to that module. JVMTI has no call for it, and
/// a jar on the boot loader's path would be a file in the target's view.
///
/// # Errors
/// What the JVM throws, which is cleared: a class of that name that is there already, or bytes that are no class.
pub fn define_in_boot_loader<'l>(
    jni: &mut Env<'l>,
    name: &JNIStr,
    bytes: &[u8],
) -> Result<JClass<'l>, Error> {
    Ok(jni.define_class(Some(name), JClassLoader::null(), bytes)?)
}

/// Tells the JVM that it is meant to be so many. The `jni` crate has this call too, but makes another one before it.
pub(crate) fn room_for_a_call(jni: &Env<'_>) -> Result<(), Error> {
    // More than what the frame was made with, or -Xcheck:jni takes no note of it.
    const ROOM: jint = 4096;
    let raw = jni.get_raw();
    // SAFETY: an Env's pointer is that of this thread's JNI environment, which points at its function table.
    let functions = unsafe { *raw };
    // SAFETY: the table is constant for the life of the JVM.
    let functions = unsafe { &*functions };
    // SAFETY: every JVM since JDK 1.2 has this part of it.
    let ensure_local_capacity = unsafe { functions.v1_2.EnsureLocalCapacity };
    // SAFETY: this thread's environment; JVMTI calls leave no exception pending.
    match unsafe { ensure_local_capacity(raw, ROOM) } {
        JNI_OK => Ok(()),
        _ => Err(Error::Jni(jni::errors::Error::JniCall(jni::errors::JniError::NoMemory))),
    }
}

/// The signature of a class by a reference that is valid during the call.
pub(crate) fn signature(environment: &Environment, class: jclass) -> Result<Text<'_>, Error> {
    let mut start = ptr::null_mut();
    // SAFETY: the environment is alive; `start` outlives the call; a null place asks for no generic signature.
    unsafe { table::get_class_signature(environment.raw(), class, &raw mut start, ptr::null_mut()) }?;
    // A JVM that says "no error" and gives no text breaks the specification.
    let start = NonNull::new(start).ok_or(Error::Missing { call: "GetClassSignature" })?;
    // SAFETY: the call succeeded, so this environment has handed out a signature.
    Ok(unsafe { Text::new(environment, start) })
}
