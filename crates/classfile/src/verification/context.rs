//! A method with all that its verification needs (JVMS 4.10): its class, its descriptor, its code.

use crate::attributes::{Code, StackMapTable};
use crate::class_file::ClassFile;
use crate::class_file::access_flags::STATIC;
use crate::descriptor::{FieldType, MethodDescriptor};
use crate::error::{Error, ErrorKind};
use crate::format::flags_in_force;
use crate::instruction::Operands;
use crate::method_info::MethodInfo;
use crate::verification::flow::{Flow, Violation};
use crate::verification::frame::Frame;
use crate::verification::instructions::Method;
use crate::verification::types::Type;

/// A method with code.
#[derive(Clone, Copy)]
pub(crate) struct MethodContext<'c, 'a> {
    pub(crate) class: &'c ClassFile<'a>,
    pub(crate) method: &'c MethodInfo<'a>,
    pub(crate) descriptor: MethodDescriptor<'a>,
}

impl<'c, 'a> MethodContext<'c, 'a> {
    pub(crate) fn new(class: &'c ClassFile<'a>, method: &'c MethodInfo<'a>) -> Result<Self, Error> {
        // A method has at most 255 slots of parameters, its receiver among them (4.3.3).
        let most = 255 - u16::from(!is_static(class, method));
        let descriptor = MethodDescriptor::parse(method.descriptor())
            .filter(|descriptor| descriptor.parameter_slots() <= most)
            .ok_or(Error::new(ErrorKind::Descriptor(method.descriptor_index()), method.span().start))?;
        Ok(Self { class, method, descriptor })
    }

    fn is_static(&self) -> bool {
        is_static(self.class, self.method)
    }

    pub(crate) fn is_constructor(&self) -> bool {
        self.method.name().as_bytes() == b"<init>"
    }

    pub(crate) fn this_class(&self) -> Result<FieldType<'a>, Error> {
        let name = self.class.this_class_name()?;
        Ok(FieldType { dimensions: 0, element: crate::descriptor::Element::Class(name) })
    }

    /// Slots of the parameters, `this` included.
    pub(crate) fn parameter_slots(&self) -> u16 {
        self.descriptor.parameter_slots().saturating_add(u16::from(!self.is_static()))
    }

    /// How many locals the frame has that holds when the method is entered; a long or double is one.
    pub(crate) fn parameter_count(&self) -> u16 {
        self.descriptor.parameter_count() + u16::from(!self.is_static())
    }

    /// What holds when the method is entered.
    pub(crate) fn initial(&self) -> Result<Frame<'a>, Error> {
        let this = match self.is_static() {
            true => None,
            // java.lang.Object has no other constructor to call.
            false if self.is_constructor() && self.class.super_class_name()?.is_some() => {
                Some(Type::UninitializedThis)
            }
            false => Some(Type::Reference(self.this_class()?)),
        };
        Ok(Frame::initial(this, &self.descriptor))
    }

    /// Whether there is a StackMapTable to look at, or none is needed: from version 50 on. HotSpot keeps none of a class that
    /// it has not verified, so that one that it gives back for a retransformation has none where its file had.
    pub(crate) fn has_stack_maps(&self, table: Option<&StackMapTable<'_>>, code: &Code<'_>) -> bool {
        match self.class.major_version() {
            ..50 => false,
            _ => table.is_some() || !needs_frames(code),
        }
    }

    /// What is known at each instruction.
    pub(crate) fn flow(
        &self,
        code: &Code<'a>,
        table: Option<StackMapTable<'a>>,
    ) -> Result<Flow<'c, 'a>, Violation> {
        if !self.has_stack_maps(table.as_ref(), code) {
            return self.inferred_flow(code);
        }
        self.straight_flow(code, table)
    }

    /// What is known at each instruction, whatever a StackMapTable says.
    pub(crate) fn inferred_flow(&self, code: &Code<'a>) -> Result<Flow<'c, 'a>, Violation> {
        let (_, initial) = self.start(code)?;
        Flow::inferred(self.inferred_rules(code)?, *code, initial)
    }

    /// As `flow`, which it is for what comes before the first jump even where there is no table.
    pub(crate) fn straight_flow(
        &self,
        code: &Code<'a>,
        table: Option<StackMapTable<'a>>,
    ) -> Result<Flow<'c, 'a>, Violation> {
        let (method, initial) = self.start(code)?;
        Ok(Flow::declared(method, *code, initial, table))
    }

    /// What its instructions are checked by.
    pub(crate) fn method_rules(&self, code: &Code<'a>) -> Result<Method<'c, 'a>, Violation> {
        self.start(code).map(|(method, _)| method)
    }

    /// The same, where types are worked out.
    pub(crate) fn inferred_rules(&self, code: &Code<'a>) -> Result<Method<'c, 'a>, Violation> {
        self.start(code).map(|(method, _)| Method { inferred: true, ..method })
    }

    fn start(&self, code: &Code<'a>) -> Result<(Method<'c, 'a>, Frame<'a>), Violation> {
        let broken =
            |error: Error| Violation::new(0, "the class is well-formed", "a class".into(), error.to_string());
        let method = Method {
            class: self.class,
            pool: self.class.constant_pool(),
            this_class: self.this_class().map_err(broken)?,
            code: code.code(),
            max_stack: usize::from(code.max_stack()),
            max_locals: usize::from(code.max_locals()),
            result: self.descriptor.result(),
            inferred: false,
        };
        Ok((method, self.initial().map_err(broken)?))
    }
}

/// `<clinit>` is, up to version 50, whatever its flags say.
fn is_static(class: &ClassFile<'_>, method: &MethodInfo<'_>) -> bool {
    flags_in_force(method, class.major_version()) & STATIC != 0
}

/// Whether code jumps or catches, so that its paths meet.
fn needs_frames(code: &Code<'_>) -> bool {
    let jumps = |operands: Operands<'_>| matches!(operands, Operands::Branch(_) | Operands::Switch(_));
    code.exception_table().len() > 0
        || code.instructions().flatten().any(|instruction| jumps(instruction.operands))
}
