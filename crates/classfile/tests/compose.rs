//! Composing: each method comes from the topmost patch that changes it, patches come out of the middle again, and what
//! comes of it verifies.

mod corpus_files;
#[path = "compose/made.rs"]
mod made;
#[path = "rebase/shuffle.rs"]
mod shuffle;

use corpus_files::{archive, each_class};
use jgraft_classfile::ClassFile;
use jgraft_classfile::compare::{Vm, compare};
use jgraft_classfile::compose::{ComposeError, Composed, Patch, Share, compose, may_revert};
use jgraft_classfile::opcode::ICONST_0;
use jgraft_classfile::rebase::rebase;
use jgraft_classfile::verification::verify;
use made::Made;

/// Classes of a JDK to look at, each so manieth.
const EVERY: usize = 25;

const VM: Vm = Vm { feature: 17, allows_adding_methods: false };

const PRICE: &str = "price(I)Ljava/lang/String;";
const NAME: &str = "name(I)Ljava/lang/String;";
const PICK: &str = "pick(I)Ljava/lang/String;";

/// Composes patches that are not applied yet; what comes of it verifies, and could be redefined.
fn composed(
    base: &[u8],
    in_force: &[u8],
    patches: &[(&[u8], Option<&Share>)],
) -> Result<Composed, ComposeError> {
    let (base, in_force) = (ClassFile::parse(base).unwrap(), ClassFile::parse(in_force).unwrap());
    let classes: Vec<_> = patches.iter().map(|(bytes, _)| ClassFile::parse(bytes).unwrap()).collect();
    let patches: Vec<_> =
        classes.iter().zip(patches).map(|(class, (_, share))| Patch { class, share: *share }).collect();
    let made = compose(&base, &in_force, &patches)?;
    let class = ClassFile::parse(&made.class).unwrap();
    class.check_structure().unwrap();
    verify(&class).unwrap_or_else(|error| panic!("{error}"));
    Ok(made)
}

/// Both have the method, with the same code.
fn same_code(one: &[u8], two: &[u8], method: &str) -> bool {
    let (one, two) = (ClassFile::parse(one).unwrap(), ClassFile::parse(two).unwrap());
    let has = |class: &ClassFile<'_>| {
        class.methods().flatten().any(|it| format!("{}{}", it.name(), it.descriptor()) == method)
    };
    assert!(has(&one) && has(&two), "no {method}");
    compare(&one, &two, VM).unwrap().contents.iter().all(|change| change.member != method || !change.code)
}

/// As compilers of other languages have them, at a class and within its code.
#[test]
fn notes_of_compilers_are_left_out() {
    let Some(made) = Made::of("17") else { return };
    let with_notes = |version: &str| {
        let mut bytes = made.class(version);
        for (known, other) in [("SourceFile", "SourceTale"), ("LineNumberTable", "LineNumberFable")] {
            let at = bytes.windows(known.len()).position(|text| text == known.as_bytes()).unwrap();
            bytes[at..at + other.len()].copy_from_slice(other.as_bytes());
        }
        bytes
    };
    let (base, price, name) = (with_notes("base"), with_notes("price"), with_notes("name"));
    let one = composed(&base, &base, &[(&price, None)]).unwrap();
    assert_eq!(one.shares[0], Share { changes: vec![PRICE.into()], ..Share::default() });
    assert!(same_code(&one.class, &price, PRICE) && !same_code(&one.class, &base, PRICE));
    let two =
        composed(&base, &one.class, &[(&price, Some(&one.shares[0])), (&made.class("name"), None)]).unwrap();
    assert!(same_code(&two.class, &price, PRICE) && same_code(&two.class, &name, NAME));
    let class = ClassFile::parse(&two.class).unwrap();
    rebase(&class, &class).expect("no attribute is left that nobody knows");
    assert_eq!(composed(&base, &two.class, &[]).unwrap().class, base);
}

