//! What each instruction asks of locals and stack, and what it makes of them (JVMS 4.10.1.9).

use crate::class_file::ClassFile;
use crate::constant_pool::ConstantPool;
use crate::descriptor::{Element, FieldType, MethodDescriptor};
use crate::instruction::{Instruction, Operands, decode};
use crate::opcode::*;
use crate::verification::flow::Violation;
use crate::verification::frame::Frame;
use crate::verification::operands::{Call, Field};
use crate::verification::types::Type;

/// What the rules need to know beyond the instruction.
#[derive(Clone, Copy)]
pub(crate) struct Method<'c, 'a> {
    pub(crate) class: &'c ClassFile<'a>,
    pub(crate) pool: &'c ConstantPool<'a>,
    pub(crate) this_class: FieldType<'a>,
    pub(crate) code: &'a [u8],
    pub(crate) max_stack: usize,
    pub(crate) max_locals: usize,
    /// Type of the result; none for void.
    pub(crate) result: Option<FieldType<'a>>,
    /// Whether types are worked out (4.10.2), by which uninitialized objects may be compared with null only.
    pub(crate) inferred: bool,
}

impl<'a> Method<'_, 'a> {
    /// Makes `frame` what holds behind `instruction`; where it jumps is not asked.
    pub(crate) fn step(&self, instruction: &Instruction<'a>, frame: &mut Frame<'a>) -> Result<(), Violation> {
        let mut machine = Machine { method: self, frame, pc: instruction.pc };
        machine.run(instruction)?;
        let depth: usize = machine.frame.stack.iter().map(|item| item.slots()).sum();
        if depth > self.max_stack {
            return Err(machine.fail("the operand stack holds at most max_stack", self.max_stack, depth));
        }
        Ok(())
    }
}

struct Machine<'m, 'c, 'a> {
    method: &'m Method<'c, 'a>,
    frame: &'m mut Frame<'a>,
    pc: usize,
}

