//! Signatures (JVMS 4.7.9.1): types as the Java language has them, with type variables and arguments.

use std::fmt;

use crate::modified_utf8::ModifiedUtf8;

/// A class signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassSignature {
    /// Its type parameters.
    pub type_parameters: Vec<TypeParameter>,
    /// Superclass first, then the interfaces.
    pub supertypes: Vec<Type>,
}

/// A method signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodSignature {
    /// Its type parameters.
    pub type_parameters: Vec<TypeParameter>,
    /// Types of its parameters.
    pub parameters: Vec<Type>,
    /// Type of its result; none for void.
    pub result: Option<Type>,
    /// What it throws, as far as that is said here.
    pub throws: Vec<Type>,
}

/// A type parameter with its bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeParameter {
    /// Its name.
    pub name: String,
    /// A class or type variable first, if it has one, then interfaces.
    pub bounds: Vec<Type>,
}

/// A type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// A primitive type by its letter.
    Primitive(char),
    /// A type variable.
    Variable(String),
    /// An array of something.
    Array(Box<Self>),
    /// A class, and what is nested in it, each with its arguments: `java/util/Map<K,V>` `.Entry<K,V>`.
    Class(Vec<(String, Vec<TypeArgument>)>),
}

/// An argument of a parameterized type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeArgument {
    /// `?`
    Any,
    /// The type itself.
    Exactly(Type),
    /// `? extends`
    Extends(Type),
    /// `? super`
    Super(Type),
}

impl ClassSignature {
    /// Reads a class signature; none if it is malformed.
    pub fn parse(text: ModifiedUtf8<'_>) -> Option<Self> {
        let text = text.to_str()?;
        let mut parser = Parser { rest: &text, depth: 0 };
        let type_parameters = parser.type_parameters()?;
        let mut supertypes = vec![parser.class()?];
        while !parser.rest.is_empty() {
            supertypes.push(parser.class()?);
        }
        Some(Self { type_parameters, supertypes })
    }
}

impl MethodSignature {
    /// Reads a method signature; none if it is malformed.
    pub fn parse(text: ModifiedUtf8<'_>) -> Option<Self> {
        let text = text.to_str()?;
        let mut parser = Parser { rest: &text, depth: 0 };
        let type_parameters = parser.type_parameters()?;
        parser.eat('(').then_some(())?;
        let mut parameters = Vec::new();
        while !parser.eat(')') {
            parameters.push(parser.java_type()?);
        }
        let result = if parser.eat('V') { None } else { Some(parser.java_type()?) };
        let mut throws = Vec::new();
        while parser.eat('^') {
            throws.push(parser.reference()?);
        }
        parser.rest.is_empty().then_some(Self { type_parameters, parameters, result, throws })
    }
}

impl Type {
    /// Reads a field signature; none if it is malformed.
    pub fn parse(text: ModifiedUtf8<'_>) -> Option<Self> {
        let text = text.to_str()?;
        let mut parser = Parser { rest: &text, depth: 0 };
        let parsed = parser.reference()?;
        parser.rest.is_empty().then_some(parsed)
    }
}

/// Types within types: the stack has an end.
const DEEPEST: usize = 200;

