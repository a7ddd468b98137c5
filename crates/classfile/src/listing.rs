//! A method as text, much as javap -c shows it: for golden tests and diffs. Constants are shown by what they say, not by
//! their index, so that the same code on another constant pool lists the same.

use std::fmt::{self, Write};

use crate::attributes::{
    BootstrapMethods, Code, FrameChange, LineNumberTable, LocalVariableTable, StackMapTable,
    VerificationType, VerificationTypes,
};
use crate::class_file::ClassFile;
use crate::constant::{Constant, MemberRef, NameAndType};
use crate::constant_pool::ConstantPool;
use crate::descriptor::MethodDescriptor;
use crate::error::Error;
use crate::instruction::{Instruction, Operands};
use crate::method_info::MethodInfo;
use crate::opcode::{self, NEWARRAY};

/// Lists a method: flags, descriptor, stack and locals, instructions, exception table, lines, variables, frames.
pub fn list_method(class: &ClassFile<'_>, method: &MethodInfo<'_>) -> Result<String, Error> {
    let pool = class.constant_pool();
    let mut text = String::new();
    let lister = Lister::new(class)?;
    // Writing to a String can't fail.
    let _ = writeln!(text, "{}", signature(method));
    let Some(code) = method.code(pool)? else { return Ok(text) };
    let _ = writeln!(text, "  stack={} locals={}", code.max_stack(), code.max_locals());
    for instruction in code.instructions() {
        let instruction = instruction?;
        let _ = write!(text, "  {:>5}: {}", instruction.pc, opcode::mnemonic(instruction.opcode));
        let _ = lister.operands(&instruction, &mut text);
        text.push('\n');
    }
    for row in code.exception_table() {
        let caught = match row.catch_type {
            0 => "any".to_owned(),
            index => pool.class_name(index)?.to_string(),
        };
        let _ = writeln!(text, "  catch {caught} [{}, {}) -> {}", row.start_pc, row.end_pc, row.handler_pc);
    }
    lister.tables(&code, &mut text)?;
    Ok(text)
}

pub(crate) fn signature(method: &MethodInfo<'_>) -> String {
    const FLAGS: [(u16, &str); 12] = [
        (0x0001, "public"),
        (0x0002, "private"),
        (0x0004, "protected"),
        (0x0008, "static"),
        (0x0010, "final"),
        (0x0020, "synchronized"),
        (0x0040, "bridge"),
        (0x0080, "varargs"),
        (0x0100, "native"),
        (0x0400, "abstract"),
        (0x0800, "strictfp"),
        (0x1000, "synthetic"),
    ];
    let mut words: Vec<String> = FLAGS
        .iter()
        .filter(|(flag, _)| method.access_flags() & flag != 0)
        .map(|(_, word)| (*word).to_owned())
        .collect();
    words.push(format!("{}{}", method.name(), method.descriptor()));
    let readable = MethodDescriptor::parse(method.descriptor()).map(|parsed| {
        let parameters: Vec<String> = parsed.parameters().map(|parameter| parameter.to_string()).collect();
        let result = parsed.result().map_or("void".to_owned(), |result| result.to_string());
        format!(" // {result} ({})", parameters.join(", "))
    });
    words.join(" ") + &readable.unwrap_or_default()
}

/// Writes operands.
#[derive(Clone, Copy)]
pub(crate) struct Lister<'p, 'a> {
    pool: &'p ConstantPool<'a>,
    bootstrap: Bootstrap<'a>,
}

#[derive(Clone, Copy)]
enum Bootstrap<'a> {
    Shown(Option<BootstrapMethods<'a>>),
    LeftOut,
}

impl<'p, 'a> Lister<'p, 'a> {
    pub(crate) fn new(class: &'p ClassFile<'a>) -> Result<Self, Error> {
        let bootstrap = class.attributes()?.find("BootstrapMethods")?;
        let bootstrap = bootstrap.map(|found| BootstrapMethods::read(&mut found.reader())).transpose()?;
        Ok(Self { pool: class.constant_pool(), bootstrap: Bootstrap::Shown(bootstrap) })
    }

    /// For a class of which these are not known: which one computes a constant or call site is not shown.
    pub(crate) fn without_bootstrap_methods(class: &'p ClassFile<'a>) -> Self {
        Self { pool: class.constant_pool(), bootstrap: Bootstrap::LeftOut }
    }

    pub(crate) fn operands(&self, instruction: &Instruction<'_>, out: &mut String) -> fmt::Result {
        match instruction.operands {
            Operands::None => Ok(()),
            Operands::Constant(value) => write!(out, " {value}"),
            Operands::Local(index) => write!(out, " {index}"),
            Operands::LocalIncrement { index, by } => write!(out, " {index} {by}"),
            Operands::Branch(target) => write!(out, " {target}"),
            Operands::Pool(index) => self.constant(index, out),
            Operands::InvokeInterface { index, .. } => self.constant(index, out),
            Operands::ArrayType(code) if instruction.opcode == NEWARRAY => {
                let names = ["boolean", "char", "float", "double", "byte", "short", "int", "long"];
                write!(out, " {}", names.get(usize::from(code).wrapping_sub(4)).unwrap_or(&"?"))
            }
            Operands::ArrayType(code) => write!(out, " {code}"),
            Operands::MultiANewArray { index, dimensions } => {
                self.constant(index, out)?;
                write!(out, " {dimensions}")
            }
            Operands::Switch(switch) => {
                for (key, target) in switch.pairs() {
                    write!(out, " {key}:{target}")?;
                }
                write!(out, " default:{}", switch.default_target())
            }
        }
    }

