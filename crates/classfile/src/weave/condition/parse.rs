//! Reads a condition from text, by recursive descent.

use std::fmt;

use crate::weave::condition::{Comparison, Condition, Literal, Subject, Value};

/// Text that is no condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Offset in the text, in bytes.
    pub offset: usize,
    /// What was looked for there.
    pub expected: &'static str,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} at character {}", self.expected, self.offset + 1)
    }
}

impl std::error::Error for ParseError {}

/// Longer ones become more bytecode than a probe should have.
const LONGEST: usize = 1_000;

/// Deeper ones are no one's, and the stack has an end.
const DEEPEST: usize = 50;

pub(super) fn parse(text: &str) -> Result<Condition, ParseError> {
    if text.len() > LONGEST {
        return Err(ParseError { offset: LONGEST, expected: "an end before 1000 characters" });
    }
    let mut parser = Parser { text, at: 0, depth: 0 };
    let condition = parser.or()?;
    parser.blanks();
    if parser.at < text.len() {
        return Err(parser.expected("an end, && or ||"));
    }
    Ok(condition)
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    /// Parentheses and negations that are open.
    depth: usize,
}

impl<'t> Parser<'t> {
    fn or(&mut self) -> Result<Condition, ParseError> {
        let parts = self.joined("||", Self::and)?;
        Ok(one_or(parts, Condition::Or))
    }

    fn and(&mut self) -> Result<Condition, ParseError> {
        let parts = self.joined("&&", Self::not)?;
        Ok(one_or(parts, Condition::And))
    }

    fn joined(
        &mut self,
        by: &str,
        part: fn(&mut Self) -> Result<Condition, ParseError>,
    ) -> Result<Vec<Condition>, ParseError> {
        let mut parts = vec![part(self)?];
        while self.eat(by) {
            parts.push(part(self)?);
        }
        Ok(parts)
    }

    fn not(&mut self) -> Result<Condition, ParseError> {
        self.blanks();
        if self.depth > DEEPEST {
            return Err(self.expected("fewer parentheses"));
        }
        self.depth += 1;
        let part = self.part();
        self.depth -= 1;
        part
    }

    fn part(&mut self) -> Result<Condition, ParseError> {
        if !self.rest().starts_with("!=") && self.eat("!") {
            return Ok(Condition::Not(Box::new(self.not()?)));
        }
        if self.eat("(") {
            let inner = self.or()?;
            return if self.eat(")") { Ok(inner) } else { Err(self.expected("a closing parenthesis")) };
        }
        let left = self.value()?;
        let Some(comparison) = self.comparison() else { return Ok(Condition::Is(left)) };
        Ok(Condition::Compare(left, comparison, self.value()?))
    }

