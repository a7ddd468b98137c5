//! Classes of which one method does something else by one constant: for tests of whether that is seen.

use jgraft_classfile::ClassFile;
use jgraft_classfile::opcode::ICONST_0;

/// For each method that pushes a constant 0, the class with the first of them become 1.
pub(crate) fn constants_changed(class: &ClassFile<'_>) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for method in class.methods().map(|method| method.unwrap()) {
        let Some(code) = method.code(class.constant_pool()).unwrap() else { continue };
        let mut found = code.instructions().map(|instruction| instruction.unwrap());
        if let Some(found) = found.find(|instruction| instruction.opcode == ICONST_0) {
            let mut bytes = class.bytes().to_vec();
            bytes[code.offset() + found.pc] += 1;
            all.push((format!("{}{}", method.name(), method.descriptor()), bytes));
        }
    }
    all
}
