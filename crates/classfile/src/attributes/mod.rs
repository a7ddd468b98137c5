//! The attributes that the specification defines (JVMS 4.7), one file each.

mod code;
mod line_number_table;
mod local_variable_table;
mod stack_map_table;

pub use code::{Code, ExceptionTableEntry};
pub use line_number_table::{LineNumber, LineNumberTable};
pub use local_variable_table::{LocalVariable, LocalVariableTable};
pub use stack_map_table::{FrameChange, StackMapFrame, StackMapTable, VerificationType, VerificationTypes};