#[test]
fn each_method_is_that_of_the_topmost_patch_that_changes_it() {
    let Some(made) = Made::of("17") else { return };
    let (base, price) = (made.class("base"), made.class("price"));
    let one = composed(&base, &base, &[(&price, None)]).unwrap();
    assert_eq!(one.shares[0], Share { changes: vec![PRICE.into()], ..Share::default() });
    assert!(same_code(&one.class, &price, PRICE) && !same_code(&one.class, &base, PRICE));

    // Another method, by one who has not heard of the first: nothing is taken away.
    let name = made.class("name");
    let two = composed(&base, &one.class, &[(&price, Some(&one.shares[0])), (&name, None)]).unwrap();
    assert_eq!(two.shares[1].changes, [NAME]);
    assert!(same_code(&two.class, &price, PRICE) && same_code(&two.class, &name, NAME));

    // The same method again.
    let again = made.class("again");
    let [first, second] = two.shares.as_slice() else { panic!() };
    let three =
        composed(&base, &two.class, &[(&price, Some(first)), (&name, Some(second)), (&again, None)]).unwrap();
    assert_eq!(three.shares[2].changes, [PRICE]);
    assert!(same_code(&three.class, &again, PRICE) && same_code(&three.class, &name, NAME));
    let refused = may_revert(&three.shares, 0).unwrap_err();
    assert_eq!((refused.later, refused.method.as_str()), (2, PRICE));
    assert!(refused.to_string().contains(PRICE), "{refused}");
    may_revert(&three.shares, 1).unwrap();
    may_revert(&three.shares, 2).unwrap();

    // The one in the middle goes: its constants stay, since they may not move.
    let less =
        composed(&base, &three.class, &[(&price, Some(first)), (&again, Some(&three.shares[2]))]).unwrap();
    assert!(same_code(&less.class, &again, PRICE) && same_code(&less.class, &base, NAME));
    let pool_of = |class: &[u8]| ClassFile::parse(class).unwrap().constant_pool().count();
    assert!(pool_of(&less.class) == pool_of(&three.class), "the pool moved");
    // And the last.
    assert_eq!(composed(&base, &less.class, &[]).unwrap().class, base);
    // The same twice changes nothing.
    let twice = composed(&base, &one.class, &[(&price, Some(first)), (&price, None)]).unwrap();
    assert_eq!(twice.shares[1], Share { carries: vec![PRICE.into()], ..Share::default() });
    assert_eq!(twice.class, one.class);
}

#[test]
fn a_fix_that_a_later_patch_was_compiled_with_goes_with_its_own_patch() {
    let Some(made) = Made::of("17") else { return };
    let (base, price, both) = (made.class("base"), made.class("price"), made.class("price and pick"));
    let two = composed(&base, &base, &[(&price, None), (&both, None)]).unwrap();
    let expected = Share { changes: vec![PICK.into()], carries: vec![PRICE.into()], ..Share::default() };
    assert_eq!(two.shares[1], expected);
    may_revert(&two.shares, 0).unwrap();
    let less = composed(&base, &two.class, &[(&both, Some(&two.shares[1]))]).unwrap();
    assert!(same_code(&less.class, &base, PRICE) && same_code(&less.class, &both, PICK));
    assert_eq!(less.shares[0], expected);
    // It does not come back with what is put on top.
    let more =
        composed(&base, &less.class, &[(&both, Some(&less.shares[0])), (&made.class("name"), None)]).unwrap();
    assert!(same_code(&more.class, &base, PRICE), "{:?}", more.shares);
}

#[test]
fn a_lambda_is_part_of_its_method() {
    let Some(made) = Made::of("17") else { return };
    let (base, body, around) = (made.class("base"), made.class("name"), made.class("around the lambda"));
    let two = composed(&base, &base, &[(&body, None), (&around, None)]).unwrap();
    assert_eq!(
        (&two.shares[0].changes[..], &two.shares[1].changes[..]),
        (&[NAME.into()][..], &[NAME.into()][..])
    );
    let lambda = "lambda$name$0(I)Ljava/lang/String;";
    assert!(same_code(&two.class, &base, lambda) && !same_code(&body, &base, lambda));
    assert!(may_revert(&two.shares, 0).is_err());
    // Two methods of one name, in the other order: their lambdas have each other's names.
    let (order, other) = (made.class("overloads in the other order"), made.class("overload"));
    let error = composed(&base, &base, &[(&order, None), (&other, None)]).unwrap_err();
    assert!(matches!(&error, ComposeError::SharedLambda { patch: 1, .. }), "{error:?}");
    assert!(error.to_string().contains("lambda$over$"), "{error}");
}

#[test]
fn a_method_that_would_be_missing_is_a_reason() {
    let Some(made) = Made::of("17") else { return };
    let (base, helper, user) = (made.class("base"), made.class("helper"), made.class("uses the helper"));
    let two = composed(&base, &base, &[(&helper, None), (&user, None)]).unwrap();
    assert_eq!(two.shares[0].changes, ["helper(I)I", PRICE]);
    assert_eq!(two.shares[1].changes, [PICK]);
    may_revert(&two.shares, 0).unwrap();
    let error = composed(&base, &two.class, &[(&user, Some(&two.shares[1]))]).unwrap_err();
    assert_eq!(error, ComposeError::Missing { user: PICK.into(), member: "helper(I)I".into() });
    // Without it, and the other that uses it, all is as it was.
    let last = composed(&base, &two.class, &[(&helper, Some(&two.shares[0]))]).unwrap();
    assert!(same_code(&last.class, &base, PICK));
}

