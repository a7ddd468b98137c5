//! Attributes (JVMS 4.7). Nothing looks inside one yet: they are passed by their length.

use crate::error::Error;
use crate::reader::Reader;

/// Passes attributes_count and attributes[].
pub(crate) fn skip_attributes(reader: &mut Reader<'_>) -> Result<(), Error> {
    for _ in 0..reader.u2()? {
        let _attribute_name_index = reader.u2()?;
        let length = reader.u4()?;
        // A length that does not fit is longer than any slice, so `skip` refuses it.
        reader.skip(usize::try_from(length).unwrap_or(usize::MAX))?;
    }
    Ok(())
}
