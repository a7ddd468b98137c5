//! What the exception table of a woven method covers, where a verifier can tell.

#[path = "assembler/text.rs"]
mod assembler;

use assembler::assemble;
use jgraft_classfile::ClassFile;
use jgraft_classfile::verification::verify;
use jgraft_classfile::weave::{
    Call, CallSites, Condition, Event, NoFields, Operand, Probes, StaticMethod, weave,
};

/// ProGuard writes such code: behind the call that ends a `try` less is known than its handler wants.
#[test]
fn what_stands_behind_a_call_is_out_of_the_range_that_the_call_ends() {
    let text = "class a/A 52
        method static f (I)V stack 1 locals 2
            iload 0
            ifeq after
            ldc \"x\"
            astore 1
          from:
            invokestatic a/A.g()V
          after:
            frame same
            return
          handler:
            frame full int java/lang/String / java/lang/Throwable
            pop
            aload 1
            pop
            return
            catch from after handler any
        end
        ";
    let bytes = &assemble(text).unwrap()[0].1;
    verify(&ClassFile::parse(bytes).unwrap()).unwrap();
    let condition = Condition::parse("cost > 5 || cost < 9").unwrap();
    let mut after =
        Event::of(Call::new(StaticMethod::new("java/lang/Probe", "after"), &[Operand::StartTime]));
    after.guard.condition = Some((&condition, &NoFields));
    let sites = CallSites { after: Some(after), ..CallSites::default() };
    let probes = Probes { call_sites: Some(sites), ..Probes::default() };
    let woven = weave(&ClassFile::parse(bytes).unwrap(), |_| Some((&probes, 1))).unwrap().class.unwrap();
    verify(&ClassFile::parse(&woven).unwrap()).unwrap();
}
