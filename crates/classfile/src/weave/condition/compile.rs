//! Makes bytecode of a condition. It throws nothing: a field of null makes its comparison false, and a field that the
//! class may not access is refused before.

use crate::class_file::access_flags;
use crate::descriptor::{Element, FieldType};
use crate::left_alone::LeftAlone;
use crate::modified_utf8::{ModifiedUtf8, encode};
use crate::opcode::*;
use crate::rewrite::{Assembler, Label, PoolAppender};
use crate::weave::condition::{Comparison, Condition, Fields, Literal, Subject, Value};

/// Where the subjects of a condition are: the type of each, and the slot that holds it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known<'k, 'a> {
    pub(crate) arguments: &'k [(FieldType<'a>, u16)],
    pub(crate) this: Option<(FieldType<'a>, u16)>,
    pub(crate) result: Option<(FieldType<'a>, u16)>,
    /// A long.
    pub(crate) cost: Option<u16>,
}

/// Slots that a condition uses for itself, from [`Compiler::scratch`] on.
pub(crate) const SCRATCH: u16 = 5;

/// Compiles one condition of one method.
pub(crate) struct Compiler<'k, 'c, 'a> {
    pub(crate) assembler: &'k mut Assembler<'a>,
    pub(crate) pool: &'k mut PoolAppender<'c, 'a>,
    pub(crate) known: &'k Known<'k, 'a>,
    pub(crate) fields: &'k dyn Fields,
    /// Internal name of the class that will run it.
    pub(crate) class: String,
    pub(crate) scratch: u16,
}

/// What a value on the stack is.
#[derive(Clone, Debug, PartialEq)]
enum Kind {
    /// I J F D, and Z for boolean, which is an int.
    Primitive(u8),
    /// By internal name; none for an array.
    Reference(Option<String>),
}

/// Which way the code goes on where it does not jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    True,
    False,
}

impl<'a> Compiler<'_, '_, 'a> {
    /// Goes on where the condition holds, to `otherwise` where it does not.
    pub(crate) fn compile(&mut self, condition: &Condition, otherwise: &mut Label) -> Result<(), LeftAlone> {
        let mut holds = Label::default();
        self.part(condition, &mut holds, otherwise, Next::True)?;
        self.assembler.place(&holds);
        Ok(())
    }

    fn part(
        &mut self,
        condition: &Condition,
        holds: &mut Label,
        fails: &mut Label,
        next: Next,
    ) -> Result<(), LeftAlone> {
        match condition {
            Condition::Not(part) => {
                let next = if next == Next::True { Next::False } else { Next::True };
                self.part(part, fails, holds, next)
            }
            Condition::And(parts) | Condition::Or(parts) => {
                let and = matches!(condition, Condition::And(_));
                let Some((last, first)) = parts.split_last() else { return Ok(()) };
                for part in first {
                    let mut on = Label::default();
                    match and {
                        true => self.part(part, &mut on, fails, Next::True)?,
                        false => self.part(part, holds, &mut on, Next::False)?,
                    }
                    self.assembler.place(&on);
                }
                self.part(last, holds, fails, next)
            }
            Condition::Is(value) => {
                match self.load(value, fails)? {
                    Kind::Primitive(b'Z') => {}
                    _ => return Err(refuse(format!("{} is no boolean", shown(value)))),
                }
                self.branch(IFNE, -1, holds, fails, next);
                Ok(())
            }
            Condition::Compare(left, comparison, right) => {
                self.compare(left, *comparison, right, holds, fails, next)
            }
        }
    }

