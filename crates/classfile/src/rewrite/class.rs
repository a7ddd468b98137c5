//! A class file with some members changed (JVMS 4.1): what is not changed is copied, and the new entries of the constant
//! pool stand behind the old ones.

use crate::class_file::ClassFile;
use crate::error::Error;
use crate::left_alone::LeftAlone;
use crate::method_info::MethodInfo;
use crate::rewrite::code::{CodeRewriter, Scratch};
use crate::rewrite::constant_pool::PoolAppender;
use crate::rewrite::edit::CodeEdit;
use crate::rewrite::scan::{Scan, Wanted};
use crate::verification::MethodContext;

/// A copy in the making. It takes the class from fields_count on as it is added; [`finish`](Self::finish) puts the pool
/// before it.
pub(crate) struct ClassCopy<'c, 'a> {
    class: &'c ClassFile<'a>,
    pub(crate) pool: PoolAppender<'c, 'a>,
    /// From behind the constant pool on.
    body: Vec<u8>,
    /// How much of the original is copied.
    copied: usize,
}

impl<'c, 'a> ClassCopy<'c, 'a> {
    pub(crate) fn new(class: &'c ClassFile<'a>) -> Self {
        let copied = class.constant_pool_end();
        // An edited method grows by some tens of bytes.
        let body = Vec::with_capacity((class.bytes().len() - copied) * 5 / 4 + 256);
        Self { class, pool: PoolAppender::new(class.constant_pool()), body, copied }
    }

    /// Edits one method; they come in the order of the class file. On failure nothing has changed.
    pub(crate) fn method<T>(
        &mut self,
        method: &MethodInfo<'a>,
        edit: impl FnOnce(&mut MethodCopy<'_, 'c, 'a>) -> Result<T, LeftAlone>,
    ) -> Result<T, LeftAlone> {
        let (mark, length, copied) = (self.pool.mark(), self.body.len(), self.copied);
        let context = MethodContext::new(self.class, method)?;
        let done = edit(&mut MethodCopy { copy: self, context });
        if done.is_err() {
            self.pool.back_to(mark);
            self.body.truncate(length);
            self.copied = copied;
        }
        done
    }

    fn copy_to(&mut self, offset: usize) {
        self.body.extend_from_slice(self.class.bytes().get(self.copied..offset).unwrap_or_default());
        self.copied = offset;
    }

    /// The whole class file.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let bytes = self.class.bytes();
        self.copy_to(bytes.len());
        // magic, minor_version, major_version, constant_pool_count
        let (head, pool) = (&bytes[..8], &bytes[10..self.class.constant_pool_end()]);
        let mut out = Vec::with_capacity(10 + pool.len() + self.pool.bytes().len() + self.body.len());
        out.extend_from_slice(head);
        out.extend(self.pool.count().to_be_bytes());
        out.extend_from_slice(pool);
        out.extend_from_slice(self.pool.bytes());
        out.extend_from_slice(&self.body);
        out
    }
}

/// One method of a copy.
pub(crate) struct MethodCopy<'m, 'c, 'a> {
    copy: &'m mut ClassCopy<'c, 'a>,
    pub(crate) context: MethodContext<'m, 'a>,
}

impl<'m, 'c, 'a> MethodCopy<'m, 'c, 'a> {
    pub(crate) fn pool(&mut self) -> &mut PoolAppender<'c, 'a> {
        &mut self.copy.pool
    }

    /// Its Code attribute.
    pub(crate) fn code(&self) -> Result<CodeRewriter<'m, 'a>, LeftAlone> {
        let attributes = self.context.method.attributes(self.context.class.constant_pool());
        let attribute = attributes.find("Code")?.ok_or(LeftAlone::NoCode)?;
        let code = crate::attributes::Code::parse(&attribute)?;
        Ok(CodeRewriter { context: self.context, attribute, code })
    }

    /// Puts an edited Code attribute in the place of the old one, whose code `scan` has seen; how many bytes its code has.
    pub(crate) fn replace_code(
        &mut self,
        code: &CodeRewriter<'m, 'a>,
        scan: &Scan,
        edit: &CodeEdit<'a>,
        scratch: &mut Scratch,
    ) -> Result<usize, LeftAlone> {
        let whole = code.attribute.whole();
        let start = code.attribute.offset() - 6;
        self.copy.copy_to(start);
        let ClassCopy { pool, body, copied, .. } = &mut *self.copy;
        let size = code.write(scan, edit, pool, scratch, body)?;
        *copied = start + whole.len();
        Ok(size)
    }
}

/// Sends every method through the rewriter without an edit: what comes out has to equal the class, byte for byte.
/// Methods that are never rewritten are copied. It proves the copying; it is of no other use.
pub fn copy_through_rewriter(class: &ClassFile<'_>) -> Result<Vec<u8>, Error> {
    let mut copy = ClassCopy::new(class);
    let (mut scan, mut scratch) = (Scan::default(), Scratch::default());
    for method in class.methods() {
        let method = method?;
        let done = copy.method(&method, |method| {
            let code = method.code()?;
            scan.run(&code.code, 0, Wanted::Ends)?;
            method.replace_code(&code, &scan, &CodeEdit::default(), &mut scratch).map(drop)
        });
        if let Err(LeftAlone::Malformed(error)) = done {
            return Err(error);
        }
    }
    Ok(copy.finish())
}
