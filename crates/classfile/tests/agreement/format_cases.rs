//! One sound class, broken in one way each: name, the class's versions, and what is done to it.

use crate::model::{Attribute, Model};

/// See above.
pub(crate) struct FormatCase {
    pub(crate) name: &'static str,
    pub(crate) versions: &'static [u16],
    pub(crate) edit: fn(&mut Model),
}

const fn case(name: &'static str, versions: &'static [u16], edit: fn(&mut Model)) -> FormatCase {
    FormatCase { name, versions, edit }
}

const ALL: &[u16] = &[45, 48, 49, 50, 51, 52, 55, 60, 61];

/// What is edited, of any version: two fields, a constructor, a method with a handler, an abstract and a native one.
pub(crate) const BASE: &str = "field static s I\nfield g Ljava/lang/String;\n\
    method <init> ()V stack 1 locals 1\naload_0\ninvokespecial java/lang/Object.<init>()V\nreturn\nend\n\
    method static f (I)I stack 2 locals 2\na:\niload 0\niconst_1\niadd\nb:\nireturn\n\
    c:\nframe same1 java/lang/Throwable\npop\niconst_0\nireturn\ncatch a b c any\nend\n\
    method static native n (JLjava/lang/Object;)V\n";

/// The place of `f` among the methods.
const F: usize = 1;

fn flags(model: &mut Model, method: usize, flags: u16) {
    model.methods[method].flags = flags;
}

fn abstract_method(model: &mut Model, flags: u16) {
    let (name, descriptor) = (model.utf8("m"), model.utf8("()V"));
    model.flags |= 0x400;
    let attributes = Vec::new();
    model.methods.push(crate::model::Member { flags, name, descriptor, attributes });
}

fn as_interface(model: &mut Model) {
    model.flags = 0x601;
    model.fields.clear();
    model.methods.clear();
}

fn renamed_field(model: &mut Model, name: &[u8]) {
    model.fields[0].name = model.utf8_bytes(name);
}

fn renamed_method(model: &mut Model, name: &str) {
    model.methods[F].name = model.utf8(name);
}

fn described_method(model: &mut Model, descriptor: &str) {
    model.methods[2].descriptor = model.utf8(descriptor);
}

fn described_field(model: &mut Model, descriptor: &str) {
    model.fields[0].descriptor = model.utf8(descriptor);
}

fn field_attribute(model: &mut Model, name: &str, info: &[u8]) {
    let name = model.utf8(name);
    model.fields[0].attributes.push(Attribute { name, info: info.to_vec() });
}

fn method_attribute(model: &mut Model, name: &str, info: &[u8]) {
    let name = model.utf8(name);
    model.methods[F].attributes.push(Attribute { name, info: info.to_vec() });
}

fn code_attribute(model: &mut Model, name: &str, info: &[u8]) {
    let name = model.utf8(name);
    model.edit_code(F, |_, code| code.attributes.push(Attribute { name, info: info.to_vec() }));
}

/// Code without handlers and frames.
fn only_code(model: &mut Model, bytes: &[u8]) {
    model.edit_code(F, |_, code| {
        code.code = bytes.to_vec();
        code.rows.clear();
        code.attributes.clear();
    });
}

/// A row of exception_table.
fn row(model: &mut Model, row: [u16; 4]) {
    model.edit_code(F, |_, code| code.rows[0] = row);
}

fn constant_value(model: &mut Model, tag: u8, body: &[u8]) {
    let index = model.entry(tag, body);
    field_attribute(model, "ConstantValue", &index.to_be_bytes());
}

/// A variable: start_pc, length, name, descriptor, index.
fn variable(model: &mut Model, start: u16, length: u16, name: &str, descriptor: &str, index: u16) {
    let (name, descriptor) = (model.utf8(name), model.utf8(descriptor));
    let row: Vec<u8> =
        [1, start, length, name, descriptor, index].iter().flat_map(|item| item.to_be_bytes()).collect();
    code_attribute(model, "LocalVariableTable", &row);
}

