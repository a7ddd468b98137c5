//! The same class with everything in another order: constants, bootstrap methods, fields, methods, attributes. It moves
//! what it reads by the decoders of the public interface, so that re-basing is not tested with its own eyes.

use jgraft_classfile::attributes::{
    Annotation, Annotations, Attribute, ElementValue, FrameChange, StackMapFrame, Target, TypeAnnotation,
    VerificationType,
};
use jgraft_classfile::opcode::LDC;
use jgraft_classfile::{AttributeInfo, Attributes, ClassFile, ConstantPool, Operands, Tag};

/// Shuffles by a seed. Constants of ldc stay below 256.
pub(crate) fn shuffle(class: &ClassFile<'_>, seed: u64) -> Vec<u8> {
    let pool = class.constant_pool();
    let mut random = Random(seed | 1);
    let entries: Vec<(u16, u16)> =
        (1..pool.count()).filter_map(|index| Some((index, width(pool.tag(index).ok()?)))).collect();
    let (mut low, mut high): (Vec<_>, Vec<_>) =
        entries.iter().partition(|(index, width)| index + width <= 256);
    random.shuffle(&mut low);
    random.shuffle(&mut high);
    let mut moved = vec![0; usize::from(pool.count())];
    let mut next = 1;
    for (index, width) in low.iter().chain(&high) {
        moved[usize::from(*index)] = next;
        next += width;
    }
    let bootstrap = class.attributes().unwrap().find("BootstrapMethods").unwrap();
    let count = bootstrap.map_or(0, |found| u16::from_be_bytes([found.info()[0], found.info()[1]]));
    let mut numbers: Vec<u16> = (0..count).collect();
    random.shuffle(&mut numbers);
    let mut writer = Writer { pool, moved, numbers, random };

    let mut out = class.bytes()[..10].to_vec();
    for (index, _) in low.iter().chain(&high) {
        writer.entry(class, *index, &mut out);
    }
    let mut end = Cursor { bytes: class.bytes(), at: pool_end(class) };
    out.extend(end.u2().to_be_bytes());
    for _ in 0..2 {
        writer.put(end.u2(), &mut out);
    }
    let interfaces = end.u2();
    out.extend(interfaces.to_be_bytes());
    (0..interfaces).for_each(|_| writer.put(end.u2(), &mut out));
    // The order of the fields counts, that of the methods does not.
    out.extend((class.fields().count() as u16).to_be_bytes());
    end.u2();
    for field in class.fields() {
        let field = field.unwrap();
        writer.member(&mut end, field.attributes(pool), &mut out);
    }
    out.extend((class.methods().count() as u16).to_be_bytes());
    end.u2();
    let mut methods = Vec::new();
    for method in class.methods() {
        let mut written = Vec::new();
        writer.member(&mut end, method.unwrap().attributes(pool), &mut written);
        methods.push(written);
    }
    writer.random.shuffle(&mut methods);
    out.extend(methods.concat());
    writer.attributes(class.attributes().unwrap(), &mut out);
    out
}

fn width(tag: Tag) -> u16 {
    if matches!(tag, Tag::Long | Tag::Double) { 2 } else { 1 }
}

/// Offset of each entry can be had by walking only.
fn offset_of(class: &ClassFile<'_>, wanted: u16) -> usize {
    let (bytes, pool) = (class.bytes(), class.constant_pool());
    let (mut at, mut index) = (10, 1);
    while index < wanted {
        let length = match bytes[at] {
            1 => 2 + usize::from(u16::from_be_bytes([bytes[at + 1], bytes[at + 2]])),
            3 | 4 | 9..=12 | 17 | 18 => 4,
            5 | 6 => 8,
            15 => 3,
            _ => 2,
        };
        index += pool.tag(index).map_or(1, width);
        at += 1 + length;
    }
    at
}

pub(crate) fn pool_end(class: &ClassFile<'_>) -> usize {
    offset_of(class, class.constant_pool().count())
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn u2(&mut self) -> u16 {
        self.at += 2;
        u16::from_be_bytes([self.bytes[self.at - 2], self.bytes[self.at - 1]])
    }
}

