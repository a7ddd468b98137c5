//! Opcodes (JVMS 6.5, table 7.x): the number, the mnemonic and the shape of the operands of each. What they
//! do to stack and locals is in `interpreter`.

/// How the operands of an instruction are laid out (JVMS 6.5, "Format").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// No operand.
    None,
    /// A signed byte: bipush.
    Byte,
    /// A signed u2: sipush.
    Short,
    /// A u1 index of a local variable; a u2 behind wide.
    Local,
    /// A local variable and a signed constant: iinc.
    LocalIncrement,
    /// A u1 index of the constant pool: ldc.
    PoolByte,
    /// A u2 index of the constant pool.
    Pool,
    /// A signed u2 offset from the opcode's pc.
    Branch,
    /// A signed u4 offset from the opcode's pc.
    BranchWide,
    /// tableswitch.
    TableSwitch,
    /// lookupswitch.
    LookupSwitch,
    /// A pool index, a count and a zero.
    InvokeInterface,
    /// A pool index and two zeros.
    InvokeDynamic,
    /// A u1 of JVMS table 6.5.newarray-A.
    ArrayType,
    /// A pool index and a number of dimensions.
    MultiANewArray,
    /// The prefix that widens the index of the instruction behind it.
    Wide,
    /// No instruction has this opcode in a class file.
    Undefined,
}

impl Format {
    /// Length of the whole instruction where it does not depend on its operands; 0 for switches, wide and what is
    /// no instruction.
    pub const fn fixed_len(self) -> usize {
        match self {
            Self::None => 1,
            Self::Byte | Self::Local | Self::PoolByte | Self::ArrayType => 2,
            Self::Short | Self::LocalIncrement | Self::Pool | Self::Branch => 3,
            Self::MultiANewArray => 4,
            Self::BranchWide | Self::InvokeInterface | Self::InvokeDynamic => 5,
            Self::TableSwitch | Self::LookupSwitch | Self::Wide | Self::Undefined => 0,
        }
    }
}

/// [`Format::fixed_len`] by opcode.
pub(crate) static FIXED_LENGTHS: [u8; 256] = {
    let mut table = [0; 256];
    let mut opcode = 0;
    while opcode < 256 {
        table[opcode] = FORMATS[opcode].fixed_len() as u8;
        opcode += 1;
    }
    table
};

/// The shape of an opcode's operands.
pub fn format(opcode: u8) -> Format {
    FORMATS[usize::from(opcode)]
}

/// The specification's mnemonic; "undefined" for a byte that begins no instruction.
pub fn mnemonic(opcode: u8) -> &'static str {
    MNEMONICS[usize::from(opcode)]
}

