//! Assembles classes from text, for tests that need code no compiler writes. It knows the format and no rules: what it
//! is told it writes.
//!
//! ```text
//! class golden/Name 52 [super X] [flags N]      ; ends with the next class
//! field static x I
//! method static f (IJ)J stack 4 locals 5        ; flags by name, up to `end`
//!     iload 0                                   ; wide where the index needs it, or `wide iload 0`
//!     ldc 5 | 5L | 1.5 | 1.5f | "text" | class X | condy NAME TYPE BOOTSTRAP [ARGUMENT]
//!     getstatic X.name TYPE
//!     invokestatic X.name(I)V
//!     tableswitch 1 a b default c
//!     lookupswitch 5:a 9:b default:c
//!   a:
//!     frame same | same_extended | same1 T | same1_extended T | chop N | append T… | full T… / T…
//!     repeat 100 … end repeat
//!     catch FROM TO HANDLER TYPE                ; `any` for all
//!     code_attribute NAME HEX                   ; an attribute of the code, byte for byte
//! end
//! ```
//! Types in frames: top int float long double null this new:LABEL, or a class.

mod pool;

use std::collections::HashMap;

use anyhow::{Context, Result, anyhow, bail};
use jgraft_classfile::opcode::{Format, format, mnemonic};

use pool::{Pool, u2};

/// Classes by internal name.
pub(crate) fn assemble(text: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let lines = expanded(text);
    let mut classes = Vec::new();
    let mut rest = lines.as_slice();
    while let Some(((_, first), behind)) = rest.split_first() {
        let length = behind.iter().position(|(_, line)| line.starts_with("class ")).unwrap_or(behind.len());
        let (body, next) = behind.split_at(length);
        classes.push(class(first, body)?);
        rest = next;
    }
    Ok(classes)
}

/// Lines with their numbers, without comments, repetitions written out.
fn expanded(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut repeats: Vec<(usize, usize)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split(" ;").next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with(';') {
            continue;
        }
        if let Some(times) = line.strip_prefix("repeat ") {
            repeats.push((times.parse().unwrap_or(0), lines.len()));
        } else if let ("end repeat", Some((times, from))) = (line, repeats.last().copied()) {
            repeats.pop();
            let body = lines.split_off(from);
            (0..times).for_each(|_| lines.extend_from_slice(&body));
        } else {
            lines.push((number + 1, line.to_owned()));
        }
    }
    lines
}