struct Random(u64);

impl Random {
    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            items.swap(last, (self.0 % (last as u64 + 1)) as usize);
        }
    }
}

struct Writer<'p, 'a> {
    pool: &'p ConstantPool<'a>,
    /// New index by old one.
    moved: Vec<u16>,
    /// Old number of the bootstrap method that stands at each place now.
    numbers: Vec<u16>,
    random: Random,
}

impl Writer<'_, '_> {
    fn put(&self, index: u16, out: &mut Vec<u8>) {
        out.extend(self.moved[usize::from(index)].to_be_bytes());
    }

    fn entry(&self, class: &ClassFile<'_>, index: u16, out: &mut Vec<u8>) {
        let bytes = class.bytes();
        let at = offset_of(class, index);
        let u2 = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        out.push(bytes[at]);
        match bytes[at] {
            1 => out.extend(&bytes[at + 1..at + 3 + usize::from(u2(at + 1))]),
            3 | 4 => out.extend(&bytes[at + 1..at + 5]),
            5 | 6 => out.extend(&bytes[at + 1..at + 9]),
            9..=12 => {
                self.put(u2(at + 1), out);
                self.put(u2(at + 3), out);
            }
            15 => {
                out.push(bytes[at + 1]);
                self.put(u2(at + 2), out);
            }
            17 | 18 => {
                let number = self.numbers.iter().position(|number| *number == u2(at + 1)).unwrap();
                out.extend((number as u16).to_be_bytes());
                self.put(u2(at + 3), out);
            }
            _ => self.put(u2(at + 1), out),
        }
    }

    fn member(&mut self, from: &mut Cursor<'_>, attributes: Attributes<'_, '_>, out: &mut Vec<u8>) {
        out.extend(from.u2().to_be_bytes());
        for _ in 0..2 {
            self.put(from.u2(), out);
        }
        for _ in 0..from.u2() {
            from.at += 2;
            let high = u32::from(from.u2());
            let low = u32::from(from.u2());
            from.at += (high << 16 | low) as usize;
        }
        self.attributes(attributes, out);
    }

    fn attributes(&mut self, attributes: Attributes<'_, '_>, out: &mut Vec<u8>) {
        let mut written: Vec<Vec<u8>> = attributes.map(|found| self.attribute(&found.unwrap())).collect();
        out.extend((written.len() as u16).to_be_bytes());
        self.random.shuffle(&mut written);
        out.extend(written.concat());
    }