macro_rules! opcodes {
    ($($value:literal $name:ident $mnemonic:literal $format:ident;)*) => {
        $(#[doc = concat!("`", $mnemonic, "`.")] pub const $name: u8 = $value;)*

        pub(crate) static FORMATS: [Format; 256] = {
            let mut table = [Format::Undefined; 256];
            $(table[$value] = Format::$format;)*
            table
        };

        static MNEMONICS: [&str; 256] = {
            let mut table = ["undefined"; 256];
            $(table[$value] = $mnemonic;)*
            table
        };
    };
}

opcodes! {
    0x00 NOP "nop" None;
    0x01 ACONST_NULL "aconst_null" None;
    0x02 ICONST_M1 "iconst_m1" None;
    0x03 ICONST_0 "iconst_0" None;
    0x04 ICONST_1 "iconst_1" None;
    0x05 ICONST_2 "iconst_2" None;
    0x06 ICONST_3 "iconst_3" None;
    0x07 ICONST_4 "iconst_4" None;
    0x08 ICONST_5 "iconst_5" None;
    0x09 LCONST_0 "lconst_0" None;
    0x0a LCONST_1 "lconst_1" None;
    0x0b FCONST_0 "fconst_0" None;
    0x0c FCONST_1 "fconst_1" None;
    0x0d FCONST_2 "fconst_2" None;
    0x0e DCONST_0 "dconst_0" None;
    0x0f DCONST_1 "dconst_1" None;
    0x10 BIPUSH "bipush" Byte;
    0x11 SIPUSH "sipush" Short;
    0x12 LDC "ldc" PoolByte;
    0x13 LDC_W "ldc_w" Pool;
    0x14 LDC2_W "ldc2_w" Pool;
    0x15 ILOAD "iload" Local;
    0x16 LLOAD "lload" Local;
    0x17 FLOAD "fload" Local;
    0x18 DLOAD "dload" Local;
    0x19 ALOAD "aload" Local;
    0x1a ILOAD_0 "iload_0" None;
    0x1b ILOAD_1 "iload_1" None;
    0x1c ILOAD_2 "iload_2" None;
    0x1d ILOAD_3 "iload_3" None;
    0x1e LLOAD_0 "lload_0" None;
    0x1f LLOAD_1 "lload_1" None;
    0x20 LLOAD_2 "lload_2" None;
    0x21 LLOAD_3 "lload_3" None;
    0x22 FLOAD_0 "fload_0" None;
    0x23 FLOAD_1 "fload_1" None;
    0x24 FLOAD_2 "fload_2" None;
    0x25 FLOAD_3 "fload_3" None;
    0x26 DLOAD_0 "dload_0" None;
    0x27 DLOAD_1 "dload_1" None;
    0x28 DLOAD_2 "dload_2" None;
    0x29 DLOAD_3 "dload_3" None;
    0x2a ALOAD_0 "aload_0" None;
    0x2b ALOAD_1 "aload_1" None;
    0x2c ALOAD_2 "aload_2" None;
    0x2d ALOAD_3 "aload_3" None;
    0x2e IALOAD "iaload" None;
    0x2f LALOAD "laload" None;
    0x30 FALOAD "faload" None;
    0x31 DALOAD "daload" None;
    0x32 AALOAD "aaload" None;
    0x33 BALOAD "baload" None;
    0x34 CALOAD "caload" None;
    0x35 SALOAD "saload" None;
    0x36 ISTORE "istore" Local;
    0x37 LSTORE "lstore" Local;
    0x38 FSTORE "fstore" Local;
    0x39 DSTORE "dstore" Local;
    0x3a ASTORE "astore" Local;
    0x3b ISTORE_0 "istore_0" None;
    0x3c ISTORE_1 "istore_1" None;
    0x3d ISTORE_2 "istore_2" None;
    0x3e ISTORE_3 "istore_3" None;
    0x3f LSTORE_0 "lstore_0" None;
    0x40 LSTORE_1 "lstore_1" None;
    0x41 LSTORE_2 "lstore_2" None;
    0x42 LSTORE_3 "lstore_3" None;
    0x43 FSTORE_0 "fstore_0" None;
    0x44 FSTORE_1 "fstore_1" None;
    0x45 FSTORE_2 "fstore_2" None;
    0x46 FSTORE_3 "fstore_3" None;
    0x47 DSTORE_0 "dstore_0" None;
    0x48 DSTORE_1 "dstore_1" None;
    0x49 DSTORE_2 "dstore_2" None;
    0x4a DSTORE_3 "dstore_3" None;
    0x4b ASTORE_0 "astore_0" None;
    0x4c ASTORE_1 "astore_1" None;
    0x4d ASTORE_2 "astore_2" None;
    0x4e ASTORE_3 "astore_3" None;
    0x4f IASTORE "iastore" None;
    0x50 LASTORE "lastore" None;
    0x51 FASTORE "fastore" None;
    0x52 DASTORE "dastore" None;
    0x53 AASTORE "aastore" None;
    0x54 BASTORE "bastore" None;
    0x55 CASTORE "castore" None;
    0x56 SASTORE "sastore" None;
    0x57 POP "pop" None;
    0x58 POP2 "pop2" None;
    0x59 DUP "dup" None;
    0x5a DUP_X1 "dup_x1" None;
    0x5b DUP_X2 "dup_x2" None;
    0x5c DUP2 "dup2" None;
    0x5d DUP2_X1 "dup2_x1" None;
    0x5e DUP2_X2 "dup2_x2" None;
    0x5f SWAP "swap" None;
    0x60 IADD "iadd" None;
    0x61 LADD "ladd" None;
    0x62 FADD "fadd" None;
    0x63 DADD "dadd" None;
    0x64 ISUB "isub" None;
    0x65 LSUB "lsub" None;
    0x66 FSUB "fsub" None;
    0x67 DSUB "dsub" None;
    0x68 IMUL "imul" None;
    0x69 LMUL "lmul" None;
    0x6a FMUL "fmul" None;
    0x6b DMUL "dmul" None;
    0x6c IDIV "idiv" None;
    0x6d LDIV "ldiv" None;
    0x6e FDIV "fdiv" None;
    0x6f DDIV "ddiv" None;
    0x70 IREM "irem" None;
    0x71 LREM "lrem" None;
    0x72 FREM "frem" None;
    0x73 DREM "drem" None;
    0x74 INEG "ineg" None;
    0x75 LNEG "lneg" None;
    0x76 FNEG "fneg" None;
    0x77 DNEG "dneg" None;
    0x78 ISHL "ishl" None;
    0x79 LSHL "lshl" None;
    0x7a ISHR "ishr" None;
    0x7b LSHR "lshr" None;
    0x7c IUSHR "iushr" None;
    0x7d LUSHR "lushr" None;
    0x7e IAND "iand" None;
    0x7f LAND "land" None;
    0x80 IOR "ior" None;
    0x81 LOR "lor" None;
    0x82 IXOR "ixor" None;
    0x83 LXOR "lxor" None;
    0x84 IINC "iinc" LocalIncrement;
    0x85 I2L "i2l" None;
    0x86 I2F "i2f" None;
    0x87 I2D "i2d" None;
    0x88 L2I "l2i" None;
    0x89 L2F "l2f" None;
    0x8a L2D "l2d" None;
    0x8b F2I "f2i" None;
    0x8c F2L "f2l" None;
    0x8d F2D "f2d" None;
    0x8e D2I "d2i" None;
    0x8f D2L "d2l" None;
    0x90 D2F "d2f" None;
    0x91 I2B "i2b" None;
    0x92 I2C "i2c" None;
    0x93 I2S "i2s" None;
    0x94 LCMP "lcmp" None;
    0x95 FCMPL "fcmpl" None;
    0x96 FCMPG "fcmpg" None;
    0x97 DCMPL "dcmpl" None;
    0x98 DCMPG "dcmpg" None;
    0x99 IFEQ "ifeq" Branch;
    0x9a IFNE "ifne" Branch;
    0x9b IFLT "iflt" Branch;
    0x9c IFGE "ifge" Branch;
    0x9d IFGT "ifgt" Branch;
    0x9e IFLE "ifle" Branch;
    0x9f IF_ICMPEQ "if_icmpeq" Branch;
    0xa0 IF_ICMPNE "if_icmpne" Branch;
    0xa1 IF_ICMPLT "if_icmplt" Branch;
    0xa2 IF_ICMPGE "if_icmpge" Branch;
    0xa3 IF_ICMPGT "if_icmpgt" Branch;
    0xa4 IF_ICMPLE "if_icmple" Branch;
    0xa5 IF_ACMPEQ "if_acmpeq" Branch;
    0xa6 IF_ACMPNE "if_acmpne" Branch;
    0xa7 GOTO "goto" Branch;
    0xa8 JSR "jsr" Branch;
    0xa9 RET "ret" Local;
    0xaa TABLESWITCH "tableswitch" TableSwitch;
    0xab LOOKUPSWITCH "lookupswitch" LookupSwitch;
    0xac IRETURN "ireturn" None;
    0xad LRETURN "lreturn" None;
    0xae FRETURN "freturn" None;
    0xaf DRETURN "dreturn" None;
    0xb0 ARETURN "areturn" None;
    0xb1 RETURN "return" None;
    0xb2 GETSTATIC "getstatic" Pool;
    0xb3 PUTSTATIC "putstatic" Pool;
    0xb4 GETFIELD "getfield" Pool;
    0xb5 PUTFIELD "putfield" Pool;
    0xb6 INVOKEVIRTUAL "invokevirtual" Pool;
    0xb7 INVOKESPECIAL "invokespecial" Pool;
    0xb8 INVOKESTATIC "invokestatic" Pool;
    0xb9 INVOKEINTERFACE "invokeinterface" InvokeInterface;
    0xba INVOKEDYNAMIC "invokedynamic" InvokeDynamic;
    0xbb NEW "new" Pool;
    0xbc NEWARRAY "newarray" ArrayType;
    0xbd ANEWARRAY "anewarray" Pool;
    0xbe ARRAYLENGTH "arraylength" None;
    0xbf ATHROW "athrow" None;
    0xc0 CHECKCAST "checkcast" Pool;
    0xc1 INSTANCEOF "instanceof" Pool;
    0xc2 MONITORENTER "monitorenter" None;
    0xc3 MONITOREXIT "monitorexit" None;
    0xc4 WIDE "wide" Wide;
    0xc5 MULTIANEWARRAY "multianewarray" MultiANewArray;
    0xc6 IFNULL "ifnull" Branch;
    0xc7 IFNONNULL "ifnonnull" Branch;
    0xc8 GOTO_W "goto_w" BranchWide;
    0xc9 JSR_W "jsr_w" BranchWide;
}

/// The conditional jump that jumps exactly where this one does not; the opcode itself if it is no conditional jump.
pub(crate) fn opposite(opcode: u8) -> u8 {
    match opcode {
        // Pairs stand side by side: ifeq/ifne at odd/even numbers, ifnull/ifnonnull at even/odd ones.
        IFEQ..=IF_ACMPNE => ((opcode + 1) ^ 1) - 1,
        IFNULL | IFNONNULL => opcode ^ 1,
        _ => opcode,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opposites_are_mutual() {
        for opcode in (IFEQ..=IF_ACMPNE).chain([IFNULL, IFNONNULL]) {
            let other = opposite(opcode);
            assert_ne!(other, opcode);
            assert_eq!(opposite(other), opcode, "{}", mnemonic(opcode));
        }
        for (one, other) in
            [(IFEQ, IFNE), (IFLT, IFGE), (IFGT, IFLE), (IF_ICMPLT, IF_ICMPGE), (IFNULL, IFNONNULL)]
        {
            assert_eq!(opposite(one), other);
        }
        assert_eq!(opposite(GOTO), GOTO);
    }

    #[test]
    fn the_table_ends_where_the_specification_does() {
        assert_eq!((format(JSR_W), mnemonic(JSR_W)), (Format::BranchWide, "jsr_w"));
        assert_eq!(format(0xca), Format::Undefined);
        assert_eq!((mnemonic(INVOKEDYNAMIC), INVOKEDYNAMIC), ("invokedynamic", 0xba));
    }
}