fn handle(model: &mut Model, kind: u8, tag: u8, name: &str, descriptor: &str) {
    let (class, member) = (model.class("t/U"), model.name_and_type(name, descriptor));
    let [high, low] = model.entry_of(tag, &[class, member]).to_be_bytes();
    model.entry(15, &[kind, high, low]);
}

fn inner(model: &mut Model, rows: &[[&str; 2]], flags: u16) {
    let mut info = (rows.len() as u16).to_be_bytes().to_vec();
    for [inner, outer] in rows {
        let inner = model.class(inner);
        let outer = if outer.is_empty() { 0 } else { model.class(outer) };
        [inner, outer, 0, flags].iter().for_each(|item| info.extend(item.to_be_bytes()));
    }
    model.add_attribute("InnerClasses", &info);
}

fn classes(model: &mut Model, attribute: &str, names: &[&str]) {
    let mut info = (names.len() as u16).to_be_bytes().to_vec();
    names.iter().for_each(|name| info.extend(model.class(name).to_be_bytes()));
    model.add_attribute(attribute, &info);
}

fn record(model: &mut Model, name: &str, descriptor: &str) {
    let (name, descriptor) = (model.utf8(name), model.utf8(descriptor));
    let info: Vec<u8> = [1, name, descriptor, 0].iter().flat_map(|item| item.to_be_bytes()).collect();
    model.add_attribute("Record", &info);
}

fn call_site(model: &mut Model, tag: u8, bootstrap: u16, descriptor: &str) {
    let named = model.name_and_type("x", descriptor);
    model.entry_of(tag, &[bootstrap, named]);
}

fn bootstrap(model: &mut Model, argument: fn(&mut Model) -> u16) {
    handle(model, 6, 10, "b", "()V");
    let method = model.pool.len() as u16 - 1;
    let argument = argument(model);
    let info: Vec<u8> = [1, method, 1, argument].iter().flat_map(|item| item.to_be_bytes()).collect();
    model.add_attribute("BootstrapMethods", &info);
}