    fn attribute(&mut self, attribute: &AttributeInfo<'_>) -> Vec<u8> {
        let mut info = Vec::new();
        let out = &mut info;
        match Attribute::decode(attribute, self.pool).unwrap() {
            Attribute::ConstantValue { constantvalue_index: index }
            | Attribute::Signature { signature_index: index }
            | Attribute::SourceFile { sourcefile_index: index }
            | Attribute::NestHost { host_class_index: index } => self.put(index, out),
            Attribute::EnclosingMethod { class_index, method_index } => {
                self.put(class_index, out);
                self.put(method_index, out);
            }
            Attribute::Exceptions(indices)
            | Attribute::NestMembers(indices)
            | Attribute::PermittedSubclasses(indices) => {
                out.extend((indices.iter().len() as u16).to_be_bytes());
                indices.iter().for_each(|index| self.put(index, out));
            }
            Attribute::InnerClasses(classes) => {
                out.extend((classes.rows().len() as u16).to_be_bytes());
                for row in classes.rows() {
                    self.put(row.inner_class_info_index, out);
                    self.put(row.outer_class_info_index, out);
                    self.put(row.inner_name_index, out);
                    out.extend(row.inner_class_access_flags.to_be_bytes());
                }
            }
            Attribute::LocalVariableTable(table) | Attribute::LocalVariableTypeTable(table) => {
                out.extend((table.rows().len() as u16).to_be_bytes());
                for row in table.rows() {
                    out.extend(row.start_pc.to_be_bytes());
                    out.extend(row.length.to_be_bytes());
                    self.put(row.name_index, out);
                    self.put(row.descriptor_index, out);
                    out.extend(row.index.to_be_bytes());
                }
            }
            Attribute::RuntimeVisibleAnnotations(found) | Attribute::RuntimeInvisibleAnnotations(found) => {
                self.annotations(&found, out);
            }
            Attribute::RuntimeVisibleParameterAnnotations(found)
            | Attribute::RuntimeInvisibleParameterAnnotations(found) => {
                out.push(found.parameters.len() as u8);
                found.parameters.iter().for_each(|found| self.annotations(found, out));
            }
            Attribute::RuntimeVisibleTypeAnnotations(found)
            | Attribute::RuntimeInvisibleTypeAnnotations(found) => {
                out.extend((found.iter().count() as u16).to_be_bytes());
                found.iter().for_each(|found| self.type_annotation(&found, out));
            }
            Attribute::AnnotationDefault(value) => self.value(&value, out),
            Attribute::BootstrapMethods(methods) => {
                out.extend(methods.count().to_be_bytes());
                let methods: Vec<_> = methods.iter().collect();
                for number in &self.numbers {
                    let method = &methods[usize::from(*number)];
                    self.put(method.bootstrap_method_ref, out);
                    out.extend((method.bootstrap_arguments.iter().len() as u16).to_be_bytes());
                    method.bootstrap_arguments.iter().for_each(|argument| self.put(argument, out));
                }
            }
            Attribute::MethodParameters(parameters) => {
                out.push(parameters.iter().len() as u8);
                for parameter in parameters.iter() {
                    self.put(parameter.name_index, out);
                    out.extend(parameter.access_flags.to_be_bytes());
                }
            }
            Attribute::Record(record) => {
                out.extend((record.components().len() as u16).to_be_bytes());
                for component in record.components() {
                    for text in [component.name(), component.descriptor()] {
                        let index = (1..self.pool.count())
                            .find(|index| self.pool.utf8(*index).is_ok_and(|found| found == text));
                        self.put(index.unwrap(), out);
                    }
                    self.attributes(component.attributes(self.pool), out);
                }
            }
            Attribute::StackMapTable(table) => {
                out.extend_from_slice(&attribute.info()[..2]);
                let mut next_pc = 0;
                for frame in table {
                    let frame = frame.unwrap();
                    self.frame(&frame, (frame.pc - next_pc) as u16, out);
                    next_pc = frame.pc + 1;
                }
            }
            Attribute::Code(code) => {
                let mut bytes = code.code().to_vec();
                for instruction in code.instructions() {
                    let instruction = instruction.unwrap();
                    let (Operands::Pool(index)
                    | Operands::InvokeInterface { index, .. }
                    | Operands::MultiANewArray { index, .. }) = instruction.operands
                    else {
                        continue;
                    };
                    let (at, moved) = (instruction.pc + 1, self.moved[usize::from(index)]);
                    match instruction.opcode {
                        LDC => bytes[at] = u8::try_from(moved).unwrap(),
                        _ => bytes[at..at + 2].copy_from_slice(&moved.to_be_bytes()),
                    }
                }
                out.extend(code.max_stack().to_be_bytes());
                out.extend(code.max_locals().to_be_bytes());
                out.extend((bytes.len() as u32).to_be_bytes());
                out.extend(bytes);
                out.extend((code.exception_table().len() as u16).to_be_bytes());
                for row in code.exception_table() {
                    [row.start_pc, row.end_pc, row.handler_pc]
                        .iter()
                        .for_each(|pc| out.extend(pc.to_be_bytes()));
                    self.put(row.catch_type, out);
                }
                self.attributes(code.attributes(self.pool), out);
            }
            Attribute::Synthetic
            | Attribute::Deprecated
            | Attribute::SourceDebugExtension(_)
            | Attribute::LineNumberTable(_) => out.extend_from_slice(attribute.info()),
            other => panic!("{other:?} in a class that is no module"),
        }
        let mut written = Vec::new();
        self.put(attribute.name_index(), &mut written);
        written.extend((info.len() as u32).to_be_bytes());
        written.extend(info);
        written
    }