    fn constant(&self, index: u16, out: &mut String) -> fmt::Result {
        let Ok(constant) = self.pool.constant(index) else { return write!(out, " #{index}?") };
        let member =
            |member: MemberRef<'_>| format!("{}.{}:{}", member.class, member.name, member.descriptor);
        match constant {
            Constant::Utf8(text) => write!(out, " {text:?}"),
            Constant::Integer(value) => write!(out, " int {value}"),
            Constant::Float(value) => write!(out, " float {value:?}"),
            Constant::Long(value) => write!(out, " long {value}"),
            Constant::Double(value) => write!(out, " double {value:?}"),
            Constant::Class(name) | Constant::Module(name) | Constant::Package(name) => {
                write!(out, " {name}")
            }
            Constant::String(text) => write!(out, " {text:?}"),
            Constant::Fieldref(found) | Constant::Methodref(found) => write!(out, " {}", member(found)),
            Constant::InterfaceMethodref(found) => write!(out, " interface {}", member(found)),
            Constant::NameAndType(found) => write!(out, " {}:{}", found.name, found.descriptor),
            Constant::MethodHandle(kind, of) => {
                // Of a member; anything else could lead back here.
                let of = self.pool.member_ref(of).map_or_else(|_| format!("#{of}?"), member);
                write!(out, " handle {kind} {of}")
            }
            Constant::MethodType(descriptor) => write!(out, " {descriptor}"),
            Constant::Dynamic(method, what) | Constant::InvokeDynamic(method, what) => {
                self.dynamic(method, what, out)
            }
        }
    }

    /// What is computed, and by which bootstrap method with which arguments: the number says nothing.
    fn dynamic(&self, method: u16, what: NameAndType<'_>, out: &mut String) -> fmt::Result {
        write!(out, " {}:{}", what.name, what.descriptor)?;
        let Bootstrap::Shown(bootstrap) = self.bootstrap else { return Ok(()) };
        let found = bootstrap.and_then(|methods| methods.iter().nth(usize::from(method)));
        let Some(found) = found else { return write!(out, " by #{method}?") };
        out.write_str(" by")?;
        self.constant(found.bootstrap_method_ref, out)?;
        out.write_str(" (")?;
        for argument in found.bootstrap_arguments.iter() {
            // A dynamic argument could lead back here; it is named without its own.
            match self.pool.constant(argument) {
                Ok(Constant::Dynamic(_, what) | Constant::InvokeDynamic(_, what)) => {
                    write!(out, " dynamic {}:{}", what.name, what.descriptor)?
                }
                _ => self.constant(argument, out)?,
            }
        }
        out.write_str(" )")
    }

    fn tables(&self, code: &Code<'_>, out: &mut String) -> Result<(), Error> {
        for attribute in code.attributes(self.pool) {
            let attribute = attribute?;
            match attribute.name().as_bytes() {
                b"LineNumberTable" => {
                    for row in LineNumberTable::parse(&attribute)?.rows() {
                        let _ = writeln!(out, "  line {} at {}", row.line_number, row.start_pc);
                    }
                }
                b"LocalVariableTable" => {
                    for row in LocalVariableTable::parse(&attribute)?.rows() {
                        let (name, descriptor) =
                            (self.pool.utf8(row.name_index)?, self.pool.utf8(row.descriptor_index)?);
                        let end = u32::from(row.start_pc) + u32::from(row.length);
                        let _ = writeln!(
                            out,
                            "  local {} {name}:{descriptor} [{}, {end})",
                            row.index, row.start_pc
                        );
                    }
                }
                b"StackMapTable" => {
                    for frame in StackMapTable::parse(&attribute)? {
                        let frame = frame?;
                        let _ = write!(out, "  frame at {}: ", frame.pc);
                        let _ = self.frame(&frame.change, out);
                        out.push('\n');
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn frame(&self, change: &FrameChange<'_>, out: &mut String) -> fmt::Result {
        match change {
            FrameChange::Same => out.write_str("same"),
            FrameChange::SameLocals1StackItem(item) => write!(out, "same, stack [{}]", self.type_name(*item)),
            FrameChange::Chop(count) => write!(out, "chop {count}"),
            FrameChange::Append(locals) => write!(out, "append [{}]", self.type_names(locals)),
            FrameChange::Full { locals, stack } => {
                write!(out, "locals [{}], stack [{}]", self.type_names(locals), self.type_names(stack))
            }
        }
    }

    fn type_names(&self, types: &VerificationTypes<'_>) -> String {
        types.iter().map(|found| self.type_name(found)).collect::<Vec<_>>().join(", ")
    }

    fn type_name(&self, found: VerificationType) -> String {
        match found {
            VerificationType::Object(index) => {
                self.pool.class_name(index).map_or_else(|_| format!("#{index}?"), |name| name.to_string())
            }
            VerificationType::Uninitialized(pc) => format!("uninitialized {pc}"),
            other => format!("{other:?}").to_lowercase(),
        }
    }
}
