//! The listing of a method, as it is and woven: golden text that a person can check.

mod assembler;

use assembler::{Class, PUBLIC, STATIC};
use jgraft_classfile::weave::{Call, Condition, Event, NoFields, Operand, Probes, StaticMethod, weave};
use jgraft_classfile::{ClassFile, list_method};

/// `static int m(int x) { return x + 5; }`
const BODY: [u8; 4] = [0x1a, 0x08, 0x60, 0xac];

const PLAIN: &str = "\
public static m(I)I // int (int)
  stack=2 locals=4
      0: iload_0
      1: iconst_5
      2: iadd
      3: ireturn
";

const WOVEN: &str = "\
public static m(I)I // int (int)
  stack=5 locals=6
      0: invokestatic java/lang/System.nanoTime:()J
      3: lstore 4
      5: iload_0
      6: iconst_5
      7: iadd
      8: sipush 700
     11: lload 4
     13: invokestatic java/lang/Probe.exit:(IJ)V
     16: ireturn
     17: sipush 700
     20: lload 4
     22: invokestatic java/lang/Probe.thrown:(IJ)V
     25: athrow
  catch java/lang/Throwable [5, 8) -> 17
  frame at 17: locals [top, top, top, top, long], stack [java/lang/Throwable]
";

const CONDITION: &str = "\
public static m(I)I // int (int)
  stack=7 locals=17
      0: iload 0
      2: istore 6
      4: invokestatic java/lang/System.nanoTime:()J
      7: lstore 4
      9: iload_0
     10: iconst_5
     11: iadd
     12: dup
     13: istore 16
     15: invokestatic java/lang/System.nanoTime:()J
     18: dup2
     19: lstore 7
     21: lload 4
     23: lsub
     24: dup2
     25: lstore 9
     27: pop2
     28: iload 6
     30: istore 11
     32: iconst_3
     33: istore 13
     35: iload 11
     37: iload 13
     39: if_icmpgt 58
     42: lload 9
     44: lstore 11
     46: iconst_5
     47: istore 13
     49: lload 11
     51: iload 13
     53: i2l
     54: lcmp
     55: ifle 67
     58: lload 4
     60: lload 7
     62: iload 16
     64: invokestatic java/lang/Probe.exit:(JJI)V
     67: ireturn
  frame at 58: locals [integer, top, top, top, long, integer, long, long, top, top, top, top, top, integer], stack [integer]
  frame at 67: locals [integer, top, top, top, long, integer], stack [integer]
";

#[test]
fn a_method_as_it_is_and_woven() {
    let bytes = Class::new("x/Y").method(PUBLIC | STATIC, "m", "(I)I", &BODY).bytes();
    assert_eq!(first_method(&bytes), PLAIN);
    let event = |name| {
        let operands = [Operand::ProbeId, Operand::StartTime];
        Some(Event::of(Call::new(StaticMethod::new("java/lang/Probe", name), &operands)))
    };
    let probes = Probes { exit: event("exit"), throw: event("thrown"), ..Probes::default() };
    let class = ClassFile::parse(&bytes).unwrap();
    let woven = weave(&class, |_| Some((&probes, 700))).unwrap();
    assert_eq!((woven.methods[0].before, woven.methods[0].after), (4, 26));
    assert_eq!(first_method(&woven.class.unwrap()), WOVEN);
    assert!(weave(&class, |_| None).unwrap().class.is_none(), "nothing asked for, nothing made");
}

/// Where the ways of a condition meet again, cost and end time are still there: a verifier must be told so.
#[test]
fn what_a_condition_keeps_is_in_its_frames() {
    let bytes = Class::new("x/Y").method(PUBLIC | STATIC, "m", "(I)I", &BODY).bytes();
    let condition = Condition::parse("arg0 > 3 || cost > 5").unwrap();
    let mut exit = Event::of(Call::new(
        StaticMethod::new("java/lang/Probe", "exit"),
        &[Operand::StartTime, Operand::EndTime, Operand::Result],
    ));
    exit.guard.condition = Some((&condition, &NoFields));
    let probes = Probes { exit: Some(exit), ..Probes::default() };
    let class = ClassFile::parse(&bytes).unwrap();
    let woven = weave(&class, |_| Some((&probes, 700))).unwrap();
    assert_eq!(first_method(&woven.class.unwrap()), CONDITION);
}

fn first_method(bytes: &[u8]) -> String {
    let class = ClassFile::parse(bytes).unwrap();
    class.check_structure().unwrap();
    let method = class.methods().next().unwrap().unwrap();
    list_method(&class, &method).unwrap()
}