#[test]
fn the_class_and_its_fields_follow_too() {
    let Some(made) = Made::of("17") else { return };
    let (base, marked, entry) = (made.class("base"), made.class("annotated"), made.class("entries"));
    let two = composed(&base, &base, &[(&marked, None), (&entry, None)]).unwrap();
    assert_eq!(two.shares[0].besides, ["price:J", "RuntimeVisibleAnnotations"]);
    assert_eq!(two.shares[1].besides, ["InnerClasses"]);
    let text = format!(
        "{:?}",
        compare(&ClassFile::parse(&marked).unwrap(), &ClassFile::parse(&two.class).unwrap(), VM)
    );
    // Rows of the base, and those of the patch.
    let rows = |bytes: &[u8]| {
        let class = ClassFile::parse(bytes).unwrap();
        let found = class.attributes().unwrap().find("InnerClasses").unwrap().unwrap();
        u16::from_be_bytes([found.info()[0], found.info()[1]])
    };
    assert!(rows(&two.class) > rows(&base), "{text}");
    assert!(!text.contains("RuntimeVisibleAnnotations"), "{text}");
    // Lines, parameters' names and annotations of class retention are no change.
    let lines = composed(&base, &base, &[(&made.class("lines"), None)]).unwrap();
    assert_eq!((&lines.shares[0], lines.class == base), (&Share::default(), false));
}

#[test]
fn a_patch_of_another_version_raises_it_and_takes_it_back() {
    let (Some(old), Some(new)) = (Made::of("8"), Made::of("17")) else { return };
    let (base, price, name) = (old.class("base"), new.class("price"), old.class("name"));
    let two = composed(&base, &base, &[(&price, None), (&name, None)]).unwrap();
    assert_eq!(ClassFile::parse(&two.class).unwrap().major_version(), 61);
    assert!(same_code(&two.class, &price, PRICE) && same_code(&two.class, &name, NAME));
    let less = composed(&base, &two.class, &[(&name, Some(&two.shares[1]))]).unwrap();
    assert_eq!(ClassFile::parse(&less.class).unwrap().major_version(), 52);
    assert!(same_code(&less.class, &base, PRICE));
}

#[test]
fn a_jdk_on_pools_in_another_order_changes_by_what_was_changed() {
    let Some(archive) = archive() else { return };
    let (mut seen, mut changed) = (0, 0);
    each_class(&archive, |name, bytes| {
        seen += 1;
        if seen % EVERY != 0 || name.ends_with("module-info.class") {
            return;
        }
        let class = ClassFile::parse(bytes).unwrap();
        let base = shuffle::shuffle(&class, seen as u64);
        let itself =
            composed(&base, &base, &[(bytes, None)]).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(itself.shares[0], Share::default(), "{name}");
        assert!(itself.class == base, "{name}: nothing changes, and yet it is another class");
        // The first constant that a method pushes, of two methods.
        let places: Vec<_> =
            class.methods().filter_map(|method| constant(&class, &method.unwrap())).collect();
        let [(first, one), .., (last, two)] = places.as_slice() else { return };
        let patch = |at: usize| {
            let mut bytes = bytes.to_vec();
            bytes[at] += 1;
            bytes
        };
        let (below, above) = (patch(*one), patch(*two));
        let made = composed(&base, &base, &[(&below, None), (&above, None)]).unwrap();
        assert!(same_code(&made.class, &above, last), "{name} {last}: {:?}", made.shares);
        // A lambda and what is around it are one.
        if may_revert(&made.shares, 0).is_ok() {
            assert!(same_code(&made.class, &below, first), "{name} {first}");
            let less = composed(&base, &made.class, &[(&above, Some(&made.shares[1]))]).unwrap();
            assert!(same_code(&less.class, bytes, first) && same_code(&less.class, &above, last), "{name}");
            changed += 1;
        }
    });
    println!("{changed} classes with two patches");
    assert!(changed > 20, "{changed} of {seen} classes had two methods with a constant");
}

/// A method, and where in the class file its first iconst_0 stands.
fn constant(class: &ClassFile<'_>, method: &jgraft_classfile::MethodInfo<'_>) -> Option<(String, usize)> {
    let code = method.code(class.constant_pool()).unwrap()?;
    let mut found = code.instructions().map(|instruction| instruction.unwrap());
    let found = found.find(|instruction| instruction.opcode == ICONST_0)?;
    Some((format!("{}{}", method.name(), method.descriptor()), code.offset() + found.pc))
}