fn class(first: &str, body: &[(usize, String)]) -> Result<(String, Vec<u8>)> {
    let words: Vec<&str> = first.split_whitespace().collect();
    let ["class", name, major, options @ ..] = words.as_slice() else { bail!("no class: {first}") };
    let option = |wanted| options.windows(2).find(|pair| pair[0] == wanted).map(|pair| pair[1]);
    let (major, minor) = match major.split_once('.') {
        Some((major, minor)) => (major.parse()?, minor.parse()?),
        // Before 45.3 a Code attribute looks different.
        None => (major.parse()?, if *major == "45" { 3 } else { 0 }),
    };
    let mut made = Making { in_small: major == 45 && minor < 3, ..Making::default() };
    let (mut fields, mut methods, mut counts) = (Vec::new(), Vec::new(), [0_u16; 2]);
    let mut lines = body.iter();
    while let Some((number, line)) = lines.next() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["field", flagged @ .., name, descriptor] => {
                u2(&mut fields, flags(flagged)?);
                u2(&mut fields, made.pool.utf8(name));
                u2(&mut fields, made.pool.utf8(descriptor));
                u2(&mut fields, 0);
                counts[0] += 1;
            }
            ["method", flagged @ .., name, descriptor, "stack", stack, "locals", locals] => {
                let code = lines.by_ref().take_while(|(_, line)| line != "end");
                let attribute = made.code(code, stack.parse()?, locals.parse()?)?;
                u2(&mut methods, flags(flagged)?);
                u2(&mut methods, made.pool.utf8(name));
                u2(&mut methods, made.pool.utf8(descriptor));
                u2(&mut methods, 1);
                made.attribute("Code", &attribute, &mut methods);
                counts[1] += 1;
            }
            ["method", flagged @ .., name, descriptor] => {
                u2(&mut methods, flags(flagged)?);
                u2(&mut methods, made.pool.utf8(name));
                u2(&mut methods, made.pool.utf8(descriptor));
                u2(&mut methods, 0);
                counts[1] += 1;
            }
            _ => bail!("line {number}: neither field nor method: {line}"),
        }
    }
    let this_class = made.pool.class(name);
    let super_class = made.pool.class(option("super").unwrap_or("java/lang/Object"));
    let mut attributes = Vec::new();
    let bootstraps = std::mem::take(&mut made.bootstraps);
    u2(&mut attributes, u16::from(!bootstraps.is_empty()));
    if !bootstraps.is_empty() {
        let mut table = (bootstraps.len() as u16).to_be_bytes().to_vec();
        bootstraps.iter().for_each(|bootstrap| table.extend(bootstrap));
        made.attribute("BootstrapMethods", &table, &mut attributes);
    }
    let mut out = 0xcafe_babe_u32.to_be_bytes().to_vec();
    u2(&mut out, minor);
    u2(&mut out, major);
    u2(&mut out, made.pool.count());
    out.extend(made.pool.bytes());
    u2(&mut out, option("flags").map_or(Ok(0x21), str::parse)?);
    u2(&mut out, this_class);
    u2(&mut out, super_class);
    u2(&mut out, 0);
    for (count, members) in counts.into_iter().zip([fields, methods]) {
        u2(&mut out, count);
        out.extend(members);
    }
    out.extend(attributes);
    Ok(((*name).to_owned(), out))
}

/// Public, and what else is said.
fn flags(words: &[&str]) -> Result<u16> {
    words.iter().try_fold(1, |flags, word| {
        Ok(match *word {
            "static" => flags | 8,
            "private" => flags & !1 | 2,
            "package" => flags & !1,
            "final" => flags | 0x10,
            "synchronized" => flags | 0x20,
            "native" => flags | 0x100,
            "abstract" => flags | 0x400,
            _ => bail!("no flag: {word}"),
        })
    })
}

#[derive(Default)]
struct Making {
    pool: Pool,
    bootstraps: Vec<Vec<u8>>,
    /// Of a version before 45.3.
    in_small: bool,
}

/// The code of one method in the making.
#[derive(Default)]
struct Body {
    code: Vec<u8>,
    labels: HashMap<String, usize>,
    /// Where an offset goes, from which pc it counts, to which label, whether it has four bytes.
    jumps: Vec<(usize, usize, String, bool)>,
    catches: Vec<[String; 4]>,
    frames: Vec<(usize, Vec<String>)>,
    attributes: Vec<(String, Vec<u8>)>,
}

impl Body {
    fn jump(&mut self, from: usize, label: &str, wide: bool) {
        self.jumps.push((self.code.len(), from, label.to_owned(), wide));
        self.code.extend([0; 4].iter().take(if wide { 4 } else { 2 }));
    }

    fn place(&self, label: &str) -> Result<usize> {
        self.labels.get(label).copied().ok_or_else(|| anyhow!("no label {label}"))
    }
}

impl Making {
    fn attribute(&mut self, name: &str, info: &[u8], out: &mut Vec<u8>) {
        u2(out, self.pool.utf8(name));
        out.extend((info.len() as u32).to_be_bytes());
        out.extend(info);
    }