impl<'a> Machine<'_, '_, 'a> {
    fn run(&mut self, instruction: &Instruction<'a>) -> Result<(), Violation> {
        let opcode = instruction.opcode;
        if let Some((pops, push)) = simple(opcode) {
            for letter in pops.iter().rev() {
                self.pop(letter_type(*letter))?;
            }
            if push != 0 {
                self.push(letter_type(push));
            }
            return Ok(());
        }
        match (opcode, instruction.operands) {
            (ACONST_NULL, _) => self.push(Type::Null),
            (LDC | LDC_W | LDC2_W, Operands::Pool(index)) => {
                let constant = self.method.loadable(instruction, index)?;
                self.push(constant);
            }
            (ILOAD..=ALOAD, Operands::Local(index)) => self.load(opcode - ILOAD, index)?,
            (ILOAD_0..=ALOAD_3, _) => {
                self.load((opcode - ILOAD_0) / 4, u16::from((opcode - ILOAD_0) % 4))?;
            }
            (ISTORE..=ASTORE, Operands::Local(index)) => self.store(instruction, opcode - ISTORE, index)?,
            (ISTORE_0..=ASTORE_3, _) => {
                self.store(instruction, (opcode - ISTORE_0) / 4, u16::from((opcode - ISTORE_0) % 4))?;
            }
            (IINC, Operands::LocalIncrement { index, .. }) => {
                self.local(index, Type::Integer)?;
            }
            (AALOAD, _) => {
                self.pop(Type::Integer)?;
                let component = self.pop_array(|_| true)?.map_or(Type::Null, Type::of);
                if !component.is_initialized_reference() {
                    return Err(self.fail(
                        "aaload is given an array of references",
                        "a reference",
                        component,
                    ));
                }
                self.push(component);
            }
            (IALOAD..=SALOAD, _) => {
                self.pop(Type::Integer)?;
                self.pop_array(|component| holds(component, opcode - IALOAD))?;
                self.push(letter_type(b"IJFDAIII"[usize::from(opcode - IALOAD)]));
            }
            (AASTORE, _) => {
                self.pop(Type::OBJECT)?;
                self.pop(Type::Integer)?;
                self.pop_array(|component| component.is_reference())?;
            }
            (IASTORE..=SASTORE, _) => {
                self.pop(letter_type(b"IJFDAIII"[usize::from(opcode - IASTORE)]))?;
                self.pop(Type::Integer)?;
                self.pop_array(|component| holds(component, opcode - IASTORE))?;
            }
            (POP..=SWAP, _) => self.shuffle(opcode)?,
            (IFNULL | IFNONNULL, _) => drop(self.pop_reference()?),
            (IF_ACMPEQ | IF_ACMPNE, _) => {
                self.pop_compared()?;
                self.pop_compared()?;
            }
            (GETSTATIC | PUTSTATIC | GETFIELD | PUTFIELD, Operands::Pool(index)) => {
                self.field(opcode, &self.method.field(instruction, index)?)?;
            }
            (INVOKEVIRTUAL | INVOKESPECIAL | INVOKESTATIC, Operands::Pool(index))
            | (INVOKEINTERFACE, Operands::InvokeInterface { index, .. }) => {
                self.invoke(opcode, &self.method.call(instruction, index)?)?;
            }
            (INVOKEDYNAMIC, Operands::Pool(index)) => {
                let descriptor = self.method.call_site(instruction, index)?;
                self.pop_arguments(&descriptor)?;
                self.push_result(&descriptor);
            }
            (NEW, Operands::Pool(index)) => {
                self.method.class_operand(instruction, index)?;
                let made = Type::Uninitialized(u16::try_from(self.pc).unwrap_or(u16::MAX));
                if self.frame.stack.contains(&made) {
                    return Err(self.fail("the stack holds no earlier object of the same new", "none", made));
                }
                self.replace(made, Type::Top);
                self.push(made);
            }
            (NEWARRAY, Operands::ArrayType(code)) => {
                self.pop(Type::Integer)?;
                self.push(Type::Reference(self.method.primitive_array(instruction, code)?));
            }
            (ANEWARRAY, Operands::Pool(index)) => {
                self.pop(Type::Integer)?;
                self.push(Type::Reference(self.method.class_operand(instruction, index)?));
            }
            (MULTIANEWARRAY, Operands::MultiANewArray { index, dimensions }) => {
                let made = self.method.multi_array(instruction, index, dimensions)?;
                for _ in 0..dimensions {
                    self.pop(Type::Integer)?;
                }
                self.push(Type::Reference(made));
            }
            (ARRAYLENGTH, _) => {
                self.pop_array(|_| true)?;
                self.push(Type::Integer);
            }
            (ATHROW, _) => self.pop(Type::THROWABLE)?,
            (CHECKCAST, Operands::Pool(index)) => {
                let class = self.method.class_operand(instruction, index)?;
                self.pop(Type::OBJECT)?;
                self.push(Type::Reference(class));
            }
            (INSTANCEOF, Operands::Pool(index)) => {
                self.method.class_operand(instruction, index)?;
                self.pop(Type::OBJECT)?;
                self.push(Type::Integer);
            }
            (MONITORENTER | MONITOREXIT, _) => self.pop_compared()?,
            (TABLESWITCH | LOOKUPSWITCH, Operands::Switch(switch)) => {
                self.method.switch(instruction, &switch)?;
                self.pop(Type::Integer)?;
            }
            (IRETURN..=RETURN, _) if self.frame.never_returns => {
                return Err(self.fail("what handles super() ends by throwing", "athrow", mnemonic(opcode)));
            }
            (IRETURN..=ARETURN, _) => {
                let Some(result) = self.method.result.map(Type::of) else {
                    return Err(self.fail("a void method returns nothing", "return", mnemonic(opcode)));
                };
                let class = [Type::Integer, Type::Long, Type::Float, Type::Double, Type::OBJECT];
                let fits = result.is_assignable_to(class[usize::from(opcode - IRETURN)]);
                if !fits {
                    return Err(self.fail("the return suits the descriptor", result, mnemonic(opcode)));
                }
                self.pop(result)?;
            }
            (RETURN, _) => {
                if let Some(result) = self.method.result {
                    return Err(self.fail("the return suits the descriptor", result, "return"));
                }
                if self.frame.this_is_uninitialized() {
                    return Err(self.fail(
                        "a constructor calls another before it returns",
                        "this",
                        "uninitialized this",
                    ));
                }
            }
            (NOP | GOTO | GOTO_W, _) => {}
            _ => return Err(self.fail("the instruction is allowed here", "another", mnemonic(opcode))),
        }
        Ok(())
    }

