//! Writes the name of each class that the JVM loads, a line each, to the file that the options name.

use jgraft_jvmti::{Agent, ClassFile, Entry, Environment, Event, Events, Panic, jni::JavaVM};
use std::ffi::{CStr, OsStr};
use std::{fs::File, io::Write, os::unix::ffi::OsStrExt, sync::Arc};

struct Log(File);

impl Events for Log {
    fn class_file_load_hook(&self, _: &Environment, class: &ClassFile<'_>) -> Option<Vec<u8>> {
        let name = class.name().map_or("(no name)".into(), |name| name.to_str());
        let _ = (&self.0).write_all(format!("{name}\n").as_bytes()); // A full disk keeps no class from loading.
        None
    }

    fn panicked(&self, _: Event, _: &Panic) {}
}

impl Agent for Log {
    fn on_load(vm: &JavaVM, options: &CStr) -> i32 {
        let path = OsStr::from_bytes(options.to_bytes());
        let Ok(file) = File::options().create(true).append(true).open(path) else { return 1 };
        let listening = Environment::get(vm).and_then(|jvmti| {
            jvmti.listen(Arc::new(Log(file)))?;
            jvmti.enable(Event::ClassFileLoadHook)
        });
        if listening.is_ok() { 0 } else { 2 }
    }

    fn on_attach(vm: &JavaVM, options: &CStr) -> i32 {
        Self::on_load(vm, options)
    }

    fn panicked(_: Entry, _: &Panic) -> i32 {
        3
    }
}

jgraft_jvmti::export_agent!(Log);
