//! A method as items that can be compared: without offsets, with the places that it jumps to as items.

use crate::attributes::{Code, LineNumberTable, LocalVariableTable};
use crate::class_file::ClassFile;
use crate::constant_pool::ConstantPool;
use crate::diff::Told;
use crate::error::Error;
use crate::instruction::{Instruction, Operands};
use crate::listing::{Lister, signature};
use crate::method_info::MethodInfo;
use crate::opcode::{
    self, ALOAD_3, ASTORE_3, GOTO, GOTO_W, ILOAD, ILOAD_0, ISTORE, ISTORE_0, JSR, JSR_W, LDC, LDC_W,
};

/// Behind the last instruction; a handler may cover all up to there.
pub(super) const END: &str = "end";

/// A line of a listing.
#[derive(Debug)]
pub(super) struct Item {
    /// Text with a hole before each but the first: there the targets go.
    pub(super) text: Vec<String>,
    /// Items that it names.
    pub(super) targets: Vec<usize>,
    /// Its line of the source.
    pub(super) line: Option<u16>,
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Item {
    fn of(text: String) -> Self {
        Self { text: vec![text], targets: Vec::new(), line: None }
    }
}

/// What is told of both sides; the names of variables only where both have them.
pub(super) fn has_names(class: &ClassFile<'_>, method: &MethodInfo<'_>) -> Result<bool, Error> {
    let pool = class.constant_pool();
    let Some(code) = method.code(pool)? else { return Ok(false) };
    Ok(code.attributes(pool).find("LocalVariableTable")?.is_some())
}

/// The items of a method: its head, its instructions, its handlers.
pub(super) fn items(
    class: &ClassFile<'_>,
    method: &MethodInfo<'_>,
    told: Told,
    names: bool,
) -> Result<Vec<Item>, Error> {
    let pool = class.constant_pool();
    let mut all = vec![Item::of(signature(method))];
    let Some(code) = method.code(pool)? else { return Ok(all) };
    let lister = match told {
        Told::All => Lister::new(class)?,
        Told::CodeOnly => Lister::without_bootstrap_methods(class),
    };
    let lines = Lines::read(&code, pool)?;
    let variables = if names { variables(&code, pool)? } else { Vec::new() };
    // Numbers of items by pc; behind the last instruction stands the end.
    let mut numbers = vec![0; code.code().len() + 1];
    for (instruction, number) in code.instructions().zip(1..) {
        if let Some(place) = numbers.get_mut(instruction?.pc) {
            *place = number;
        }
    }
    let end = numbers.iter().max().copied().unwrap_or(0) + 1;
    if let Some(place) = numbers.last_mut() {
        *place = end;
    }
    let item_at = |pc: usize| numbers.get(pc).copied().unwrap_or(0);
    for instruction in code.instructions() {
        let instruction = instruction?;
        let mut item = Item::of(head(&instruction, &variables));
        item.line = lines.at(instruction.pc);
        let mut last = String::new();
        match instruction.operands {
            Operands::Branch(target) => {
                item.text[0].push(' ');
                item.targets.push(item_at(target));
                item.text.push(String::new());
            }
            Operands::Switch(switch) => {
                for (key, target) in switch.pairs() {
                    item.push(&format!(" {key}:"), item_at(target));
                }
                item.push(" default:", item_at(switch.default_target()));
            }
            Operands::None | Operands::Local(_) => {}
            Operands::LocalIncrement { by, .. } => last = format!(" {by}"),
            // Writing to a String can't fail.
            _ => drop(lister.operands(&instruction, &mut last)),
        }
        if let Some(text) = item.text.last_mut() {
            text.push_str(&last);
        }
        all.push(item);
    }
    all.push(Item::of(END.to_owned()));
    for row in code.exception_table().filter(|_| told == Told::All) {
        let caught = match row.catch_type {
            0 => "any".to_owned(),
            index => pool.class_name(index)?.to_string(),
        };
        let mut item = Item::of(format!("catch {caught} from"));
        item.push(" ", item_at(row.start_pc.into()));
        item.push(" to ", item_at(row.end_pc.into()));
        item.push(" at ", item_at(row.handler_pc.into()));
        all.push(item);
    }
    Ok(all)
}

impl Item {
    fn push(&mut self, before: &str, target: usize) {
        if let Some(text) = self.text.last_mut() {
            text.push_str(before);
        }
        self.targets.push(target);
        self.text.push(String::new());
    }
}

/// The mnemonic without width, with the local's name or number.
fn head(instruction: &Instruction<'_>, variables: &[Variable]) -> String {
    let (opcode, implied) = match instruction.opcode {
        // Four of each kind, in the order of the kinds.
        opcode @ ILOAD_0..=ALOAD_3 => (ILOAD + (opcode - ILOAD_0) / 4, Some((opcode - ILOAD_0) % 4)),
        opcode @ ISTORE_0..=ASTORE_3 => (ISTORE + (opcode - ISTORE_0) / 4, Some((opcode - ISTORE_0) % 4)),
        LDC_W => (LDC, None),
        GOTO_W => (GOTO, None),
        JSR_W => (JSR, None),
        opcode => (opcode, None),
    };
    let local = match instruction.operands {
        Operands::Local(index) | Operands::LocalIncrement { index, .. } => Some(index),
        _ => implied.map(u16::from),
    };
    let mnemonic = opcode::mnemonic(opcode);
    let Some(index) = local else { return mnemonic.to_owned() };
    // A variable begins behind the store that makes it.
    let places = [instruction.pc, instruction.pc + instruction.len];
    let mut found = variables.iter().filter(|one| one.index == index);
    let found = found.find(|one| places.iter().any(|pc| one.pcs.contains(pc)));
    found.map_or_else(|| format!("{mnemonic} {index}"), |variable| format!("{mnemonic} {}", variable.name))
}

struct Variable {
    index: u16,
    pcs: std::ops::Range<usize>,
    name: String,
}

fn variables(code: &Code<'_>, pool: &ConstantPool<'_>) -> Result<Vec<Variable>, Error> {
    let Some(table) = code.attributes(pool).find("LocalVariableTable")? else { return Ok(Vec::new()) };
    let table = LocalVariableTable::parse(&table)?;
    table
        .rows()
        .map(|row| {
            let start = usize::from(row.start_pc);
            let name = pool.utf8(row.name_index)?.to_string();
            Ok(Variable { index: row.index, pcs: start..start + usize::from(row.length), name })
        })
        .collect()
}

/// Lines by the pc from which on they are.
struct Lines(Vec<(usize, u16)>);

impl Lines {
    fn read(code: &Code<'_>, pool: &ConstantPool<'_>) -> Result<Self, Error> {
        let mut lines = Vec::new();
        for attribute in code.attributes(pool) {
            let attribute = attribute?;
            if attribute.name().as_bytes() == b"LineNumberTable" {
                let table = LineNumberTable::parse(&attribute)?;
                lines.extend(table.rows().map(|row| (usize::from(row.start_pc), row.line_number)));
            }
        }
        lines.sort_by_key(|(pc, _)| *pc);
        Ok(Self(lines))
    }

    fn at(&self, pc: usize) -> Option<u16> {
        let next = self.0.partition_point(|(start, _)| *start <= pc);
        next.checked_sub(1).and_then(|at| self.0.get(at)).map(|(_, line)| *line)
    }
}