    fn push(&mut self, value: Type<'a>) {
        self.frame.stack.push(value);
    }

    fn pop_any(&mut self) -> Result<Type<'a>, Violation> {
        self.frame.stack.pop().ok_or_else(|| self.fail("the operand stack is not empty", "a value", "none"))
    }

    fn pop(&mut self, wanted: Type<'a>) -> Result<(), Violation> {
        let found = self.pop_any()?;
        if !found.is_assignable_to(wanted) {
            return Err(self.fail("the top of the stack is of the type that is needed", wanted, found));
        }
        Ok(())
    }

    /// Any reference, a constructor run for it or not.
    fn pop_reference(&mut self) -> Result<Type<'a>, Violation> {
        let found = self.pop_any()?;
        match found {
            Type::Null | Type::Reference(_) | Type::Uninitialized(_) | Type::UninitializedThis => Ok(found),
            _ => Err(self.fail("the top of the stack is a reference", "a reference", found)),
        }
    }

    /// The component of an array, which has to be as asked; none for null.
    fn pop_array(
        &mut self,
        fits: impl Fn(FieldType<'a>) -> bool,
    ) -> Result<Option<FieldType<'a>>, Violation> {
        let found = self.pop_any()?;
        match found {
            Type::Null => return Ok(None),
            Type::Reference(FieldType { dimensions: dimensions @ 1.., element }) => {
                let component = FieldType { dimensions: dimensions - 1, element };
                if fits(component) {
                    return Ok(Some(component));
                }
            }
            _ => {}
        }
        Err(self.fail("the top of the stack is an array that suits the instruction", "an array", found))
    }

    /// Any reference that instructions compare, or lock: the old verifier wants objects.
    fn pop_compared(&mut self) -> Result<(), Violation> {
        match self.method.inferred {
            true => self.pop(Type::OBJECT),
            false => self.pop_reference().map(drop),
        }
    }

    fn local(&self, index: u16, wanted: Type<'a>) -> Result<Type<'a>, Violation> {
        let found = self.frame.locals.get(usize::from(index)).copied().unwrap_or(Type::Top);
        if found != wanted {
            return Err(self.fail(&format!("local {index} is of the type that is loaded"), wanted, found));
        }
        Ok(found)
    }

    fn load(&mut self, letter: u8, index: u16) -> Result<(), Violation> {
        if letter < 4 {
            let value = self.local(index, letter_type(b"IJFD"[usize::from(letter)]))?;
            self.push(value);
            return Ok(());
        }
        let found = self.frame.locals.get(usize::from(index)).copied().unwrap_or(Type::Top);
        match found {
            Type::Null | Type::Reference(_) | Type::Uninitialized(_) | Type::UninitializedThis => {
                self.push(found)
            }
            _ => return Err(self.fail(&format!("local {index} is a reference"), "a reference", found)),
        }
        Ok(())
    }

    fn store(&mut self, instruction: &Instruction<'_>, letter: u8, index: u16) -> Result<(), Violation> {
        let value = if letter < 4 {
            let wanted = letter_type(b"IJFD"[usize::from(letter)]);
            self.pop(wanted)?;
            wanted
        } else {
            self.pop_reference()?
        };
        self.method.local(instruction, index, value.slots())?;
        self.frame.store(usize::from(index), value);
        Ok(())
    }

    /// Every copy of `old` becomes `new`.
    fn replace(&mut self, old: Type<'a>, new: Type<'a>) {
        let frame = &mut *self.frame;
        for value in frame.locals.iter_mut().chain(&mut frame.stack).filter(|value| **value == old) {
            *value = new;
        }
    }

    /// pop to swap: moves values about without asking what they are, but not halves of a long or double.
    fn shuffle(&mut self, opcode: u8) -> Result<(), Violation> {
        match opcode {
            POP => drop(self.take_slots(1)?),
            POP2 => drop(self.take_slots(2)?),
            DUP => self.duplicate(1, 0)?,
            DUP_X1 => self.duplicate(1, 1)?,
            DUP_X2 => self.duplicate(1, 2)?,
            DUP2 => self.duplicate(2, 0)?,
            DUP2_X1 => self.duplicate(2, 1)?,
            DUP2_X2 => self.duplicate(2, 2)?,
            _ => {
                let top = self.take_slots(1)?;
                let below = self.take_slots(1)?;
                self.frame.stack.extend(top);
                self.frame.stack.extend(below);
            }
        }
        Ok(())
    }

    /// Copies the top `count` slots below the `below` slots under them.
    fn duplicate(&mut self, count: usize, below: usize) -> Result<(), Violation> {
        let top = self.take_slots(count)?;
        let under = self.take_slots(below)?;
        self.frame.stack.extend(&top);
        self.frame.stack.extend(under);
        self.frame.stack.extend(top);
        Ok(())
    }

    /// The values in the top `count` slots, bottom first.
    fn take_slots(&mut self, count: usize) -> Result<Vec<Type<'a>>, Violation> {
        let (mut taken, mut left) = (Vec::with_capacity(2), count);
        while left > 0 {
            let value = self.pop_any()?;
            left = left
                .checked_sub(value.slots())
                .ok_or_else(|| self.fail("a long or double is not taken by halves", "one slot", value))?;
            taken.push(value);
        }
        taken.reverse();
        Ok(taken)
    }

    fn field(&mut self, opcode: u8, field: &Field<'a>) -> Result<(), Violation> {
        if matches!(opcode, PUTSTATIC | PUTFIELD) {
            self.pop(field.value)?;
        }
        // A constructor may set fields of its own class before it calls another (4.10.1.9.putfield).
        let unfinished = opcode == PUTFIELD && self.frame.stack.last() == Some(&Type::UninitializedThis);
        if unfinished && field.class == self.method.this_class && self.declares(field) {
            self.frame.stack.pop();
        } else if matches!(opcode, GETFIELD | PUTFIELD) {
            self.pop(Type::Reference(field.class))?;
        }
        if matches!(opcode, GETSTATIC | GETFIELD) {
            self.push(field.value);
        }
        Ok(())
    }

    fn declares(&self, wanted: &Field<'a>) -> bool {
        let is_it = |field: &crate::field_info::FieldInfo<'_>| {
            field.name() == wanted.name && field.descriptor() == wanted.descriptor
        };
        self.method.class.fields().flatten().any(|field| is_it(&field))
    }

    fn invoke(&mut self, opcode: u8, call: &Call<'a>) -> Result<(), Violation> {
        self.pop_arguments(&call.descriptor)?;
        match opcode {
            _ if call.is_constructor => self.initialize(call.class)?,
            INVOKESTATIC => {}
            INVOKESPECIAL => {
                if self.method.inferred
                    && self
                        .frame
                        .stack
                        .last()
                        .is_some_and(|top| !top.is_assignable_to(Type::Reference(call.class)))
                {
                    return self.pop(Type::Reference(call.class));
                }
                self.pop(Type::Reference(self.method.this_class))?;
            }
            _ => self.pop(Type::Reference(call.class))?,
        }
        self.push_result(&call.descriptor);
        Ok(())
    }

    fn push_result(&mut self, descriptor: &MethodDescriptor<'a>) {
        if let Some(result) = descriptor.result() {
            self.push(Type::of(result));
        }
    }

    /// The receiver of a constructor: every copy of it is an object from here on.
    fn initialize(&mut self, class: FieldType<'a>) -> Result<(), Violation> {
        let receiver = self.pop_any()?;
        let made = match receiver {
            Type::UninitializedThis => {
                let super_class = self.method.class.super_class_name().ok().flatten();
                let super_class = super_class.and_then(FieldType::of_class);
                if class != self.method.this_class && Some(class) != super_class {
                    let rule = "a constructor calls one of its class or its superclass";
                    return Err(self.fail(rule, self.method.this_class, class));
                }
                self.method.this_class
            }
            Type::Uninitialized(pc) => {
                let new = decode(self.method.code, usize::from(pc)).filter(|new| new.opcode == NEW);
                let Some((new, Operands::Pool(index))) = new.map(|new| (new, new.operands)) else {
                    return Err(self.fail("an uninitialized object comes from a new", "new", receiver));
                };
                let made = self.method.class_operand(&new, index)?;
                if made != class {
                    return Err(self.fail("a constructor is of the class that was made", made, class));
                }
                made
            }
            _ => {
                return Err(self.fail(
                    "a constructor is called on what is uninitialized",
                    "uninitialized",
                    receiver,
                ));
            }
        };
        self.replace(receiver, Type::Reference(made));
        if receiver == Type::UninitializedThis {
            self.frame.this_uninitialized = false;
        }
        Ok(())
    }

    fn pop_arguments(&mut self, descriptor: &MethodDescriptor<'a>) -> Result<(), Violation> {
        let parameters: Vec<_> = descriptor.parameters().collect();
        for parameter in parameters.into_iter().rev() {
            self.pop(Type::of(parameter))?;
        }
        Ok(())
    }

    #[cold]
    fn fail(&self, rule: &str, expected: impl ToString, found: impl ToString) -> Violation {
        Violation::new(self.pc, rule, expected.to_string(), found.to_string())
    }
}