struct Parser<'t> {
    rest: &'t str,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn eat(&mut self, wanted: char) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// An identifier, which holds none of `. ; [ / < > :`.
    fn identifier(&mut self, allowed: &str) -> Option<&'t str> {
        let stops = |c: char| ".;[/<>:".contains(c) && !allowed.contains(c);
        let end = self.rest.find(stops).filter(|end| *end > 0)?;
        let (found, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(found)
    }

    fn type_parameters(&mut self) -> Option<Vec<TypeParameter>> {
        let mut parameters = Vec::new();
        if !self.eat('<') {
            return Some(parameters);
        }
        loop {
            let name = self.identifier("")?.to_owned();
            let mut bounds = Vec::new();
            self.rest.starts_with(':').then_some(())?;
            while self.eat(':') {
                // The class bound may be left out.
                if !self.rest.starts_with(':') {
                    bounds.push(self.reference()?);
                }
            }
            parameters.push(TypeParameter { name, bounds });
            if self.eat('>') {
                return Some(parameters);
            }
        }
    }

    fn java_type(&mut self) -> Option<Type> {
        let letter = self.rest.chars().next()?;
        if "BCDFIJSZ".contains(letter) {
            self.eat(letter);
            return Some(Type::Primitive(letter));
        }
        self.reference()
    }

    fn reference(&mut self) -> Option<Type> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let found = if self.eat('[') {
            Type::Array(Box::new(self.java_type()?))
        } else if self.eat('T') {
            let name = self.identifier("")?.to_owned();
            self.eat(';').then_some(Type::Variable(name))?
        } else {
            self.class()?
        };
        self.depth -= 1;
        Some(found)
    }

    fn class(&mut self) -> Option<Type> {
        self.eat('L').then_some(())?;
        let mut parts = vec![(self.identifier("/")?.to_owned(), self.arguments()?)];
        while self.eat('.') {
            parts.push((self.identifier("")?.to_owned(), self.arguments()?));
        }
        self.eat(';').then_some(Type::Class(parts))
    }

    fn arguments(&mut self) -> Option<Vec<TypeArgument>> {
        let mut arguments = Vec::new();
        if !self.eat('<') {
            return Some(arguments);
        }
        while !self.eat('>') {
            arguments.push(if self.eat('*') {
                TypeArgument::Any
            } else if self.eat('+') {
                TypeArgument::Extends(self.reference()?)
            } else if self.eat('-') {
                TypeArgument::Super(self.reference()?)
            } else {
                TypeArgument::Exactly(self.reference()?)
            });
        }
        (!arguments.is_empty()).then_some(arguments)
    }
}

/// As Java source has it.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Primitive(letter) => f.write_str(match letter {
                'B' => "byte",
                'C' => "char",
                'D' => "double",
                'F' => "float",
                'I' => "int",
                'J' => "long",
                'S' => "short",
                _ => "boolean",
            }),
            Self::Variable(name) => f.write_str(name),
            Self::Array(of) => write!(f, "{of}[]"),
            Self::Class(parts) => {
                for (n, (name, arguments)) in parts.iter().enumerate() {
                    let dot = if n == 0 { "" } else { "." };
                    write!(f, "{dot}{}", name.replace('/', "."))?;
                    for (n, argument) in arguments.iter().enumerate() {
                        write!(f, "{}{argument}", if n == 0 { "<" } else { ", " })?;
                    }
                    f.write_str(if arguments.is_empty() { "" } else { ">" })?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for TypeArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("?"),
            Self::Exactly(of) => write!(f, "{of}"),
            Self::Extends(of) => write!(f, "? extends {of}"),
            Self::Super(of) => write!(f, "? super {of}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> ModifiedUtf8<'_> {
        ModifiedUtf8::new(text.as_bytes())
    }

    #[test]
    fn classes_methods_and_fields() {
        let class = ClassSignature::parse(text(
            "<K:Ljava/lang/Object;V::Ljava/lang/Comparable<-TV;>;>Ljava/util/AbstractMap<TK;TV;>;Ljava/io/Serializable;",
        ))
        .unwrap();
        let names: Vec<_> = class.type_parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        assert_eq!(names, ["K", "V"]);
        assert_eq!(class.type_parameters[1].bounds[0].to_string(), "java.lang.Comparable<? super V>");
        assert_eq!(class.supertypes[0].to_string(), "java.util.AbstractMap<K, V>");
        let method = MethodSignature::parse(text(
            "<T:Ljava/lang/Exception;>([ILjava/util/Map<TK;*>.Entry<+TT;[J>;)V^TT;",
        ))
        .unwrap();
        let parameters: Vec<_> = method.parameters.iter().map(Type::to_string).collect();
        assert_eq!(parameters, ["int[]", "java.util.Map<K, ?>.Entry<? extends T, long[]>"]);
        assert_eq!((method.result, method.throws.len()), (None, 1));
        assert_eq!(Type::parse(text("[TX;")).unwrap().to_string(), "X[]");
    }

    #[test]
    fn malformed_ones_are_none() {
        for malformed in ["", "I", "TX", "Ljava/lang/Object", "Lx<>;", "L;", "[", "Lx;y", "Lx.;"] {
            assert_eq!(Type::parse(text(malformed)), None, "{malformed}");
        }
        for malformed in ["()", "(V)V", "<>()V", "<T>()V", "()V^", "(I"] {
            assert_eq!(MethodSignature::parse(text(malformed)), None, "{malformed}");
        }
        assert_eq!(ClassSignature::parse(text("<T:>")), None);
        assert_eq!(Type::parse(text(&"[".repeat(100_000))), None);
    }
}
