//! The attributes that the specification defines (JVMS 4.7). [`Attribute`] has them all; those with a structure of
//! their own have a file each.

mod annotation;
mod bootstrap_methods;
mod code;
mod inner_classes;
mod line_number_table;
mod local_variable_table;
mod method_parameters;
mod module;
mod record;
mod stack_map_table;
mod type_annotation;

pub use annotation::{Annotation, Annotations, ElementValue, ElementValues, ParameterAnnotations};
pub use bootstrap_methods::{BootstrapMethod, BootstrapMethods};
pub use code::{Code, ExceptionTableEntry};
pub use inner_classes::{InnerClass, InnerClasses};
pub use line_number_table::{LineNumber, LineNumberTable};
pub use local_variable_table::{LocalVariable, LocalVariableTable};
pub use method_parameters::{MethodParameter, MethodParameters};
pub use module::{Exports, Module, Provides, Requires};
pub use record::{Record, RecordComponent};
pub use stack_map_table::{FrameChange, StackMapFrame, StackMapTable, VerificationType, VerificationTypes};
pub use type_annotation::{Target, TypeAnnotation, TypeAnnotations};

use crate::attribute_info::AttributeInfo;
use crate::constant_pool::ConstantPool;
use crate::error::Error;
use crate::reader::Reader;

/// An attribute, decoded as far as its first structure; indices are those of the constant pool.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names are the specification's, and say what the index is")]
pub enum Attribute<'a> {
    ConstantValue {
        constantvalue_index: u16,
    },
    Code(Code<'a>),
    StackMapTable(StackMapTable<'a>),
    /// CONSTANT_Class entries.
    Exceptions(Indices<'a>),
    InnerClasses(InnerClasses<'a>),
    EnclosingMethod {
        class_index: u16,
        method_index: u16,
    },
    Synthetic,
    Signature {
        signature_index: u16,
    },
    SourceFile {
        sourcefile_index: u16,
    },
    /// Modified UTF-8, as it stands.
    SourceDebugExtension(&'a [u8]),
    LineNumberTable(LineNumberTable<'a>),
    LocalVariableTable(LocalVariableTable<'a>),
    LocalVariableTypeTable(LocalVariableTable<'a>),
    Deprecated,
    RuntimeVisibleAnnotations(Annotations<'a>),
    RuntimeInvisibleAnnotations(Annotations<'a>),
    RuntimeVisibleParameterAnnotations(ParameterAnnotations<'a>),
    RuntimeInvisibleParameterAnnotations(ParameterAnnotations<'a>),
    RuntimeVisibleTypeAnnotations(TypeAnnotations<'a>),
    RuntimeInvisibleTypeAnnotations(TypeAnnotations<'a>),
    AnnotationDefault(ElementValue<'a>),
    BootstrapMethods(BootstrapMethods<'a>),
    MethodParameters(MethodParameters<'a>),
    Module(Module<'a>),
    /// CONSTANT_Package entries.
    ModulePackages(Indices<'a>),
    ModuleMainClass {
        main_class_index: u16,
    },
    NestHost {
        host_class_index: u16,
    },
    /// CONSTANT_Class entries.
    NestMembers(Indices<'a>),
    Record(Record<'a>),
    /// CONSTANT_Class entries.
    PermittedSubclasses(Indices<'a>),
    /// One that the specification does not define.
    Other(AttributeInfo<'a>),
}

impl<'a> Attribute<'a> {
    /// Decodes an attribute by its name; bytes behind its end are an error. `pool` is that of its class.
    pub fn decode(info: &AttributeInfo<'a>, pool: &ConstantPool<'a>) -> Result<Self, Error> {
        let mut reader = info.reader();
        let decoded = match info.name().as_bytes() {
            b"ConstantValue" => Self::ConstantValue { constantvalue_index: reader.u2()? },
            // It checks its own end: attributes of its own follow.
            b"Code" => return Code::parse(info).map(Self::Code),
            b"StackMapTable" => return StackMapTable::parse(info).map(Self::StackMapTable),
            b"Exceptions" => Self::Exceptions(Indices::read(&mut reader)?),
            b"InnerClasses" => Self::InnerClasses(InnerClasses::read(&mut reader)?),
            b"EnclosingMethod" => {
                Self::EnclosingMethod { class_index: reader.u2()?, method_index: reader.u2()? }
            }
            b"Synthetic" => Self::Synthetic,
            b"Signature" => Self::Signature { signature_index: reader.u2()? },
            b"SourceFile" => Self::SourceFile { sourcefile_index: reader.u2()? },
            b"SourceDebugExtension" => return Ok(Self::SourceDebugExtension(info.info())),
            b"LineNumberTable" => return LineNumberTable::parse(info).map(Self::LineNumberTable),
            b"LocalVariableTable" => return LocalVariableTable::parse(info).map(Self::LocalVariableTable),
            b"LocalVariableTypeTable" => {
                return LocalVariableTable::parse(info).map(Self::LocalVariableTypeTable);
            }
            b"Deprecated" => Self::Deprecated,
            b"RuntimeVisibleAnnotations" => Self::RuntimeVisibleAnnotations(Annotations::read(&mut reader)?),
            b"RuntimeInvisibleAnnotations" => {
                Self::RuntimeInvisibleAnnotations(Annotations::read(&mut reader)?)
            }
            b"RuntimeVisibleParameterAnnotations" => {
                Self::RuntimeVisibleParameterAnnotations(ParameterAnnotations::read(&mut reader)?)
            }
            b"RuntimeInvisibleParameterAnnotations" => {
                Self::RuntimeInvisibleParameterAnnotations(ParameterAnnotations::read(&mut reader)?)
            }
            b"RuntimeVisibleTypeAnnotations" => {
                Self::RuntimeVisibleTypeAnnotations(TypeAnnotations::read(&mut reader)?)
            }
            b"RuntimeInvisibleTypeAnnotations" => {
                Self::RuntimeInvisibleTypeAnnotations(TypeAnnotations::read(&mut reader)?)
            }
            b"AnnotationDefault" => Self::AnnotationDefault(ElementValue::read(&mut reader, 0)?),
            b"BootstrapMethods" => Self::BootstrapMethods(BootstrapMethods::read(&mut reader)?),
            b"MethodParameters" => Self::MethodParameters(MethodParameters::read(&mut reader)?),
            b"Module" => Self::Module(Module::read(&mut reader)?),
            b"ModulePackages" => Self::ModulePackages(Indices::read(&mut reader)?),
            b"ModuleMainClass" => Self::ModuleMainClass { main_class_index: reader.u2()? },
            b"NestHost" => Self::NestHost { host_class_index: reader.u2()? },
            b"NestMembers" => Self::NestMembers(Indices::read(&mut reader)?),
            b"Record" => Self::Record(Record::read(&mut reader, pool)?),
            b"PermittedSubclasses" => Self::PermittedSubclasses(Indices::read(&mut reader)?),
            _ => return Ok(Self::Other(*info)),
        };
        reader.end()?;
        Ok(decoded)
    }
}

/// Constant-pool indices in a row, behind a u2 that counts them.
#[derive(Clone, Copy, Debug)]
pub struct Indices<'a>(&'a [u8]);

impl<'a> Indices<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let count = reader.u2()?;
        reader.take(2 * usize::from(count)).map(Self)
    }

    /// In order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = u16> + use<'a> {
        self.0.chunks_exact(2).map(|index| u16::from_be_bytes([index[0], index[1]]))
    }
}
