//! Methods with subroutines (JVMS 4.10.2.5): jsr and ret, which compilers wrote for finally up to Java 5. Types are worked
//! out for each instruction, together with what each subroutine that control is in has touched: behind a jsr, the locals
//! are those of the subroutine where it touched them, and those from before it elsewhere.

use std::collections::BTreeMap;

use crate::attributes::Code;
use crate::instruction::{Instruction, Operands, decode};
use crate::opcode::*;
use crate::verification::context::MethodContext;
use crate::verification::flow::{Budget, Violation, each_target, falls_through, instruction, merge};
use crate::verification::frame::Frame;
use crate::verification::instructions::Method;
use crate::verification::types::Type;

/// Checks one method's code.
pub(super) fn check<'a>(context: &MethodContext<'_, 'a>, code: &Code<'a>) -> Result<(), Violation> {
    let method = context.inferred_rules(code)?;
    let initial = context
        .initial()
        .map_err(|error| Violation::of_format(0, "the class is well-formed", "a class", error))?;
    let mut analysis = Analysis {
        method: &method,
        code,
        states: BTreeMap::new(),
        changed: std::collections::BTreeSet::new(),
        calls: calls(code),
        returned_by: BTreeMap::new(),
        looked_at: Budget::looked_at(),
        kept: Budget::kept(),
    };
    analysis.meet(0, State { frame: initial, ..State::default() })?;
    while let Some(pc) = analysis.changed.pop_first() {
        analysis.follow(pc)?;
    }
    Ok(())
}

/// What holds before an instruction. Return addresses are `Top` in the frame, so that nothing else takes them for values.
#[derive(Clone, Debug, Default, PartialEq)]
struct State<'a> {
    frame: Frame<'a>,
    /// The subroutine of a return address, by local.
    in_locals: BTreeMap<u16, usize>,
    /// By place on the operand stack.
    on_stack: BTreeMap<usize, usize>,
    /// Subroutines that control is in, the outermost first.
    within: Vec<Subroutine>,
}

#[derive(Clone, Debug, PartialEq)]
struct Subroutine {
    /// The pc of its first instruction.
    entry: usize,
    /// By local: whether it has used it.
    touched: Vec<bool>,
}

struct Analysis<'m, 'c, 'a> {
    method: &'m Method<'c, 'a>,
    code: &'m Code<'a>,
    states: BTreeMap<usize, State<'a>>,
    /// Places to look at.
    changed: std::collections::BTreeSet<usize>,
    /// The subroutine of each jsr, by the jsr's pc.
    calls: BTreeMap<usize, (usize, usize)>,
    /// The ret that comes back to a jsr, by the jsr's pc.
    returned_by: BTreeMap<usize, usize>,
    looked_at: Budget,
    kept: Budget,
}

/// Of each jsr: the subroutine, and where control goes on behind it.
fn calls(code: &Code<'_>) -> BTreeMap<usize, (usize, usize)> {
    let instructions = code.instructions().flatten();
    let calls = instructions.filter_map(|instruction| match (instruction.opcode, instruction.operands) {
        (JSR | JSR_W, Operands::Branch(entry)) => {
            Some((instruction.pc, (entry, instruction.pc + instruction.len)))
        }
        _ => None,
    });
    calls.collect()
}

impl<'a> Analysis<'_, '_, 'a> {
    fn follow(&mut self, pc: usize) -> Result<(), Violation> {
        let Some(before) = self.states.get(&pc).cloned() else { return Ok(()) };
        let cost =
            self.code.exception_table().len() + before.within.len() * usize::from(self.code.max_locals());
        self.looked_at.spend(&before.frame, cost, pc)?;
        let instruction = instruction(self.code, pc)?;
        self.caught(pc, &before)?;
        let mut state = before.clone();
        match (instruction.opcode, instruction.operands) {
            (JSR | JSR_W, Operands::Branch(entry)) => return self.call(pc, entry, state),
            (RET, Operands::Local(local)) => return self.come_back(pc, local, state),
            _ => self.step(&instruction, &mut state)?,
        }
        if instruction.opcode == INVOKESPECIAL {
            let mut thrown = state.clone();
            thrown.frame.never_returns |= before.frame.this_uninitialized && !state.frame.this_uninitialized;
            self.caught(pc, &thrown)?;
        }
        let mut targets = Vec::new();
        each_target(&instruction, |target| targets.push(target));
        if falls_through(instruction.opcode) {
            targets.push(pc + instruction.len);
        }
        targets.into_iter().try_for_each(|target| self.meet(target, state.clone()))
    }