    fn code<'l>(
        &mut self,
        lines: impl Iterator<Item = &'l (usize, String)>,
        stack: u16,
        locals: u16,
    ) -> Result<Vec<u8>> {
        let mut body = Body::default();
        for (number, line) in lines {
            self.line(&mut body, line).with_context(|| format!("line {number}: {line}"))?;
        }
        for (at, from, label, wide) in std::mem::take(&mut body.jumps) {
            let offset = body.place(&label)? as i32 - from as i32;
            match wide {
                true => body.code[at..at + 4].copy_from_slice(&offset.to_be_bytes()),
                false => {
                    let offset =
                        i16::try_from(offset).with_context(|| format!("{label} is {offset} away"))?;
                    body.code[at..at + 2].copy_from_slice(&offset.to_be_bytes());
                }
            }
        }
        let mut out = Vec::new();
        if self.in_small {
            out.extend([u8::try_from(stack)?, u8::try_from(locals)?]);
            u2(&mut out, u16::try_from(body.code.len())?);
        } else {
            u2(&mut out, stack);
            u2(&mut out, locals);
            out.extend((body.code.len() as u32).to_be_bytes());
        }
        out.extend(&body.code);
        u2(&mut out, body.catches.len() as u16);
        for [from, to, handler, caught] in &body.catches {
            for label in [from, to, handler] {
                u2(&mut out, body.place(label)? as u16);
            }
            let caught = if caught == "any" { 0 } else { self.pool.class(caught) };
            u2(&mut out, caught);
        }
        let frames = self.frames(&body)?;
        u2(&mut out, body.attributes.len() as u16 + u16::from(!body.frames.is_empty()));
        if !body.frames.is_empty() {
            self.attribute("StackMapTable", &frames, &mut out);
        }
        for (name, info) in &body.attributes {
            self.attribute(name, info, &mut out);
        }
        Ok(out)
    }

    fn line(&mut self, body: &mut Body, line: &str) -> Result<()> {
        let pc = body.code.len();
        if let Some(label) = line.strip_suffix(':') {
            body.labels.insert(label.to_owned(), pc);
            return Ok(());
        }
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (rest, words): (_, Vec<&str>) = (rest.trim(), rest.split_whitespace().collect());
        let only = || words.first().copied().context("an operand is missing");
        match word {
            "frame" => {
                body.frames.push((pc, words.iter().map(ToString::to_string).collect()));
                return Ok(());
            }
            "catch" => {
                let [from, to, handler, caught] = words.as_slice() else { bail!("FROM TO HANDLER TYPE") };
                body.catches.push([from, to, handler, caught].map(ToString::to_string));
                return Ok(());
            }
            "code_attribute" => {
                let [name, hex] = words.as_slice() else { bail!("NAME HEX") };
                let byte = |at| Ok(u8::from_str_radix(hex.get(at..at + 2).context("half a byte")?, 16)?);
                let info = (0..hex.len()).step_by(2).map(byte).collect::<Result<Vec<u8>>>()?;
                body.attributes.push(((*name).to_owned(), info));
                return Ok(());
            }
            "wide" => {
                body.code.push(0xc4);
                let (word, rest) = rest.split_once(' ').context("what is wide")?;
                let numbers: Vec<&str> = rest.split_whitespace().collect();
                body.code.push(opcode(word)?);
                u2(&mut body.code, numbers.first().context("an index")?.parse()?);
                if let Some(constant) = numbers.get(1) {
                    body.code.extend(constant.parse::<i16>()?.to_be_bytes());
                }
                return Ok(());
            }
            "ldc" | "ldc_w" => return self.ldc(body, word, rest),
            _ => {}
        }
        let opcode = opcode(word)?;
        let local = words.first().and_then(|word| word.parse::<u16>().ok()).filter(|index| *index > 255);
        if let (Format::Local | Format::LocalIncrement, Some(_)) = (format(opcode), local) {
            return self.line(body, &format!("wide {line}"));
        }
        body.code.push(opcode);
        match format(opcode) {
            Format::None => {}
            Format::Byte => body.code.push(only()?.parse::<i8>()? as u8),
            Format::Short => body.code.extend(only()?.parse::<i16>()?.to_be_bytes()),
            Format::Local => body.code.push(only()?.parse()?),
            Format::LocalIncrement => {
                body.code.push(only()?.parse()?);
                body.code.push(words.get(1).context("by how much")?.parse::<i8>()? as u8);
            }
            Format::ArrayType => body.code.push(only()?.parse()?),
            Format::Branch => body.jump(pc, only()?, false),
            Format::BranchWide => body.jump(pc, only()?, true),
            Format::PoolByte => bail!("say ldc"),
            Format::Pool | Format::InvokeInterface => {
                let index = self.pool_operand(opcode, &words)?;
                u2(&mut body.code, index);
                if format(opcode) == Format::InvokeInterface {
                    let slots = words.get(1).context("the number of slots")?;
                    body.code.extend([slots.parse()?, 0]);
                }
            }
            Format::MultiANewArray => {
                u2(&mut body.code, self.pool.class(only()?));
                body.code.push(words.get(1).context("dimensions")?.parse()?);
            }
            Format::InvokeDynamic => {
                let index = self.dynamic(18, &words)?;
                u2(&mut body.code, index);
                body.code.extend([0, 0]);
            }
            Format::TableSwitch => {
                let [low, labels @ .., "default", otherwise] = words.as_slice() else {
                    bail!("1 a b default c")
                };
                let low: i32 = low.parse()?;
                body.code.resize(body.code.len().next_multiple_of(4), 0);
                body.jump(pc, otherwise, true);
                body.code.extend(low.to_be_bytes());
                body.code.extend((low + labels.len() as i32 - 1).to_be_bytes());
                labels.iter().for_each(|label| body.jump(pc, label, true));
            }
            Format::LookupSwitch => {
                let pairs: Vec<_> = words.iter().filter_map(|word| word.split_once(':')).collect();
                let Some((("default", otherwise), pairs)) = pairs.split_last() else {
                    bail!("1:a default:b")
                };
                body.code.resize(body.code.len().next_multiple_of(4), 0);
                body.jump(pc, otherwise, true);
                body.code.extend((pairs.len() as u32).to_be_bytes());
                for (key, label) in pairs {
                    body.code.extend(key.parse::<i32>()?.to_be_bytes());
                    body.jump(pc, label, true);
                }
            }
            Format::Wide | Format::Undefined => bail!("no instruction"),
        }
        Ok(())
    }

    fn ldc(&mut self, body: &mut Body, word: &str, operand: &str) -> Result<()> {
        let (index, two) = self.constant(operand)?;
        match u8::try_from(index) {
            Ok(index) if !two && word == "ldc" => body.code.extend([0x12, index]),
            _ => {
                body.code.push(if two { 0x14 } else { 0x13 });
                u2(&mut body.code, index);
            }
        }
        Ok(())
    }

    /// An entry for a constant as it is written, and whether it takes two slots.
    fn constant(&mut self, operand: &str) -> Result<(u16, bool)> {
        if let Some(text) = operand.strip_prefix('"') {
            let text = self.pool.utf8(text.trim_end_matches('"'));
            return Ok((self.pool.one(8, text), false));
        }
        let words: Vec<&str> = operand.split_whitespace().collect();
        match words.as_slice() {
            ["class", name] => return Ok((self.pool.class(name), false)),
            ["condy", rest @ ..] => {
                let two = matches!(rest.get(1), Some(&"J" | &"D"));
                return Ok((self.dynamic(17, rest)?, two));
            }
            _ => {}
        }
        if let Some(long) = operand.strip_suffix('L') {
            return Ok((self.pool.long(long.parse::<i64>()? as u64), true));
        }
        let entry = |tag: u8, bytes: &[u8]| [&[tag], bytes].concat();
        if let Some(float) = operand.strip_suffix('f') {
            return Ok((self.pool.push(&entry(4, &float.parse::<f32>()?.to_be_bytes())), false));
        }
        if operand.contains('.') {
            return Ok((self.pool.push(&entry(6, &operand.parse::<f64>()?.to_be_bytes())), true));
        }
        Ok((self.pool.push(&entry(3, &operand.parse::<i32>()?.to_be_bytes())), false))
    }

    /// `NAME TYPE BOOTSTRAP [ARGUMENT]`.
    fn dynamic(&mut self, tag: u8, words: &[&str]) -> Result<u16> {
        let [name, descriptor, bootstrap, arguments @ ..] = words else { bail!("NAME TYPE BOOTSTRAP") };
        let method = self.member(10, bootstrap, &[])?;
        let handle = self.pool.push(&[&[15, 6], method.to_be_bytes().as_slice()].concat());
        let mut entry = handle.to_be_bytes().to_vec();
        u2(&mut entry, u16::from(!arguments.is_empty()));
        if !arguments.is_empty() {
            let (argument, _) = self.constant(&arguments.join(" "))?;
            u2(&mut entry, argument);
        }
        self.bootstraps.push(entry);
        let (name, descriptor) = (self.pool.utf8(name), self.pool.utf8(descriptor));
        let name_and_type = self.pool.two(12, name, descriptor);
        Ok(self.pool.two(tag, self.bootstraps.len() as u16 - 1, name_and_type))
    }

    fn pool_operand(&mut self, opcode: u8, words: &[&str]) -> Result<u16> {
        let first = words.first().context("an operand")?;
        match opcode {
            // getstatic … putfield
            0xb2..=0xb5 => self.member(9, first, &words[1..]),
            0xb9 => self.member(11, first, &[]),
            0xb6..=0xb8 => self.member(10, first, &[]),
            _ => Ok(self.pool.class(first)),
        }
    }

    /// `X.name` with a type behind it, or `X.name(I)V`.
    fn member(&mut self, tag: u8, place: &str, behind: &[&str]) -> Result<u16> {
        let (path, descriptor) = match place.find('(') {
            Some(at) => place.split_at(at),
            None => (place, *behind.first().context("a type")?),
        };
        let (class, name) = path.rsplit_once('.').context("CLASS.NAME")?;
        let class = self.pool.class(class);
        let (name, descriptor) = (self.pool.utf8(name), self.pool.utf8(descriptor));
        let name_and_type = self.pool.two(12, name, descriptor);
        Ok(self.pool.two(tag, class, name_and_type))
    }

    fn frames(&mut self, body: &Body) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        u2(&mut out, body.frames.len() as u16);
        let mut next = 0;
        for (pc, words) in &body.frames {
            let delta = pc.checked_sub(next).context("two frames at one place")? as u16;
            next = pc + 1;
            let (kind, types) = words.split_first().context("a kind of frame")?;
            let types: Vec<&str> = types.iter().map(String::as_str).collect();
            let extended = |tag: u8, out: &mut Vec<u8>| {
                out.push(tag);
                u2(out, delta);
            };
            match kind.as_str() {
                "same" if delta < 64 => out.push(delta as u8),
                "same" | "same_extended" => extended(251, &mut out),
                "same1" if delta < 64 => out.push(64 + delta as u8),
                "same1" | "same1_extended" => extended(247, &mut out),
                "chop" => extended(251 - types.first().context("how many")?.parse::<u8>()?, &mut out),
                "append" => extended(251 + types.len() as u8, &mut out),
                "full" => extended(255, &mut out),
                _ => bail!("no frame: {kind}"),
            }
            match kind.as_str() {
                "full" => {
                    let slash = types.iter().position(|word| *word == "/").context("a / before the stack")?;
                    for part in [&types[..slash], &types[slash + 1..]] {
                        u2(&mut out, part.len() as u16);
                        part.iter().try_for_each(|word| self.frame_type(body, word, &mut out))?;
                    }
                }
                "chop" => {}
                _ => types.iter().try_for_each(|word| self.frame_type(body, word, &mut out))?,
            }
        }
        Ok(out)
    }

    fn frame_type(&mut self, body: &Body, word: &str, out: &mut Vec<u8>) -> Result<()> {
        const PLAIN: [&str; 7] = ["top", "int", "float", "double", "long", "null", "this"];
        if let Some(tag) = PLAIN.iter().position(|plain| *plain == word) {
            out.push(tag as u8);
        } else if let Some(label) = word.strip_prefix("new:") {
            out.push(8);
            u2(out, body.place(label)? as u16);
        } else {
            out.push(7);
            u2(out, self.pool.class(word));
        }
        Ok(())
    }
}

fn opcode(name: &str) -> Result<u8> {
    (0..=u8::MAX).find(|opcode| mnemonic(*opcode) == name).ok_or_else(|| anyhow!("no instruction {name}"))
}
