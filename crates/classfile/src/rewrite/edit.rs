//! An edit of one method's code, as a value.

use crate::left_alone::LeftAlone;
use crate::rewrite::assembler::Assembler;
use crate::rewrite::code::not_type_safe;
use crate::verification::{Budget, Frame, Type};

/// Code to put in, and what goes with it.
#[derive(Debug, Default)]
pub(crate) struct CodeEdit<'a> {
    /// Runs once when the method is entered: no jump leads here.
    pub(crate) entry: Snippet<'a>,
    /// In the order of their places.
    pub(crate) insertions: Vec<Insertion<'a>>,
    /// The snippets that `insertions` and `handlers` name.
    pub(crate) snippets: Vec<Snippet<'a>>,
    /// Locals that the entry sets and that keep their values until the method ends.
    pub(crate) locals: NewLocals<'a>,
    /// In the order in which they take their place in the exception table.
    pub(crate) handlers: Vec<Handler<'a>>,
    /// Bytes of code that it adds so far: more than a method may have need not be made first.
    pub(crate) size: usize,
    /// Bounds what the frames that it holds may take.
    pub(crate) kept: Budget,
    /// Calls that were asked for and that the condition around them does not fit.
    pub(crate) calls_left_alone: usize,
    /// Buffers of snippets of methods before.
    spare: Vec<Snippet<'a>>,
}

impl<'a> CodeEdit<'a> {
    /// Makes it empty for the next method; the buffers are used again.
    pub(crate) fn clear(&mut self) {
        let Self { entry, insertions, snippets, locals, handlers, size, kept, calls_left_alone, spare } =
            self;
        for mut snippet in snippets.drain(..).chain([std::mem::take(entry)]) {
            snippet.clear();
            if spare.len() < MOST_SPARE && snippet.code.capacity() < LARGE {
                spare.push(snippet);
            }
        }
        insertions.clear();
        handlers.clear();
        locals.at = 0;
        locals.types.clear();
        (*size, *kept, *calls_left_alone) = (0, Budget::kept(), 0);
    }

    /// Begins a snippet.
    pub(crate) fn assembler(&mut self) -> Assembler<'a> {
        Assembler::new(self.spare.pop().unwrap_or_default())
    }

    /// Puts a snippet at its place.
    pub(crate) fn insert(&mut self, insertion: Insertion<'a>) -> Result<(), LeftAlone> {
        if let Some(frame) = &insertion.frame {
            self.kept.spend(frame, 0, insertion.pc as usize).map_err(not_type_safe)?;
        }
        self.insertions.push(insertion);
        Ok(())
    }

    /// Adds a handler behind those that are there.
    pub(crate) fn handle(&mut self, handler: Handler<'a>) -> Result<(), LeftAlone> {
        self.kept.spend(&handler.frame, 0, 0).map_err(not_type_safe)?;
        self.handlers.push(handler);
        Ok(())
    }

    /// How far the edit has come.
    pub(crate) fn mark(&self) -> EditMark {
        EditMark {
            insertions: self.insertions.len(),
            snippets: self.snippets.len(),
            handlers: self.handlers.len(),
            size: self.size,
        }
    }

    /// Forgets what was added since.
    pub(crate) fn back_to(&mut self, mark: EditMark) {
        self.insertions.truncate(mark.insertions);
        self.snippets.truncate(mark.snippets);
        self.handlers.truncate(mark.handlers);
        self.size = mark.size;
    }
}

/// Snippets whose buffers are kept, and the bytes of code up to which one is.
const MOST_SPARE: usize = 64;
const LARGE: usize = 1024;

/// See [`CodeEdit::mark`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct EditMark {
    insertions: usize,
    snippets: usize,
    handlers: usize,
    size: usize,
}

/// New local variables in the midst of the others.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewLocals<'a> {
    /// The first new slot; old slots from here on move up.
    pub(crate) at: u16,
    /// Their types, in the order of their slots.
    pub(crate) types: Vec<Type<'a>>,
}

impl NewLocals<'_> {
    /// Slots that they take.
    pub(crate) fn width(&self) -> u16 {
        self.types.iter().map(|new| new.slots() as u16).sum()
    }
}

/// Instructions that can be put anywhere: their jumps stay among themselves, or lead to their end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snippet<'a> {
    pub(crate) code: Vec<u8>,
    /// Where its own jumps lead, ascending; its end may be one.
    pub(crate) joins: Vec<Join<'a>>,
    /// Stack slots that it needs above what lies there when it begins.
    pub(crate) stack: u16,
    /// One more than the highest slot that it stores to. Those behind all others are for values that no frame has to
    /// know.
    pub(crate) locals: u16,
}

impl Snippet<'_> {
    fn clear(&mut self) {
        let Self { code, joins, stack, locals } = self;
        code.clear();
        joins.clear();
        (*stack, *locals) = (0, 0);
    }
}

/// A place in a snippet that is jumped to: the frame of the snippet's place holds, and more.
#[derive(Clone, Debug)]
pub(crate) struct Join<'a> {
    /// Offset in the snippet's code.
    pub(crate) at: usize,
    /// Scratch slots, as they are in the new code, that the snippet has filled and will read.
    pub(crate) held: Vec<(u16, Type<'a>)>,
}

impl<'a> Join<'a> {
    /// What holds here, in old slots; `width` is that of the new locals, which lie before all scratch slots.
    pub(crate) fn frame(&self, place: &Frame<'a>, width: u16) -> Frame<'a> {
        let mut frame = place.clone();
        self.held.iter().for_each(|(slot, value)| frame.store(usize::from(slot - width), *value));
        frame
    }
}

/// Where code goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// Before an instruction; who jumps to that runs it.
    Before,
    /// In the place of an instruction; who jumps to that runs it. One a pc.
    Instead,
    /// Behind an instruction; who jumps to the next does not run it.
    After,
}

/// A snippet at its place.
#[derive(Clone, Debug)]
pub(crate) struct Insertion<'a> {
    pub(crate) pc: u32,
    pub(crate) place: Place,
    pub(crate) snippet: usize,
    /// What holds at the snippet's joins, in old slots; only for one that has joins.
    pub(crate) frame: Option<Frame<'a>>,
}

/// Code behind the method's own that is run for exceptions, ends by throwing, and falls through to nothing.
#[derive(Debug)]
pub(crate) struct Handler<'a> {
    pub(crate) snippet: usize,
    pub(crate) cover: Cover,
    /// What holds where it begins and at its joins, in old slots; the stack holds the exception.
    pub(crate) frame: Frame<'a>,
    /// CONSTANT_Class of what is caught.
    pub(crate) catch_type: u16,
}

/// What a handler covers.
#[derive(Clone, Debug)]
pub(crate) enum Cover {
    /// One instruction, before any other row of the table; what the handler throws goes to the rows that cover the
    /// instruction.
    Instruction(u32),
    /// Everything, behind any other row of the table: the method's code save the instructions from which it returns
    /// with what was put before them, save the entry, and save these spans of old pcs; and every handler before it.
    Method {
        /// Spans [from, to) in which it must not catch, ascending.
        except: Vec<(u32, u32)>,
    },
}