    /// Any instruction but jsr and ret.
    fn step(&mut self, instruction: &Instruction<'a>, state: &mut State<'a>) -> Result<(), Violation> {
        let top = state.frame.stack.len().wrapping_sub(1);
        let opcode = instruction.opcode;
        let local = match (opcode, instruction.operands) {
            (_, Operands::Local(index) | Operands::LocalIncrement { index, .. }) => Some(index),
            (ILOAD_0..=ALOAD_3, _) => Some(u16::from((opcode - ILOAD_0) % 4)),
            (ISTORE_0..=ASTORE_3, _) => Some(u16::from((opcode - ISTORE_0) % 4)),
            _ => None,
        };
        let stores_address = matches!(opcode, ASTORE | ASTORE_0..=ASTORE_3);
        if let (true, Some(local), Some(entry)) = (stores_address, local, state.on_stack.get(&top).copied()) {
            state.frame.stack.pop();
            state.frame.store(usize::from(local), Type::Top);
            state.in_locals.insert(local, entry);
        } else {
            let before = state.frame.locals.clone();
            self.method.step(instruction, &mut state.frame)?;
            if let (Some(local), ISTORE..=ASTORE_3) = (local, opcode) {
                let wide = state.frame.locals.get(usize::from(local)).is_some_and(|local| local.slots() == 2);
                state.in_locals.retain(|slot, _| !(local..=local + u16::from(wide)).contains(slot));
            }
            let made = before.iter().zip(&state.frame.locals).enumerate();
            let made: Vec<_> = made.filter(|(_, (old, new))| old != new).map(|(slot, _)| slot).collect();
            made.into_iter().for_each(|slot| state.touch(slot));
        }
        if let Some(local) = local {
            let wide = matches!(opcode, LLOAD | DLOAD | LLOAD_0..=LLOAD_3 | DLOAD_0..=DLOAD_3);
            (usize::from(local)..=usize::from(local) + usize::from(wide)).for_each(|slot| state.touch(slot));
        }
        let shuffles = matches!(opcode, DUP..=SWAP) && state.on_stack.keys().any(|place| place + 4 > top);
        if shuffles {
            // No compiler does, and what came of it would have to be followed.
            let (rule, found) = ("a return address is stored where it was pushed", mnemonic(opcode));
            return Err(Violation::new(instruction.pc, rule, "astore".into(), found.into()));
        }
        let depth = state.frame.stack.len();
        state.on_stack.retain(|place, _| *place < depth);
        Ok(())
    }

    fn call(&mut self, pc: usize, entry: usize, mut state: State<'a>) -> Result<(), Violation> {
        if state.within.iter().any(|subroutine| subroutine.entry == entry) {
            return Err(Violation::new(
                pc,
                "a subroutine does not call itself",
                "another".into(),
                entry.to_string(),
            ));
        }
        let touched = vec![false; usize::from(self.code.max_locals())];
        state.within.push(Subroutine { entry, touched });
        state.forget_uninitialized();
        state.on_stack.insert(state.frame.stack.len(), entry);
        state.frame.stack.push(Type::Top);
        let depth: usize = state.frame.stack.iter().map(|item| item.slots()).sum();
        if depth > self.method.max_stack {
            let (expected, found) = (self.method.max_stack.to_string(), depth.to_string());
            return Err(Violation::new(pc, "the operand stack holds at most max_stack", expected, found));
        }
        // What comes back to this jsr depends on what holds here.
        self.changed.extend(self.returned_by.get(&pc));
        self.meet(entry, state)
    }

    fn come_back(&mut self, pc: usize, local: u16, mut state: State<'a>) -> Result<(), Violation> {
        let wrong = |rule: &str, found: String| Violation::new(pc, rule, "another".into(), found);
        let Some(entry) = state.in_locals.get(&local).copied() else {
            return Err(wrong("ret is given a return address", format!("local {local}")));
        };
        state.touch(usize::from(local));
        let behind: Vec<_> = self
            .calls
            .iter()
            .filter(|(_, (called, _))| *called == entry)
            .map(|(call, (_, next))| (*call, *next))
            .collect();
        for (call, next) in behind {
            if *self.returned_by.entry(call).or_insert(pc) != pc {
                return Err(wrong("one ret comes back to a jsr", format!("a second for pc {call}")));
            }
            let Some(before) = self.states.get(&call).cloned() else { continue };
            let mut back = state.clone();
            let Some(level) = back.within.iter().rposition(|subroutine| subroutine.entry == entry) else {
                return Err(wrong(
                    "ret comes back from where control is",
                    format!("the subroutine at {entry}"),
                ));
            };
            let touched = back.within.split_off(level).swap_remove(0).touched;
            back.forget_uninitialized();
            back.restore(&touched, &before);
            self.meet(next, back)?;
        }
        Ok(())
    }