    fn comparison(&mut self) -> Option<Comparison> {
        // The longer first: <= is not < followed by =.
        let all = [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        all.into_iter().find(|(text, _)| self.eat(text)).map(|(_, comparison)| comparison)
    }

    fn value(&mut self) -> Result<Value, ParseError> {
        self.blanks();
        let start = self.at;
        match self.rest().chars().next() {
            Some('"') => return self.text().map(|text| Value::Literal(Literal::Text(text))),
            Some('0'..='9' | '-' | '.') => return self.number().map(Value::Literal),
            _ => {}
        }
        let word = self.word();
        let literal = match word {
            "null" => Literal::Null,
            "true" => Literal::Boolean(true),
            "false" => Literal::Boolean(false),
            _ => {
                let subject = self.subject(word).ok_or(ParseError {
                    offset: start,
                    expected: "arg0, args[0], this, result, cost, a number, text, true, false or null",
                })?;
                return self.fields().map(|fields| Value::Path(subject, fields));
            }
        };
        Ok(Value::Literal(literal))
    }

    fn subject(&mut self, word: &str) -> Option<Subject> {
        match word {
            "this" => Some(Subject::This),
            "result" => Some(Subject::Result),
            "cost" => Some(Subject::Cost),
            "args" => {
                if !self.eat("[") {
                    return None;
                }
                self.blanks();
                let number = self.word().parse().ok()?;
                self.eat("]").then_some(Subject::Argument(number))
            }
            _ => word.strip_prefix("arg")?.parse().ok().map(Subject::Argument),
        }
    }

    fn fields(&mut self) -> Result<Vec<String>, ParseError> {
        let mut fields = Vec::new();
        while self.eat(".") {
            self.blanks();
            match self.word() {
                "" => return Err(self.expected("the name of a field")),
                name => fields.push(name.to_owned()),
            }
        }
        Ok(fields)
    }

    fn number(&mut self) -> Result<Literal, ParseError> {
        let start = self.at;
        let number = self.take(|c| c.is_ascii_digit() || matches!(c, '-' | '.' | '_'));
        let digits = number.replace('_', "");
        let unit = match self.word() {
            "" | "ns" | "L" => 1,
            "us" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            _ => {
                return Err(ParseError { offset: start, expected: "a number, or a time in ns, us, ms or s" });
            }
        };
        let wrong = || ParseError { offset: start, expected: "a number that fits 64 bits" };
        if let Ok(whole) = digits.parse::<i64>() {
            return whole.checked_mul(unit).map(Literal::Integer).ok_or_else(wrong);
        }
        if !digits.contains('.') {
            return Err(wrong());
        }
        let decimal: f64 = digits.parse().map_err(|_| wrong())?;
        // 1.5ms is a whole number of nanoseconds.
        Ok(if unit == 1 {
            Literal::Decimal(decimal)
        } else {
            Literal::Integer((decimal * unit as f64) as i64)
        })
    }

    fn text(&mut self) -> Result<String, ParseError> {
        let start = self.at;
        let mut text = String::new();
        let mut escaped = false;
        for (offset, c) in self.rest().char_indices().skip(1) {
            match c {
                _ if escaped => {
                    text.push(match c {
                        'n' => '\n',
                        't' => '\t',
                        other => other,
                    });
                    escaped = false;
                }
                '\\' => escaped = true,
                '"' => {
                    self.at += offset + 1;
                    return Ok(text);
                }
                _ => text.push(c),
            }
        }
        Err(ParseError { offset: start, expected: "a closing quote" })
    }

    fn word(&mut self) -> &'t str {
        self.take(|c| c.is_alphanumeric() || matches!(c, '_' | '$'))
    }

    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn eat(&mut self, wanted: &str) -> bool {
        self.blanks();
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len();
        }
        found
    }

    fn blanks(&mut self) {
        self.take(char::is_whitespace);
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn expected(&self, expected: &'static str) -> ParseError {
        ParseError { offset: self.at, expected }
    }
}

fn one_or(mut parts: Vec<Condition>, join: fn(Vec<Condition>) -> Condition) -> Condition {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            join(parts)
        }
        None => join(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence_and_values() {
        let condition =
            Condition::parse(r#"arg0.status >= 500 && !(cost < 1.5ms) || args[1] == "a\"b""#).unwrap();
        let status = Value::Path(Subject::Argument(0), vec!["status".into()]);
        let number = |n| Value::Literal(Literal::Integer(n));
        let and = Condition::And(vec![
            Condition::Compare(status, Comparison::GreaterOrEqual, number(500)),
            Condition::Not(Box::new(Condition::Compare(
                Value::Path(Subject::Cost, vec![]),
                Comparison::Less,
                number(1_500_000),
            ))),
        ]);
        let text = Condition::Compare(
            Value::Path(Subject::Argument(1), vec![]),
            Comparison::Equal,
            Value::Literal(Literal::Text("a\"b".into())),
        );
        assert_eq!(condition, Condition::Or(vec![and, text]));
        assert!(condition.asks_about(|subject| subject == Subject::Cost));
        assert!(!condition.asks_about(|subject| subject == Subject::This));
    }

    #[test]
    fn what_is_no_condition_says_where() {
        for (text, offset, expected) in [
            ("", 0, "arg0"),
            ("arg0 == ", 8, "arg0"),
            ("(arg0 == 1", 10, "parenthesis"),
            ("arg0 == 1 cost", 10, "an end"),
            ("arg0. == 1", 6, "field"),
            ("cost > 5m", 7, "a time"),
            ("arg0 == \"x", 8, "quote"),
            ("cost > 99999999999999999999", 7, "64 bits"),
            ("args[x] == 1", 0, "arg0"),
        ] {
            let error = Condition::parse(text).unwrap_err();
            assert_eq!(error.offset, offset, "{text}: {error}");
            assert!(error.expected.contains(expected), "{text}: {error}");
        }
        assert!(Condition::parse(&"(".repeat(5_000)).is_err());
        assert!(Condition::parse(&"!".repeat(999)).is_err());
    }
}
