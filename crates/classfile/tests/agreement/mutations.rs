//! Real classes with one thing or two changed: by structure, so that most of them still are class files and what is wrong
//! is far inside, and by bytes. Seeded, so that a number makes a class again.

use jgraft_classfile::opcode::{Format, format};
use jgraft_classfile::{Instruction, Instructions};

use crate::bytes::{XorShift, mutate as mutate_bytes};
use crate::model::{Attribute, Code, Member, Model};

/// Flags, and versions at which a JVM begins to do something else.
const MAJORS: [u16; 12] = [45, 46, 47, 48, 49, 50, 51, 52, 53, 55, 60, 61];

/// Changes a class.
pub(crate) fn mutate(class: &[u8], random: &mut XorShift) -> Vec<u8> {
    let Some(mut model) = Model::read(class).filter(|_| random.below(5) > 0) else {
        return mutate_bytes(class, random);
    };
    for _ in 0..=random.below(2) {
        match random.below(20) {
            0..=1 => constant(&mut model, random),
            2 => header(&mut model, random),
            3 => member(&mut model, random),
            4 => attribute(&mut model, random),
            _ => code(&mut model, random),
        }
    }
    model.write()
}

fn some_index(model: &Model, random: &mut XorShift) -> u16 {
    // Sometimes just past the end.
    random.below(model.pool.len() + 1) as u16
}

/// An index of an entry that has the tag of another.
fn index_like(model: &Model, of: u16, random: &mut XorShift) -> u16 {
    let tag = model.pool.get(usize::from(of)).and_then(|entry| entry.first());
    let alike: Vec<_> = (0..model.pool.len()).filter(|index| model.pool[*index].first() == tag).collect();
    alike.get(random.below(alike.len())).map_or(of, |index| *index as u16)
}

/// Another index: most often of an entry of the same kind.
fn another(model: &Model, index: u16, random: &mut XorShift) -> u16 {
    match random.below(4) {
        0 => some_index(model, random),
        _ => index_like(model, index, random),
    }
}

fn another_at(model: &Model, bytes: &mut [u8], at: usize, random: &mut XorShift) {
    if let Some(pair) = bytes.get_mut(at..at + 2) {
        let index = another(model, u16::from_be_bytes([pair[0], pair[1]]), random);
        pair.copy_from_slice(&index.to_be_bytes());
    }
}

fn some_byte(bytes: &mut [u8], random: &mut XorShift) {
    let at = random.below(bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte = match random.below(4) {
            0 => byte.wrapping_add(1),
            1 => byte.wrapping_sub(1),
            2 => *byte ^ 1 << random.below(8),
            _ => random.next() as u8,
        };
    }
}

fn constant(model: &mut Model, random: &mut XorShift) {
    let at = random.below(model.pool.len());
    let mut entry = std::mem::take(&mut model.pool[at]);
    match entry.first() {
        Some(1) if entry.len() > 3 && random.below(8) > 0 => {
            let text = 3 + random.below(entry.len() - 3);
            const TELLING: &[u8] = b"()[;/.<>LVIJDFZBCS$a1-";
            entry[text] = TELLING[random.below(TELLING.len())];
        }
        Some(7..=12 | 16..=18) if random.below(4) > 0 => {
            let item = if entry.len() > 3 { random.below(2) } else { 0 };
            another_at(model, &mut entry, 1 + 2 * item, random);
        }
        Some(15) if random.below(2) > 0 => another_at(model, &mut entry, 2, random),
        _ => some_byte(&mut entry, random),
    }
    model.pool[at] = entry;
}

fn header(model: &mut Model, random: &mut XorShift) {
    match random.below(6) {
        0 => model.flags ^= 1 << random.below(16),
        1 => model.super_class = another(model, model.super_class, random),
        2 => model.this_class = another(model, model.this_class, random),
        3 => {
            let interface = another(model, model.this_class, random);
            model.interfaces.push(interface);
        }
        4 => model.interfaces.extend(model.interfaces.first().copied()),
        _ => model.major = MAJORS[random.below(MAJORS.len())],
    }
}

fn member(model: &mut Model, random: &mut XorShift) {
    let mut members =
        std::mem::take(if random.below(3) == 0 { &mut model.fields } else { &mut model.methods });
    let is_fields = model.fields.is_empty()
        && !members.is_empty()
        && members.iter().all(|member| model.text(member.descriptor).first() != Some(&b'('));
    let at = random.below(members.len());
    if let Some(member) = members.get_mut(at) {
        match random.below(5) {
            0 | 1 => member.flags ^= 1 << random.below(13),
            2 => member.name = another(model, member.name, random),
            3 => member.descriptor = another(model, member.descriptor, random),
            _ => {
                let copy = member.clone();
                members.push(copy);
            }
        }
    }
    *(if is_fields { &mut model.fields } else { &mut model.methods }) = members;
}