    fn caught(&mut self, pc: usize, state: &State<'a>) -> Result<(), Violation> {
        for row in self.code.exception_table() {
            if !(usize::from(row.start_pc)..usize::from(row.end_pc)).contains(&pc) {
                continue;
            }
            let class =
                if row.catch_type == 0 { None } else { self.method.pool.class_type(row.catch_type).ok() };
            let frame = state.frame.caught(class.map_or(Type::THROWABLE, Type::Reference));
            self.meet(
                usize::from(row.handler_pc),
                State { frame, on_stack: BTreeMap::new(), ..state.clone() },
            )?;
        }
        Ok(())
    }

    /// Control comes to `pc` with `state`.
    fn meet(&mut self, pc: usize, state: State<'a>) -> Result<(), Violation> {
        if decode(self.code.code(), pc).is_none() {
            return instruction(self.code, pc).map(drop);
        }
        let Some(known) = self.states.get(&pc) else {
            let cost = state.within.len() * usize::from(self.code.max_locals());
            self.kept.spend(&state.frame, cost, pc)?;
            self.states.insert(pc, state);
            self.changed.insert(pc);
            return Ok(());
        };
        let merged = known.merged(&state, pc)?;
        if merged != *known {
            self.states.insert(pc, merged);
            self.changed.insert(pc);
        }
        Ok(())
    }
}

impl<'a> State<'a> {
    fn touch(&mut self, slot: usize) {
        for subroutine in &mut self.within {
            if let Some(touched) = subroutine.touched.get_mut(slot) {
                *touched = true;
            }
        }
    }

    /// What `new` has made does not pass into subroutines, nor out of them.
    fn forget_uninitialized(&mut self) {
        for value in self.frame.locals.iter_mut().chain(&mut self.frame.stack) {
            if matches!(value, Type::Uninitialized(_)) {
                *value = Type::Top;
            }
        }
    }

    /// Takes the locals that were not touched from what held at the jsr.
    fn restore(&mut self, touched: &[bool], before: &Self) {
        let slots = self.frame.locals.len().max(before.frame.locals.len());
        self.frame.locals.resize(slots, Type::Top);
        for slot in 0..slots {
            if touched.get(slot).copied().unwrap_or(false) {
                continue;
            }
            self.frame.locals[slot] = before.frame.locals.get(slot).copied().unwrap_or(Type::Top);
            let local = slot as u16;
            match before.in_locals.get(&local) {
                Some(entry) => _ = self.in_locals.insert(local, *entry),
                None => _ = self.in_locals.remove(&local),
            }
        }
    }

    fn merged(&self, other: &Self, pc: usize) -> Result<Self, Violation> {
        let same = |ours: &BTreeMap<u16, usize>, theirs: &BTreeMap<u16, usize>| {
            ours.iter()
                .filter(|(slot, entry)| theirs.get(slot) == Some(entry))
                .map(|(slot, entry)| (*slot, *entry))
                .collect()
        };
        if self.on_stack != other.on_stack {
            let rule = "paths meet with stacks of one kind of values";
            return Err(Violation::new(pc, rule, "one return address".into(), "others".into()));
        }
        let mut within = Vec::new();
        let mut theirs = other.within.iter();
        for ours in &self.within {
            // Of both lists, what is in both, in order.
            let mut ahead = theirs.clone();
            if let Some(their) = ahead.find(|their| their.entry == ours.entry) {
                theirs = ahead;
                let touched =
                    ours.touched.iter().zip(&their.touched).map(|(ours, their)| *ours || *their).collect();
                within.push(Subroutine { entry: ours.entry, touched });
            }
        }
        let mut frame = self.frame.clone();
        merge(&mut frame, &other.frame, pc)?;
        Ok(Self {
            frame,
            in_locals: same(&self.in_locals, &other.in_locals),
            on_stack: self.on_stack.clone(),
            within,
        })
    }
}