pub(crate) const FORMAT_CASES: &[FormatCase] = &[
    case("the class itself", ALL, |_| {}),
    // Versions.
    case("version 44", &[44], |_| {}),
    case("version 0", &[0], |_| {}),
    case("minor version 7", ALL, |model| model.minor = 7),
    case("preview without leave", ALL, |model| model.minor = 65_535),
    // Flags.
    case("final and abstract class", ALL, |model| model.flags = 0x431),
    case("interface that is not abstract", ALL, |model| {
        as_interface(model);
        model.flags = 0x201;
    }),
    case("interface that is final", ALL, |model| {
        as_interface(model);
        model.flags = 0x611;
    }),
    case("interface with ACC_SUPER", ALL, |model| {
        as_interface(model);
        model.flags = 0x621;
    }),
    case("annotation that is no interface", ALL, |model| model.flags = 0x2021),
    case("module", ALL, |model| model.flags = 0x8000),
    case("class with unknown flags", ALL, |model| model.flags = 0x09ef),
    case("public private field", ALL, |model| model.fields[0].flags = 0x000b),
    case("final volatile field", ALL, |model| model.fields[0].flags = 0x0051),
    case("field with unknown flags", ALL, |model| model.fields[0].flags = 0x0f01),
    case("public protected method", ALL, |model| flags(model, F, 0x000d)),
    case("static constructor", ALL, |model| flags(model, 0, 0x0009)),
    case("synchronized constructor", ALL, |model| flags(model, 0, 0x0021)),
    case("bridge constructor", ALL, |model| flags(model, 0, 0x0041)),
    case("varargs constructor", ALL, |model| flags(model, 0, 0x0081)),
    case("abstract method", ALL, |model| abstract_method(model, 0x0401)),
    case("abstract final method", ALL, |model| abstract_method(model, 0x0411)),
    case("abstract private method", ALL, |model| abstract_method(model, 0x0402)),
    case("abstract static method", ALL, |model| abstract_method(model, 0x0409)),
    case("abstract synchronized method", ALL, |model| abstract_method(model, 0x0421)),
    case("abstract strictfp method", ALL, |model| abstract_method(model, 0x0c01)),
    case("method of an interface", ALL, |model| {
        as_interface(model);
        abstract_method(model, 0x0401);
    }),
    case("method of an interface that is not public", ALL, |model| {
        as_interface(model);
        abstract_method(model, 0x0400);
    }),
    case("method of an interface that is strictfp", ALL, |model| {
        as_interface(model);
        abstract_method(model, 0x0c01);
    }),
    case("static method of an interface", ALL, |model| {
        let f = model.methods[F].clone();
        as_interface(model);
        model.methods.push(f);
    }),
    case("private method of an interface", ALL, |model| {
        let mut f = model.methods[F].clone();
        as_interface(model);
        f.flags = 0x000a;
        model.methods.push(f);
    }),
    case("constructor of an interface", ALL, |model| {
        let init = model.methods[0].clone();
        as_interface(model);
        model.methods.push(init);
    }),
    case("field of an interface", ALL, |model| {
        let mut s = model.fields[0].clone();
        as_interface(model);
        s.flags = 0x0019;
        model.fields.push(s);
    }),
    case("field of an interface that is not final", ALL, |model| {
        let s = model.fields[0].clone();
        as_interface(model);
        model.fields.push(s);
    }),
    case("interface with a superclass", ALL, |model| {
        as_interface(model);
        model.super_class = model.class("java/lang/Thread");
    }),
    // The class and its supertypes.
    case("no superclass", ALL, |model| model.super_class = 0),
    case("superclass that is an array", ALL, |model| model.super_class = model.class("[I")),
    case("superclass that is no class", ALL, |model| model.super_class = model.utf8("t/T")),
    case("this_class that is no class", ALL, |model| model.this_class = model.utf8("t/T")),
    case("this_class past the pool", ALL, |model| model.this_class = 999),
    case("class that is an array", ALL, |model| model.this_class = model.class("[I")),
    case("interface", ALL, |model| {
        let runnable = model.class("java/io/Serializable");
        model.interfaces.push(runnable);
    }),
    case("interface twice", ALL, |model| {
        let serializable = model.class("java/io/Serializable");
        model.interfaces.extend([serializable; 2]);
    }),
    case("interface that is an array", ALL, |model| {
        let array = model.class("[I");
        model.interfaces.push(array);
    }),
    case("interface that is no class", ALL, |model| {
        let text = model.utf8("java/io/Serializable");
        model.interfaces.push(text);
    }),
    // Constants.
    case("unknown tag", ALL, |model| _ = model.entry(2, &[0, 0])),
    case("tag 13", ALL, |model| _ = model.entry(13, &[0, 0])),
    case("long at the end", ALL, |model| {
        model.entry(5, &[0; 8]);
        model.pool.pop();
    }),
    case("class without a name", ALL, |model| _ = model.entry_of(7, &[0])),
    case("class with a class for a name", ALL, |model| _ = model.entry_of(7, &[model.this_class])),
    case("class with a bad name", ALL, |model| _ = model.class("a.b")),
    case("class with an empty name", ALL, |model| _ = model.class("")),
    case("class with a name of the new kind", ALL, |model| _ = model.class("a-b")),
    case("class with two slashes", ALL, |model| _ = model.class("a//b")),
    case("class with a slash at its end", ALL, |model| _ = model.class("a/")),
    case("class that is a bad array", ALL, |model| _ = model.class("[V")),
    case("class of 256 dimensions", ALL, |model| _ = model.class(&("[".repeat(256) + "I"))),
    case("class of 255 dimensions", ALL, |model| _ = model.class(&("[".repeat(255) + "I"))),
    case("string without text", ALL, |model| _ = model.entry_of(8, &[model.this_class])),
    case("name and type of nothing", ALL, |model| _ = model.entry_of(12, &[0, 0])),
    case("field with a method's type", ALL, |model| {
        let (class, named) = (model.class("t/U"), model.name_and_type("x", "()V"));
        model.entry_of(9, &[class, named]);
    }),
    case("method with a field's type", ALL, |model| {
        let (class, named) = (model.class("t/U"), model.name_and_type("x", "I"));
        model.entry_of(10, &[class, named]);
    }),
    case("method reference to <clinit>", ALL, |model| {
        let (class, named) = (model.class("t/U"), model.name_and_type("<clinit>", "()V"));
        model.entry_of(10, &[class, named]);
    }),
    case("<init> with a result", ALL, |model| {
        let (class, named) = (model.class("t/U"), model.name_and_type("<init>", "()I"));
        model.entry_of(10, &[class, named]);
    }),
    case("method of no class", ALL, |model| {
        let named = model.name_and_type("x", "()V");
        model.entry_of(10, &[named, named]);
    }),
    case("utf8 with a zero", ALL, |model| _ = model.utf8_bytes(&[b'a', 0])),
    case("utf8 with four bytes", ALL, |model| _ = model.utf8("😀")),
    case("utf8 that is too long", ALL, |model| _ = model.utf8_bytes(&[0xc1, 0x81])),
    case("utf8 that is cut", ALL, |model| _ = model.utf8_bytes(&[b'a', 0xe0, 0xa0])),
    case("method handle", ALL, |model| handle(model, 6, 10, "b", "()V")),
    case("method handle of kind 0", ALL, |model| handle(model, 0, 10, "b", "()V")),
    case("method handle of kind 10", ALL, |model| handle(model, 10, 10, "b", "()V")),
    case("method handle that gets a method", ALL, |model| handle(model, 1, 10, "b", "()V")),
    case("method handle that calls a field", ALL, |model| handle(model, 5, 9, "b", "I")),
    case("method handle of an interface's static method", ALL, |model| handle(model, 6, 11, "b", "()V")),
    case("method handle of <init>", ALL, |model| handle(model, 8, 10, "<init>", "()V")),
    case("method handle that makes with b", ALL, |model| handle(model, 8, 10, "b", "()V")),
    case("method handle that calls <init>", ALL, |model| handle(model, 7, 10, "<init>", "()V")),
    case("method type", ALL, |model| {
        let text = model.utf8("()V");
        model.entry_of(16, &[text]);
    }),
    case("method type of a field", ALL, |model| {
        let text = model.utf8("I");
        model.entry_of(16, &[text]);
    }),
    case("package", ALL, |model| {
        let text = model.utf8("a");
        model.entry_of(20, &[text]);
    }),
    case("call site without BootstrapMethods", ALL, |model| call_site(model, 18, 0, "()V")),
    case("call site with the type of a field", ALL, |model| {
        call_site(model, 18, 0, "I");
        bootstrap(model, |model| model.this_class);
    }),
    case("call site of a bootstrap method that is not there", ALL, |model| {
        call_site(model, 18, 1, "()V");
        bootstrap(model, |model| model.this_class);
    }),
    case("dynamic constant", ALL, |model| {
        call_site(model, 17, 0, "I");
        bootstrap(model, |model| model.this_class);
    }),
    case("dynamic constant with the type of a method", ALL, |model| {
        call_site(model, 17, 0, "()V");
        bootstrap(model, |model| model.this_class);
    }),
    case("bootstrap method with an argument that is no constant", ALL, |model| {
        bootstrap(model, |model| model.utf8("a"))
    }),
    case("BootstrapMethods twice", ALL, |model| {
        bootstrap(model, |model| model.this_class);
        bootstrap(model, |model| model.this_class);
    }),
    case("BootstrapMethods with bytes behind it", ALL, |model| {
        bootstrap(model, |model| model.this_class);
        model.attributes.last_mut().unwrap().info.extend([0, 0]);
    }),
    // Fields and methods.
    case("field twice", ALL, |model| model.fields[1] = model.fields[0].clone()),
    case("field with the name of another", ALL, |model| model.fields[1].name = model.fields[0].name),
    case("method twice", ALL, |model| model.methods[2] = model.methods[F].clone()),
    case("field with a bad name", ALL, |model| renamed_field(model, b"a/b")),
    case("field with an empty name", ALL, |model| renamed_field(model, b"")),
    case("field with a name of the new kind", ALL, |model| renamed_field(model, b"a-b")),
    case("field with a name that begins with a digit", ALL, |model| renamed_field(model, b"1a")),
    case("field with a name in angle brackets", ALL, |model| renamed_field(model, b"<a>")),
    case("field named with a letter beyond ASCII", ALL, |model| renamed_field(model, "aé".as_bytes())),
    case("field named with a symbol beyond ASCII", ALL, |model| renamed_field(model, "a×".as_bytes())),
    case("method with a bad name", ALL, |model| renamed_method(model, "a.b")),
    case("method with a name in angle brackets", ALL, |model| renamed_method(model, "<a>")),
    case("method with a bracket in its name", ALL, |model| renamed_method(model, "a>b")),
    case("field that is void", ALL, |model| described_field(model, "V")),
    case("field with a method's descriptor", ALL, |model| described_field(model, "()V")),
    case("field with two types", ALL, |model| described_field(model, "II")),
    case("field of a class with a bad name", ALL, |model| described_field(model, "La.b;")),
    case("field of a class with a name of the new kind", ALL, |model| described_field(model, "La-b;")),
    case("field of a class without an end", ALL, |model| described_field(model, "La")),
    case("field of an empty class", ALL, |model| described_field(model, "L;")),
    case("field of a class with a slash at its end", ALL, |model| described_field(model, "La/;")),
    case("method with a field's descriptor", ALL, |model| described_method(model, "I")),
    case("method with a void parameter", ALL, |model| described_method(model, "(V)V")),
    case("method of 255 parameters", ALL, |model| {
        described_method(model, &format!("({})V", "I".repeat(255)))
    }),
    case("method of 256 parameters", ALL, |model| {
        described_method(model, &format!("({})V", "I".repeat(256)))
    }),
    case("method of 128 longs", ALL, |model| described_method(model, &format!("({})V", "J".repeat(128)))),
    case("<clinit>", ALL, |model| {
        renamed_method(model, "<clinit>");
        model.methods[F].descriptor = model.utf8("()V");
        only_code(model, &[0xb1]);
    }),
    case("<clinit> that is not static", ALL, |model| {
        renamed_method(model, "<clinit>");
        flags(model, F, 0x0001);
        model.methods[F].descriptor = model.utf8("()V");
        only_code(model, &[0xb1]);
    }),
    case("<clinit> with a parameter", ALL, |model| {
        renamed_method(model, "<clinit>");
        model.methods[F].descriptor = model.utf8("(I)V");
        only_code(model, &[0xb1]);
    }),
    case("<clinit> with a result", ALL, |model| renamed_method(model, "<clinit>")),
    case("constructor with a result", ALL, |model| model.methods[0].descriptor = model.utf8("()I")),
    case("method without code", ALL, |model| model.methods[F].attributes.clear()),
    case("native method with code", ALL, |model| flags(model, F, 0x0109)),
    case("code twice", ALL, |model| {
        let code = model.methods[F].attributes[0].clone();
        model.methods[F].attributes.push(code);
    }),
    // Attributes.
    case("constant of an int", ALL, |model| constant_value(model, 3, &[0; 4])),
    case("constant of another type", ALL, |model| constant_value(model, 4, &[0; 4])),
    case("constant of an instance field", ALL, |model| {
        model.fields[0].flags = 1;
        constant_value(model, 4, &[0; 4]);
    }),
    case("constant of a class", ALL, |model| {
        described_field(model, "Ljava/lang/Object;");
        let text = model.utf8("a");
        constant_value(model, 8, &text.to_be_bytes());
    }),
    case("constant with a wrong length", ALL, |model| field_attribute(model, "ConstantValue", &[0, 1, 0])),
    case("constant twice", ALL, |model| {
        constant_value(model, 3, &[0; 4]);
        constant_value(model, 3, &[0; 4]);
    }),
    case("Synthetic with bytes", ALL, |model| field_attribute(model, "Synthetic", &[0])),
    case("Deprecated with bytes", ALL, |model| method_attribute(model, "Deprecated", &[0])),
    case("Signature of nothing", ALL, |model| field_attribute(model, "Signature", &[0, 0])),
    case("Signature with a wrong length", ALL, |model| method_attribute(model, "Signature", &[0, 1, 0])),
    case("unknown attribute", ALL, |model| method_attribute(model, "Unknown", &[1, 2, 3])),
    case("attribute without a name", ALL, |model| {
        let name = model.this_class;
        model.attributes.push(Attribute { name, info: Vec::new() });
    }),
    case("Exceptions of what is no class", ALL, |model| method_attribute(model, "Exceptions", &[0, 1, 0, 0])),
    case("Exceptions with a wrong length", ALL, |model| method_attribute(model, "Exceptions", &[0, 0, 0, 0])),
    case("MethodParameters with a wrong length", ALL, |model| {
        method_attribute(model, "MethodParameters", &[1, 0, 0])
    }),
    case("annotations that are nonsense", ALL, |model| {
        method_attribute(model, "RuntimeVisibleAnnotations", &[0, 1, 0, 0])
    }),
    case("annotations twice", ALL, |model| {
        method_attribute(model, "RuntimeVisibleAnnotations", &[0, 0]);
        method_attribute(model, "RuntimeVisibleAnnotations", &[0, 0]);
    }),
    case("SourceFile of nothing", ALL, |model| model.add_attribute("SourceFile", &[0, 0])),
    case("SourceFile twice", ALL, |model| {
        let [high, low] = model.utf8("a").to_be_bytes();
        model.add_attribute("SourceFile", &[high, low]);
        model.add_attribute("SourceFile", &[high, low]);
    }),
    case("inner class", ALL, |model| inner(model, &[["t/T$A", "t/T"]], 1)),
    case("inner class twice", ALL, |model| {
        inner(model, &[["t/T$A", "t/T"]], 1);
        let info = &mut model.attributes[0].info;
        info[1] = 2;
        info.extend_from_within(2..);
    }),
    case("inner class within itself", ALL, |model| {
        inner(model, &[["t/T$A", "t/T"]], 1);
        let info = &mut model.attributes[0].info;
        info.copy_within(2..4, 4);
    }),
    case("inner classes in a circle", ALL, |model| inner(model, &[["t/A", "t/B"], ["t/B", "t/A"]], 1)),
    case("inner class with flags that do not go together", ALL, |model| {
        inner(model, &[["t/T$A", "t/T"]], 0x411)
    }),
    case("inner class of an array", ALL, |model| inner(model, &[["t/T$A", "[I"]], 1)),
    case("InnerClasses with a wrong length", ALL, |model| {
        inner(model, &[["t/T$A", "t/T"]], 1);
        model.attributes[0].info.push(0);
    }),
    case("EnclosingMethod of no class", ALL, |model| model.add_attribute("EnclosingMethod", &[0, 0, 0, 0])),
    case("EnclosingMethod with a wrong length", ALL, |model| model.add_attribute("EnclosingMethod", &[0, 0])),
    case("nest members", ALL, |model| classes(model, "NestMembers", &["t/A"])),
    case("nest members and nest host", ALL, |model| {
        classes(model, "NestMembers", &["t/A"]);
        let host = model.class("t/B");
        model.add_attribute("NestHost", &host.to_be_bytes());
    }),
    case("nest host that is no class", ALL, |model| model.add_attribute("NestHost", &[0, 0])),
    case("record", ALL, |model| record(model, "a", "I")),
    case("record with a bad name", ALL, |model| record(model, "a;", "I")),
    case("record with a bad type", ALL, |model| record(model, "a", "V")),
    case("sealed class", ALL, |model| classes(model, "PermittedSubclasses", &["t/A"])),
    case("sealed final class", ALL, |model| {
        model.flags |= 0x10;
        classes(model, "PermittedSubclasses", &["t/A"]);
    }),
    // Code.
    case("code of no length", ALL, |model| only_code(model, &[])),
    case("code of 65,536 bytes", ALL, |model| only_code(model, &[[0; 65_535].as_slice(), &[0xb1]].concat())),
    case("undefined opcode", ALL, |model| model.edit_code(F, |_, code| code.code[0] = 0xcb)),
    case("breakpoint", ALL, |model| model.edit_code(F, |_, code| code.code[0] = 0xca)),
    case("code that ends within an instruction", ALL, |model| {
        model.edit_code(F, |_, code| *code.code.last_mut().unwrap() = 0x15);
    }),
    case("wide of an instruction that has no wide form", ALL, |model| {
        model.edit_code(F, |_, code| code.code[0] = 0xc4);
    }),
    case("jump into an instruction", ALL, |model| only_code(model, &[0xa7, 0, 1, 0xb1])),
    case("jump before the code", ALL, |model| only_code(model, &[0xa7, 0x80, 0, 0xb1])),
    case("jump past the code", ALL, |model| only_code(model, &[0xa7, 0, 4, 0xb1])),
    case("range past the code", ALL, |model| row(model, [0, 99, 5, 0])),
    case("range within an instruction", ALL, |model| row(model, [1, 5, 5, 0])),
    case("range to within an instruction", ALL, |model| row(model, [0, 1, 5, 0])),
    case("handler past the code", ALL, |model| row(model, [0, 4, 99, 0])),
    case("handler within an instruction", ALL, |model| row(model, [0, 4, 1, 0])),
    case("handler of what is no class", ALL, |model| {
        let text = model.utf8("t/T");
        row(model, [0, 4, 5, text]);
    }),
    case("line past the code", ALL, |model| code_attribute(model, "LineNumberTable", &[0, 1, 0, 99, 0, 1])),
    case("line within an instruction", ALL, |model| {
        code_attribute(model, "LineNumberTable", &[0, 1, 0, 1, 0, 1])
    }),
    case("LineNumberTable with a wrong length", ALL, |model| {
        code_attribute(model, "LineNumberTable", &[0, 1, 0, 0])
    }),
    case("variable", ALL, |model| variable(model, 0, 4, "a", "I", 0)),
    case("variable past the code", ALL, |model| variable(model, 0, 99, "a", "I", 0)),
    case("variable from within an instruction", ALL, |model| variable(model, 1, 3, "a", "I", 0)),
    case("variable past max_locals", ALL, |model| variable(model, 0, 4, "a", "J", 1)),
    case("variable with a bad name", ALL, |model| variable(model, 0, 4, "a.b", "I", 0)),
    case("variable with a bad type", ALL, |model| variable(model, 0, 4, "a", "V", 0)),
    case("variable twice", ALL, |model| {
        variable(model, 0, 4, "a", "I", 0);
        model.edit_code(F, |_, code| {
            let table = code.attributes.last().unwrap().clone();
            code.attributes.push(table);
        });
    }),
    case("variable with a signature and no type", ALL, |model| {
        variable(model, 0, 4, "a", "I", 0);
        code_attribute(model, "LocalVariableTypeTable", &[0, 1, 0, 0, 0, 4, 0, 1, 0, 1, 0, 0]);
    }),
    case("StackMapTable twice", ALL, |model| {
        model.edit_code(F, |_, code| {
            let table = code.attributes[0].clone();
            code.attributes.push(table);
        });
    }),
    case("StackMapTable with bytes behind it", ALL, |model| {
        model.edit_code(F, |_, code| code.attributes[0].info.push(0));
    }),
    case("StackMapTable that is empty", ALL, |model| {
        model.edit_code(F, |_, code| code.attributes[0].info.clear())
    }),
    case("StackMapTable of one byte", ALL, |model| {
        model.edit_code(F, |_, code| code.attributes[0].info.truncate(1))
    }),
    case("StackMapTable of no frame, with bytes behind it", ALL, |model| {
        model.edit_code(F, |_, code| {
            code.rows.clear();
            code.code = vec![3, 0xac];
            code.attributes[0].info = vec![0, 0, 7, 7];
        });
    }),
    case("StackMapTable of more frames than it counts", ALL, |model| {
        model.edit_code(F, |_, code| code.attributes[0].info.extend([0]));
    }),
    case("reserved frame_type", ALL, |model| model.edit_code(F, |_, code| code.attributes[0].info[2] = 200)),
    case("frame within an instruction", ALL, |model| {
        model.edit_code(F, |_, code| code.attributes[0].info[2] = 64 + 1);
    }),
    case("frame past the code", ALL, |model| {
        model.edit_code(F, |_, code| code.attributes[0].info[2] = 64 + 60)
    }),
    case("unknown verification type", ALL, |model| {
        model.edit_code(F, |_, code| code.attributes[0].info[3] = 9)
    }),
    case("frame with a class that is none", ALL, |model| {
        model.edit_code(F, |_, code| code.attributes[0].info[4..6].copy_from_slice(&[0, 1]));
    }),
    case("padding of a switch that is not zero", ALL, |model| {
        model.edit_code(F, |_, code| {
            code.code = vec![3, 0xab, 0, 1, 0, 0, 0, 11, 0, 0, 0, 0, 3, 0xac];
            code.rows.clear();
            // A frame at 12.
            code.attributes[0].info = vec![0, 1, 12];
        });
    }),
    case("invokeinterface with a fourth byte", &[45, 48, 50, 52], |model| {
        let (class, named) = (model.class("java/util/List"), model.name_and_type("size", "()I"));
        let [high, low] = model.entry_of(11, &[class, named]).to_be_bytes();
        only_code(model, &[1, 0xb9, high, low, 1, 1, 0xac]);
    }),
    case("invokestatic of an interface's method", ALL, |model| {
        let (class, named) = (model.class("java/util/List"), model.name_and_type("b", "()I"));
        let [high, low] = model.entry_of(11, &[class, named]).to_be_bytes();
        only_code(model, &[0xb8, high, low, 0xac]);
    }),
    case("invokespecial of an interface's method that is none of ours", ALL, |model| {
        let (class, named) = (model.class("java/util/List"), model.name_and_type("b", "()I"));
        let [high, low] = model.entry_of(11, &[class, named]).to_be_bytes();
        flags(model, F, 1);
        only_code(model, &[0x2a, 0xb7, high, low, 0xac]);
    }),
    case("ldc2_w of an int", ALL, |model| {
        let [high, low] = model.entry(3, &[0; 4]).to_be_bytes();
        only_code(model, &[0x14, high, low, 3, 0xac]);
    }),
    case("ldc of a method", ALL, |model| {
        let (class, named) = (model.class("java/util/List"), model.name_and_type("b", "()I"));
        let index = model.entry_of(10, &[class, named]);
        only_code(model, &[0x12, index as u8, 0xac]);
    }),
    case("ldc of nothing", ALL, |model| only_code(model, &[0x12, 0, 0xac])),
];
