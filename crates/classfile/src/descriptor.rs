//! Descriptors of fields and methods (JVMS 4.3): their types, one after the other, and the slots they take.

use std::fmt;

use crate::modified_utf8::ModifiedUtf8;

/// What the array of a type holds, or the type itself where it is no array.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Element<'a> {
    /// A primitive type by its letter: B C D F I J S Z.
    Primitive(u8),
    /// A class or interface, in internal form.
    Class(ModifiedUtf8<'a>),
}

/// A field type (4.3.2): an element, and how often an array of it is taken.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FieldType<'a> {
    /// How many dimensions; 0 where it is no array.
    pub dimensions: u8,
    /// What is in it.
    pub element: Element<'a>,
}

impl<'a> FieldType<'a> {
    /// Reads a field descriptor; none if it is malformed.
    pub fn parse(descriptor: ModifiedUtf8<'a>) -> Option<Self> {
        let (parsed, rest) = Self::split(descriptor.as_bytes())?;
        rest.is_empty().then_some(parsed)
    }

    /// The type that a CONSTANT_Class names: a class in internal form, or an array in descriptor form (4.4.1).
    pub fn of_class(name: ModifiedUtf8<'a>) -> Option<Self> {
        match name.as_bytes().first()? {
            b'[' => Self::parse(name),
            // None of these stands in a name (JVMS 4.2.1).
            _ if name.as_bytes().iter().any(|byte| matches!(byte, b'.' | b';' | b'[')) => None,
            _ => Some(Self { dimensions: 0, element: Element::Class(name) }),
        }
    }

    /// Reads a type from the front of `bytes`.
    fn split(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let dimensions = bytes.iter().take_while(|byte| **byte == b'[').count();
        let rest = &bytes[dimensions..];
        let dimensions = u8::try_from(dimensions).ok()?;
        let (letter, rest) = rest.split_first()?;
        match letter {
            b'B' | b'C' | b'D' | b'F' | b'I' | b'J' | b'S' | b'Z' => {
                Some((Self { dimensions, element: Element::Primitive(*letter) }, rest))
            }
            b'L' => {
                let end = rest.iter().position(|byte| *byte == b';').filter(|end| *end > 0)?;
                let element = Element::Class(ModifiedUtf8::new(&rest[..end]));
                Some((Self { dimensions, element }, &rest[end + 1..]))
            }
            _ => None,
        }
    }

    /// A reference: an array, class or interface.
    pub fn is_reference(&self) -> bool {
        self.dimensions > 0 || matches!(self.element, Element::Class(_))
    }

    /// Slots that a value takes in local variables and on the operand stack: 2 for long and double.
    pub fn slots(&self) -> u16 {
        if self.dimensions == 0 && matches!(self.element, Element::Primitive(b'D' | b'J')) { 2 } else { 1 }
    }

    /// The letter that names the type of a value as instructions see it: A, D, F, I or J.
    pub(crate) fn computational(&self) -> u8 {
        match self.element {
            Element::Primitive(letter @ (b'D' | b'F' | b'J')) if self.dimensions == 0 => letter,
            Element::Primitive(_) if self.dimensions == 0 => b'I',
            _ => b'A',
        }
    }

    /// Writes it as a CONSTANT_Class names it: internal form, or a descriptor where it is an array.
    pub(crate) fn write_class_name(&self, to: &mut Vec<u8>) {
        to.extend(std::iter::repeat_n(b'[', usize::from(self.dimensions)));
        match self.element {
            Element::Primitive(letter) => to.push(letter),
            Element::Class(name) if self.dimensions == 0 => to.extend(name.as_bytes()),
            Element::Class(name) => {
                to.push(b'L');
                to.extend(name.as_bytes());
                to.push(b';');
            }
        }
    }
}

/// As Java source would name it: `java.lang.String[]`.
impl fmt::Display for FieldType<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.element {
            Element::Primitive(letter) => f.write_str(primitive_name(letter))?,
            Element::Class(name) => f.write_str(&name.to_str_lossy().replace('/', "."))?,
        }
        (0..self.dimensions).try_for_each(|_| f.write_str("[]"))
    }
}