    fn compare(
        &mut self,
        left: &Value,
        comparison: Comparison,
        right: &Value,
        holds: &mut Label,
        fails: &mut Label,
        next: Next,
    ) -> Result<(), LeftAlone> {
        // A literal on the left changes places with what is on the right.
        if matches!(left, Value::Literal(_)) && !matches!(right, Value::Literal(_)) {
            return self.compare(right, mirrored(comparison), left, holds, fails, next);
        }
        let equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        let found = self.load(left, fails)?;
        match (&found, right) {
            (Kind::Reference(_), Value::Literal(Literal::Null)) if equality => {
                let opcode = if comparison == Comparison::Equal { IFNULL } else { IFNONNULL };
                self.branch(opcode, -1, holds, fails, next);
                return Ok(());
            }
            (Kind::Reference(class), Value::Literal(Literal::Text(text))) if equality => {
                if self.class.starts_with("java/lang/String") {
                    return Err(refuse("String.equals can't be asked from where it is made".into()));
                }
                if !matches!(
                    class.as_deref(),
                    Some("java/lang/String" | "java/lang/Object" | "java/lang/CharSequence")
                ) {
                    return Err(refuse(format!("{} is no String", shown(left))));
                }
                self.assembler.store(b'A', self.scratch);
                let text = self.pool.string(&encode(text))?;
                self.assembler.pool(LDC_W, text, 1);
                self.assembler.load(b'A', self.scratch);
                let equals = self.pool.method("java/lang/String", "equals", b"(Ljava/lang/Object;)Z")?;
                self.assembler.pool(INVOKEVIRTUAL, equals, -1);
                let opcode = if comparison == Comparison::Equal { IFNE } else { IFEQ };
                self.branch(opcode, -1, holds, fails, next);
                return Ok(());
            }
            _ => {}
        }
        // Both into locals first: on its way to the second a jump must not leave the first on the stack.
        let letter = stored(&found);
        self.assembler.store(letter, self.scratch);
        let other = self.load(right, fails)?;
        self.assembler.store(stored(&other), self.scratch + 2);
        match (&found, &other) {
            (Kind::Reference(_), Kind::Reference(_)) if equality => {
                self.assembler.load(b'A', self.scratch);
                self.assembler.load(b'A', self.scratch + 2);
                let opcode = if comparison == Comparison::Equal { IF_ACMPEQ } else { IF_ACMPNE };
                self.branch(opcode, -2, holds, fails, next);
            }
            (Kind::Primitive(b'Z'), Kind::Primitive(b'Z')) if equality => {
                self.numbers(b'Z', b'Z', comparison, holds, fails, next);
            }
            (Kind::Primitive(one), Kind::Primitive(two)) if *one != b'Z' && *two != b'Z' => {
                self.numbers(*one, *two, comparison, holds, fails, next);
            }
            _ => return Err(refuse(format!("{} and {} can't be compared so", shown(left), shown(right)))),
        }
        Ok(())
    }

    /// Compares two numbers in the scratch slots, in the wider type of the two (JLS 5.6).
    fn numbers(
        &mut self,
        one: u8,
        two: u8,
        comparison: Comparison,
        holds: &mut Label,
        fails: &mut Label,
        next: Next,
    ) {
        let widest =
            [b'D', b'F', b'J'].into_iter().find(|letter| one == *letter || two == *letter).unwrap_or(b'I');
        for (letter, slot) in [(one, self.scratch), (two, self.scratch + 2)] {
            let letter = if letter == b'Z' { b'I' } else { letter };
            self.assembler.load(letter, slot);
            match (letter, widest) {
                (b'I', b'J') => self.assembler.op(I2L, 1),
                (b'I', b'F') => self.assembler.op(I2F, 0),
                (b'I', b'D') => self.assembler.op(I2D, 1),
                (b'J', b'F') => self.assembler.op(L2F, -1),
                (b'J', b'D') => self.assembler.op(L2D, 0),
                (b'F', b'D') => self.assembler.op(F2D, 1),
                _ => {}
            }
        }
        // NaN compares false: the side that lets it fail depends on the direction.
        let less = matches!(comparison, Comparison::Less | Comparison::LessOrEqual);
        let nth = match comparison {
            Comparison::Equal => 0,
            Comparison::NotEqual => 1,
            Comparison::Less => 2,
            Comparison::GreaterOrEqual => 3,
            Comparison::Greater => 4,
            Comparison::LessOrEqual => 5,
        };
        match widest {
            b'I' => {
                self.branch(IF_ICMPEQ + nth, -2, holds, fails, next);
                return;
            }
            b'J' => self.assembler.op(LCMP, -3),
            b'F' => self.assembler.op(if less { FCMPG } else { FCMPL }, -1),
            _ => self.assembler.op(if less { DCMPG } else { DCMPL }, -3),
        }
        self.branch(IFEQ + nth, -1, holds, fails, next);
    }

    /// Jumps where the opcode's condition holds, or, if the code goes on there, where it does not.
    fn branch(&mut self, opcode: u8, change: i32, holds: &mut Label, fails: &mut Label, next: Next) {
        match next {
            Next::True => self.assembler.jump(opposite(opcode), fails, change),
            Next::False => self.assembler.jump(opcode, holds, change),
        }
    }

    fn load(&mut self, value: &Value, fails: &mut Label) -> Result<Kind, LeftAlone> {
        match value {
            Value::Literal(literal) => self.literal(literal),
            Value::Path(subject, fields) => self.path(*subject, fields, fails),
        }
    }

    fn literal(&mut self, literal: &Literal) -> Result<Kind, LeftAlone> {
        Ok(match literal {
            Literal::Null => {
                self.assembler.op(ACONST_NULL, 1);
                Kind::Reference(None)
            }
            Literal::Boolean(value) => {
                self.assembler.op(ICONST_0 + u8::from(*value), 1);
                Kind::Primitive(b'Z')
            }
            Literal::Integer(value) => match i32::try_from(*value) {
                Ok(value) => {
                    self.assembler.int(value, self.pool)?;
                    Kind::Primitive(b'I')
                }
                Err(_) => {
                    let index = self.pool.long(*value)?;
                    self.assembler.pool(LDC2_W, index, 2);
                    Kind::Primitive(b'J')
                }
            },
            Literal::Decimal(value) => {
                let index = self.pool.double(*value)?;
                self.assembler.pool(LDC2_W, index, 2);
                Kind::Primitive(b'D')
            }
            Literal::Text(text) => {
                let index = self.pool.string(&encode(text))?;
                self.assembler.pool(LDC_W, index, 1);
                Kind::Reference(Some("java/lang/String".into()))
            }
        })
    }