    fn annotations(&self, annotations: &Annotations<'_>, out: &mut Vec<u8>) {
        out.extend((annotations.iter().count() as u16).to_be_bytes());
        annotations.iter().for_each(|found| self.annotation(&found, out));
    }

    fn annotation(&self, annotation: &Annotation<'_>, out: &mut Vec<u8>) {
        self.put(annotation.type_index, out);
        out.extend((annotation.pairs().count() as u16).to_be_bytes());
        for (name, value) in annotation.pairs() {
            self.put(name, out);
            self.value(&value, out);
        }
    }

    fn value(&self, value: &ElementValue<'_>, out: &mut Vec<u8>) {
        match value {
            ElementValue::Const { tag, const_value_index } => {
                out.push(*tag);
                self.put(*const_value_index, out);
            }
            ElementValue::Enum { type_name_index, const_name_index } => {
                out.push(b'e');
                self.put(*type_name_index, out);
                self.put(*const_name_index, out);
            }
            ElementValue::Class { class_info_index } => {
                out.push(b'c');
                self.put(*class_info_index, out);
            }
            ElementValue::Annotation(annotation) => {
                out.push(b'@');
                self.annotation(annotation, out);
            }
            ElementValue::Array(values) => {
                out.push(b'[');
                out.extend((values.iter().count() as u16).to_be_bytes());
                values.iter().for_each(|value| self.value(&value, out));
            }
        }
    }

    fn type_annotation(&self, found: &TypeAnnotation<'_>, out: &mut Vec<u8>) {
        out.push(found.target_type);
        match found.target {
            Target::TypeParameter { type_parameter_index: index }
            | Target::FormalParameter { formal_parameter_index: index } => out.push(index),
            Target::Supertype { supertype_index: index }
            | Target::Throws { throws_type_index: index }
            | Target::Catch { exception_table_index: index }
            | Target::Offset { offset: index } => out.extend(index.to_be_bytes()),
            Target::TypeParameterBound { type_parameter_index, bound_index } => {
                out.extend([type_parameter_index, bound_index]);
            }
            Target::Empty => {}
            Target::LocalVar { table } => {
                out.extend(((table.len() / 6) as u16).to_be_bytes());
                out.extend_from_slice(table);
            }
            Target::TypeArgument { offset, type_argument_index } => {
                out.extend(offset.to_be_bytes());
                out.push(type_argument_index);
            }
        }
        out.push((found.path.len() / 2) as u8);
        out.extend_from_slice(found.path);
        self.annotation(&found.annotation, out);
    }

    fn frame(&self, frame: &StackMapFrame<'_>, offset_delta: u16, out: &mut Vec<u8>) {
        let types = |found: &mut dyn Iterator<Item = VerificationType>, out: &mut Vec<u8>| {
            for found in found {
                match found {
                    VerificationType::Object(index) => {
                        out.push(7);
                        self.put(index, out);
                    }
                    VerificationType::Uninitialized(pc) => {
                        out.push(8);
                        out.extend(pc.to_be_bytes());
                    }
                    VerificationType::Top => out.push(0),
                    VerificationType::Integer => out.push(1),
                    VerificationType::Float => out.push(2),
                    VerificationType::Double => out.push(3),
                    VerificationType::Long => out.push(4),
                    VerificationType::Null => out.push(5),
                    VerificationType::UninitializedThis => out.push(6),
                }
            }
        };
        out.push(frame.frame_type);
        if frame.frame_type >= 247 {
            out.extend(offset_delta.to_be_bytes());
        }
        match frame.change {
            FrameChange::Same | FrameChange::Chop(_) => {}
            FrameChange::SameLocals1StackItem(item) => types(&mut [item].into_iter(), out),
            FrameChange::Append(locals) => types(&mut locals.iter(), out),
            FrameChange::Full { locals, stack } => {
                for found in [locals, stack] {
                    out.extend(found.count().to_be_bytes());
                    types(&mut found.iter(), out);
                }
            }
        }
    }
}