impl fmt::Debug for FieldType<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn primitive_name(letter: u8) -> &'static str {
    match letter {
        b'B' => "byte",
        b'C' => "char",
        b'D' => "double",
        b'F' => "float",
        b'I' => "int",
        b'J' => "long",
        b'S' => "short",
        _ => "boolean",
    }
}

/// A method descriptor (4.3.3), checked as a whole when it is parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MethodDescriptor<'a> {
    /// Between the parentheses.
    parameters: &'a [u8],
    result: Option<FieldType<'a>>,
    parameter_count: u16,
    parameter_slots: u16,
}

impl<'a> MethodDescriptor<'a> {
    /// Reads a method descriptor; none if it is malformed.
    pub fn parse(descriptor: ModifiedUtf8<'a>) -> Option<Self> {
        let bytes = descriptor.as_bytes().strip_prefix(b"(")?;
        let (mut rest, mut parameter_count, mut parameter_slots) = (bytes, 0, 0_u16);
        while *rest.first()? != b')' {
            let (parameter, next) = FieldType::split(rest)?;
            parameter_slots = parameter_slots.checked_add(parameter.slots())?;
            // No more than slots.
            parameter_count += 1;
            rest = next;
        }
        let parameters = &bytes[..bytes.len() - rest.len()];
        let result = match &rest[1..] {
            b"V" => None,
            result => Some(FieldType::parse(ModifiedUtf8::new(result))?),
        };
        Some(Self { parameters, result, parameter_count, parameter_slots })
    }

    /// The types of the parameters, in order; the receiver is not among them.
    pub fn parameters(&self) -> impl Iterator<Item = FieldType<'a>> + use<'a> {
        let mut rest = self.parameters;
        std::iter::from_fn(move || {
            let (parameter, next) = FieldType::split(rest)?;
            rest = next;
            Some(parameter)
        })
    }

    /// The type of the result; none for void.
    pub fn result(&self) -> Option<FieldType<'a>> {
        self.result
    }

    /// How many parameters there are, the receiver not counted.
    pub fn parameter_count(&self) -> u16 {
        self.parameter_count
    }

    /// Slots that the parameters take, the receiver not counted. A method may have 255 with the receiver (4.3.3).
    pub fn parameter_slots(&self) -> u16 {
        self.parameter_slots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(text: &str) -> Option<MethodDescriptor<'_>> {
        MethodDescriptor::parse(ModifiedUtf8::new(text.as_bytes()))
    }

    #[test]
    fn parameters_slots_and_result() {
        let parsed = method("(IJ[DLjava/lang/String;[[Lx/Y;Z)[J").unwrap();
        let names: Vec<_> = parsed.parameters().map(|parameter| parameter.to_string()).collect();
        assert_eq!(names, ["int", "long", "double[]", "java.lang.String", "x.Y[][]", "boolean"]);
        assert_eq!(parsed.parameter_slots(), 7);
        assert_eq!(parsed.result().unwrap().to_string(), "long[]");
        assert_eq!(parsed.result().unwrap().slots(), 1);
        assert_eq!(method("()V").unwrap().result(), None);
    }

    #[test]
    fn malformed_ones_are_none() {
        for text in ["", "(", "()", "I", "(V)V", "(L;)V", "(Lx)V", "()VV", "([)V", "(I)", "()Lx", ")V", "()Q"]
        {
            assert_eq!(method(text), None, "{text}");
        }
        assert_eq!(FieldType::parse(ModifiedUtf8::new(b"II")), None);
    }

    #[test]
    fn class_constants_name_arrays_too() {
        for name in ["java/lang/String", "[I", "[[Lx/Y;"] {
            let mut out = Vec::new();
            FieldType::of_class(ModifiedUtf8::new(name.as_bytes())).unwrap().write_class_name(&mut out);
            assert_eq!(out, name.as_bytes());
        }
    }
}