    fn path(&mut self, subject: Subject, fields: &[String], fails: &mut Label) -> Result<Kind, LeftAlone> {
        let missing = || refuse(format!("there is no {subject}"));
        let found = match subject {
            Subject::Argument(n) => self.known.arguments.get(usize::from(n)).copied(),
            Subject::This => self.known.this,
            Subject::Result => self.known.result,
            Subject::Cost => {
                self.assembler.load(b'J', self.known.cost.ok_or_else(missing)?);
                return match fields {
                    [] => Ok(Kind::Primitive(b'J')),
                    _ => Err(refuse("cost has no fields".into())),
                };
            }
        };
        let (declared, slot) = found.ok_or_else(missing)?;
        self.assembler.load(declared.computational(), slot);
        let mut kind = kind_of(declared);
        let mut shown = subject.to_string();
        for name in fields {
            let Kind::Reference(Some(class)) = &kind else {
                return Err(refuse(format!("{shown} has no fields")));
            };
            let (class, facts) = (class.clone(), self.fields.find(&self.class, class, name));
            let facts =
                facts.ok_or_else(|| refuse(format!("{} has no field {name}", class.replace('/', "."))))?;
            if facts.flags & access_flags::STATIC != 0 {
                return Err(refuse(format!("{shown}.{name} is static")));
            }
            if !is_accessible(&self.class, &class, &facts) {
                return Err(refuse(format!(
                    "{shown}.{name} may not be read from {}",
                    self.class.replace('/', ".")
                )));
            }
            // The value is looked at once and kept, so that it can't become null between test and use.
            let temporary = self.scratch + 4;
            self.assembler.store(b'A', temporary);
            self.assembler.load(b'A', temporary);
            self.assembler.jump(IFNULL, fails, -1);
            self.assembler.load(b'A', temporary);
            let descriptor = ModifiedUtf8::new(facts.descriptor.as_bytes());
            let declared = FieldType::parse(descriptor)
                .ok_or_else(|| refuse(format!("{shown}.{name} has the type {}", facts.descriptor)))?;
            // By the class that the value is known as: a verifier then has no two classes to relate.
            let (owner, field) = (encode(&class), encode(name));
            let index = self.pool.field(&owner, &field, &encode(&facts.descriptor))?;
            self.assembler.pool(GETFIELD, index, i32::from(declared.slots()) - 1);
            kind = kind_of(declared);
            shown = format!("{shown}.{name}");
        }
        Ok(kind)
    }
}

/// Access by JVMS 5.4.4, as far as it can be sure: classes of one package are taken to be of one loader, and protected
/// is not enough.
fn is_accessible(from: &str, class: &str, facts: &super::FieldFacts) -> bool {
    const PRIVATE: u16 = 0x0002;
    let package =
        |class: &str| class.rsplit_once('/').map_or(String::new(), |(package, _)| package.to_owned());
    let may_use =
        |class: &str, flags: u16| flags & access_flags::PUBLIC != 0 || package(from) == package(class);
    let declared_in = facts.declared_in.as_str();
    may_use(class, facts.class_flags)
        && may_use(declared_in, facts.declared_in_flags)
        && (from == declared_in || may_use(declared_in, facts.flags) && facts.flags & PRIVATE == 0)
}

fn kind_of(declared: FieldType<'_>) -> Kind {
    match declared.element {
        Element::Primitive(b'Z') if declared.dimensions == 0 => Kind::Primitive(b'Z'),
        Element::Primitive(_) if declared.dimensions == 0 => Kind::Primitive(declared.computational()),
        Element::Class(name) if declared.dimensions == 0 => {
            Kind::Reference(Some(name.to_str_lossy().into_owned()))
        }
        _ => Kind::Reference(None),
    }
}

fn stored(kind: &Kind) -> u8 {
    match kind {
        Kind::Primitive(b'Z') => b'I',
        Kind::Primitive(letter) => *letter,
        Kind::Reference(_) => b'A',
    }
}

fn mirrored(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        same => same,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Path(subject, fields) => {
            fields.iter().fold(subject.to_string(), |path, field| path + "." + field)
        }
        Value::Literal(Literal::Text(text)) => format!("{text:?}"),
        Value::Literal(Literal::Null) => "null".into(),
        Value::Literal(Literal::Boolean(value)) => value.to_string(),
        Value::Literal(Literal::Integer(value)) => value.to_string(),
        Value::Literal(Literal::Decimal(value)) => value.to_string(),
    }
}

#[cold]
fn refuse(why: String) -> LeftAlone {
    LeftAlone::ConditionDoesNotFit(why)
}
