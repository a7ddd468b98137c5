//! Which methods are meant: `Class::method`, with `*` for any text in both parts, and, behind the method, a descriptor if one
//! of several is meant: `(Ljava/lang/String;I)V`, or as Java has it, `(String,int)`. Classes are named with dots, as `java.util.Map$Entry`;
//! a `+` behind the class stands for whatever extends or implements it besides.

use std::fmt;

/// A pattern as it was typed, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    class: String,
    /// Classes that extend or implement such a class are meant too.
    subtypes: bool,
    method: String,
    /// From `(` on.
    descriptor: Option<String>,
}

/// What is wrong with a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// There is no `::`, or nothing before or behind it.
    Parts,
    /// A `(` without a `)`.
    Descriptor,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parts => "a pattern is Class::method, such as shop.OrderService::place or shop.*::*",
            Self::Descriptor => "a descriptor is as in (Ljava/lang/String;I)V or (String,int)",
        })
    }
}

impl std::error::Error for PatternError {}

impl Pattern {
    /// Takes `shop.OrderService::place`, `shop/Order*::*`, `shop.OrderService::place(Ljava/lang/String;)V`.
    pub fn parse(typed: &str) -> Result<Self, PatternError> {
        let (class, member) = typed.split_once("::").ok_or(PatternError::Parts)?;
        let (method, descriptor) = match member.find('(') {
            Some(at) => (&member[..at], Some(&member[at..])),
            None => (member, None),
        };
        let (class, subtypes) = match class.strip_suffix('+') {
            Some(class) => (class, true),
            None => (class, false),
        };
        if class.is_empty() || method.is_empty() || member.contains("::") {
            return Err(PatternError::Parts);
        }
        if descriptor.is_some_and(|descriptor| !descriptor.contains(')')) {
            return Err(PatternError::Descriptor);
        }
        let (class, method) = (class.replace('/', "."), method.to_owned());
        Ok(Self { class, subtypes, method, descriptor: descriptor.map(str::to_owned) })
    }

    /// Whether methods of a class are meant, by its internal name or its name with dots. What it extends is not known here.
    pub fn wants_class(&self, name: &str) -> bool {
        matches(self.class.as_bytes(), name.as_bytes())
    }

    /// Whether classes that extend or implement one that is meant are meant too.
    pub fn with_subtypes(&self) -> bool {
        self.subtypes
    }

    /// Whether a method is meant of a class that is.
    pub fn wants_method(&self, name: &str, descriptor: &str) -> bool {
        matches(self.method.as_bytes(), name.as_bytes())
            && self
                .descriptor
                .as_deref()
                .is_none_or(|wanted| wanted == descriptor || is_java(wanted, descriptor))
    }

    /// The class, where it names one, so that it is a mistake where there is none.
    pub fn class(&self) -> Option<&str> {
        Some(&*self.class).filter(|class| !class.contains('*'))
    }

    /// The method as it was typed, with its descriptor.
    pub fn member(&self) -> String {
        format!("{}{}", self.method, self.descriptor.as_deref().unwrap_or_default())
    }

    /// The method, where it names one.
    pub fn method(&self) -> Option<&str> {
        Some(&*self.method).filter(|method| !method.contains('*'))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plus = if self.subtypes { "+" } else { "" };
        write!(f, "{}{plus}::{}{}", self.class, self.method, self.descriptor.as_deref().unwrap_or_default())
    }
}

/// Whether a descriptor has these parameters, written as in Java: `(String,int)`, packages or none.
fn is_java(wanted: &str, descriptor: &str) -> bool {
    let Some(wanted) = wanted.strip_prefix('(').and_then(|wanted| wanted.strip_suffix(')')) else {
        return false;
    };
    let wanted: Vec<_> = wanted.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let simple = |name: &str| name.rsplit('.').next().unwrap_or(name).to_owned();
    java_types(descriptor)
        .is_some_and(|types| types == wanted.iter().map(|name| simple(name)).collect::<Vec<_>>())
}

/// The types of the parameters of a descriptor, or what is behind its `(`, as Java has them and without packages; none
/// where it is no descriptor (JVMS 4.3.3).
pub fn java_types(descriptor: &str) -> Option<Vec<String>> {
    let mut rest = descriptor.trim_start_matches('(');
    let mut types = Vec::new();
    while !rest.starts_with(')') {
        let element = rest.trim_start_matches('[');
        let dimensions = rest.len() - element.len();
        let (name, behind) = match element.strip_prefix('L') {
            Some(class) => class.split_once(';')?,
            None => (primitive(element.chars().next()?)?, &element[1..]),
        };
        let simple = name.rsplit('/').next().unwrap_or(name);
        types.push(format!("{simple}{}", "[]".repeat(dimensions)));
        rest = behind;
    }
    Some(types)
}