/// One of the class, or of a member.
fn attribute(model: &mut Model, random: &mut XorShift) {
    let lists = 1 + model.fields.len() + model.methods.len();
    let list = random.below(lists);
    let mut attributes = std::mem::take(attributes_of(model, list));
    edit_attributes(model, &mut attributes, random);
    *attributes_of(model, list) = attributes;
}

fn attributes_of(model: &mut Model, list: usize) -> &mut Vec<Attribute> {
    let members = model.fields.iter_mut().chain(&mut model.methods);
    let mut members = members.map(|Member { attributes, .. }| attributes);
    match list.checked_sub(1).and_then(|member| members.nth(member)) {
        Some(attributes) => attributes,
        None => &mut model.attributes,
    }
}

fn edit_attributes(model: &Model, attributes: &mut Vec<Attribute>, random: &mut XorShift) {
    let at = random.below(attributes.len());
    let Some(attribute) = attributes.get_mut(at) else { return };
    match random.below(8) {
        0 => drop(attributes.remove(at)),
        1 => {
            let copy = attribute.clone();
            attributes.push(copy);
        }
        2 => drop(attribute.info.pop()),
        3 => attribute.info.push(random.next() as u8),
        4 => attribute.name = another(model, attribute.name, random),
        _ => some_byte(&mut attribute.info, random),
    }
}

fn code(model: &mut Model, random: &mut XorShift) {
    let method = random.below(model.methods.len());
    if method >= model.methods.len() {
        return;
    }
    model.edit_code(method, |model, code| match random.below(16) {
        0 => code.max_stack = code.max_stack.wrapping_sub(1),
        1 => code.max_locals = code.max_locals.wrapping_sub(1),
        2 => row(model, code, random),
        3..=5 => {
            let mut attributes = std::mem::take(&mut code.attributes);
            let table =
                attributes.iter_mut().find(|attribute| model.text(attribute.name) == b"StackMapTable");
            match table {
                Some(table) if random.below(4) > 0 => some_byte(&mut table.info, random),
                _ => edit_attributes(model, &mut attributes, random),
            }
            code.attributes = attributes;
        }
        6 => some_byte(&mut code.code, random),
        _ => instruction(model, code, random),
    });
}

fn row(model: &Model, code: &mut Code, random: &mut XorShift) {
    let at = random.below(code.rows.len());
    let pc = random.below(code.code.len() + 1) as u16;
    let Some(row) = code.rows.get_mut(at) else {
        let class = another(model, model.this_class, random);
        return code.rows.push([0, code.code.len() as u16, pc, class]);
    };
    match random.below(4) {
        0 => row[3] = another(model, row[3].max(1), random),
        item => row[item - 1] = pc,
    }
}

/// Another instruction of the same length, or other operands.
fn instruction(model: &Model, code: &mut Code, random: &mut XorShift) {
    let all: Vec<Instruction<'_>> = Instructions::new(&code.code, 0).flatten().collect();
    let Some(Instruction { pc, len, .. }) = all.get(random.below(all.len())).copied() else { return };
    let opcode = code.code[pc];
    let others = all.get(random.below(all.len())).map_or(pc, |other| other.pc);
    match (format(opcode), random.below(4)) {
        // Nothing in its place.
        (_, 0) => code.code[pc..pc + len].fill(0),
        (Format::Pool | Format::InvokeInterface | Format::InvokeDynamic | Format::MultiANewArray, 1 | 2) => {
            let mut bytes = std::mem::take(&mut code.code);
            another_at(model, &mut bytes, pc + 1, random);
            code.code = bytes;
        }
        (Format::Branch, 1 | 2) => {
            let offset = (others as i32 - pc as i32) as i16;
            code.code[pc + 1..pc + 3].copy_from_slice(&offset.to_be_bytes());
        }
        (Format::Local | Format::LocalIncrement | Format::PoolByte, 1 | 2) => {
            code.code[pc + 1] = random.below(12) as u8;
        }
        (shape, _) => {
            let alike: Vec<u8> = (0..=201).filter(|other| format(*other) == shape).collect();
            if let Some(other) = alike.get(random.below(alike.len())) {
                code.code[pc] = *other;
            }
        }
    }
}