/// Whether an array with this component is read and written by the n-th of iaload, laload, …
fn holds(component: FieldType<'_>, n: u8) -> bool {
    let letters: &[u8] = [&b"I"[..], b"J", b"F", b"D", b"", b"BZ", b"C", b"S"][usize::from(n)];
    component.dimensions == 0
        && matches!(component.element, Element::Primitive(letter) if letters.contains(&letter))
}

fn letter_type<'a>(letter: u8) -> Type<'a> {
    match letter {
        b'J' => Type::Long,
        b'F' => Type::Float,
        b'D' => Type::Double,
        b'A' => Type::OBJECT,
        _ => Type::Integer,
    }
}

/// Instructions that take primitive values and give one: what is popped, bottom first, and pushed (0: nothing).
fn simple(opcode: u8) -> Option<(&'static [u8], u8)> {
    /// The four letters in the order of the opcodes.
    const KINDS: [u8; 4] = *b"IJFD";
    const PAIRS: [&[u8]; 4] = [b"II", b"JJ", b"FF", b"DD"];
    const SINGLES: [&[u8]; 4] = [b"I", b"J", b"F", b"D"];
    let kind = |from: u8| usize::from((opcode - from) % 4);
    Some(match opcode {
        ICONST_M1..=ICONST_5 | BIPUSH | SIPUSH => (b"", b'I'),
        LCONST_0 | LCONST_1 => (b"", b'J'),
        FCONST_0..=FCONST_2 => (b"", b'F'),
        DCONST_0 | DCONST_1 => (b"", b'D'),
        IADD..=DREM => (PAIRS[kind(IADD)], KINDS[kind(IADD)]),
        INEG..=DNEG => (SINGLES[kind(INEG)], KINDS[kind(INEG)]),
        ISHL | ISHR | IUSHR | IAND | IOR | IXOR => (b"II", b'I'),
        LSHL | LSHR | LUSHR => (b"JI", b'J'),
        LAND | LOR | LXOR => (b"JJ", b'J'),
        I2L..=I2D => (b"I", b"JFD"[usize::from(opcode - I2L)]),
        L2I..=L2D => (b"J", b"IFD"[usize::from(opcode - L2I)]),
        F2I..=F2D => (b"F", b"IJD"[usize::from(opcode - F2I)]),
        D2I..=D2F => (b"D", b"IJF"[usize::from(opcode - D2I)]),
        I2B..=I2S => (b"I", b'I'),
        LCMP => (b"JJ", b'I'),
        FCMPL | FCMPG => (b"FF", b'I'),
        DCMPL | DCMPG => (b"DD", b'I'),
        IFEQ..=IFLE => (b"I", 0),
        IF_ICMPEQ..=IF_ICMPLE => (b"II", 0),
        _ => return None,
    })
}