/// A method with its descriptor as it is shown, which is as a pattern may have it: `Stock::take(Ljava/lang/String;I)V` as
/// `Stock::take(String,int)`.
pub fn shown_method(method: &str) -> String {
    let Some((name, descriptor)) = method.split_once('(') else { return method.to_owned() };
    match java_types(descriptor) {
        Some(types) => format!("{name}({})", types.join(",")),
        None => method.to_owned(),
    }
}

fn primitive(letter: char) -> Option<&'static str> {
    Some(match letter {
        'B' => "byte",
        'C' => "char",
        'D' => "double",
        'F' => "float",
        'I' => "int",
        'J' => "long",
        'S' => "short",
        'Z' => "boolean",
        _ => return None,
    })
}

/// `*` is any text; a slash in the name is a dot. Linear in the product at worst.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let same = |wanted: u8, found: u8| wanted == found || wanted == b'.' && found == b'/';
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, n));
            p += 1;
        } else if pattern.get(p).is_some_and(|wanted| same(*wanted, name[n])) {
            (p, n) = (p + 1, n + 1);
        } else if let Some((at, from)) = star {
            (p, n) = (at + 1, from + 1);
            star = Some((at, from + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|rest| *rest == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_names_and_descriptors() {
        for (typed, class, method, descriptor, wanted) in [
            ("shop.Order::place", "shop/Order", "place", "()V", true),
            ("shop/Order::place", "shop.Order", "place", "(I)V", true),
            ("shop.Order::place", "shop/OrderX", "place", "()V", false),
            ("shop.Order::place(I)V", "shop/Order", "place", "()V", false),
            ("shop.Order::place(I)V", "shop/Order", "place", "(I)V", true),
            ("shop.Order::place(int)", "shop/Order", "place", "(I)V", true),
            ("shop.Order::place(String, int[])", "shop/Order", "place", "(Ljava/lang/String;[I)V", true),
            ("shop.Order::place(java.lang.String)", "shop/Order", "place", "(Ljava/lang/String;)V", true),
            ("shop.Order::place(String)", "shop/Order", "place", "(Ljava/lang/Object;)V", false),
            ("shop.Order::place()", "shop/Order", "place", "()Z", true),
            ("shop.Order::place()", "shop/Order", "place", "(I)Z", false),
            ("*Order::*", "a/b/Order", "<init>", "()V", true),
            ("shop.*::get*By*", "shop/a/B", "getOrderById", "()V", true),
            ("shop.*::get*By*", "shop/a/B", "getOrder", "()V", false),
            ("a*b*c::m", "aXXbYYbZZc", "m", "()V", true),
            ("a.b::m", "aXb", "m", "()V", false),
        ] {
            let pattern = Pattern::parse(typed).unwrap();
            let found = pattern.wants_class(class) && pattern.wants_method(method, descriptor);
            assert_eq!(found, wanted, "{typed} {class} {method}{descriptor}");
        }
        assert_eq!(Pattern::parse("a/B$C::d(I)V").unwrap().to_string(), "a.B$C::d(I)V");
        let named = |typed| {
            let pattern = Pattern::parse(typed).unwrap();
            (pattern.class().map(str::to_owned), pattern.method().map(str::to_owned))
        };
        let with = Pattern::parse("a.B+::c").unwrap();
        assert!(with.with_subtypes() && with.wants_class("a/B") && !with.wants_class("a/B+"));
        assert_eq!((with.to_string().as_str(), with.class()), ("a.B+::c", Some("a.B")));
        assert_eq!(named("a.B::*"), (Some("a.B".into()), None));
        assert_eq!(named("a.*::b(I)V"), (None, Some("b".into())));
    }

    #[test]
    fn methods_are_shown_as_they_may_be_typed() {
        let method = "a.B::c(Ljava/util/Map$Entry;[[IJ)V";
        assert_eq!(shown_method(method), "a.B::c(Map$Entry,int[][],long)");
        let typed = Pattern::parse(&shown_method(method)).unwrap();
        assert!(typed.wants_method("c", "(Ljava/util/Map$Entry;[[IJ)V"));
        assert_eq!(["a.B::c", "a.B::c(Q)V"].map(shown_method), ["a.B::c", "a.B::c(Q)V"]);
    }

    #[test]
    fn what_is_no_pattern() {
        for typed in ["", "+::a", "a.B", "a.B.c", "::c", "a.B::", "a::b::c"] {
            assert_eq!(Pattern::parse(typed), Err(PatternError::Parts), "{typed}");
        }
        assert_eq!(Pattern::parse("a.B::c(I"), Err(PatternError::Descriptor));
    }
}
