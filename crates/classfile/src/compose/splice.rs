//! A class file put together of two that stand on one constant pool: each part is copied as it stands in one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::attribute_info::AttributeInfo;
use crate::attributes::{Attribute, InnerClasses};
use crate::class_file::ClassFile;
use crate::compose::units::{Member, Units};
use crate::error::{Error, ErrorKind};

/// What comes from the upper class; all else comes from the lower one.
#[derive(Debug, Default)]
pub(super) struct FromUpper {
    /// Flags, superclass, interfaces.
    pub(super) head: bool,
    /// By name and descriptor; gone, if the upper class has none.
    pub(super) methods: BTreeSet<String>,
    /// The same of fields.
    pub(super) fields: BTreeSet<String>,
    /// Attributes of the class, by name.
    pub(super) attributes: BTreeSet<String>,
}

/// A class and its parts.
pub(super) struct Parts<'p, 'a> {
    pub(super) class: &'p ClassFile<'a>,
    pub(super) units: &'p Units,
}

/// The class of both. The upper one's constants begin with all of the lower one's, its bootstrap methods too.
pub(super) fn splice(
    lower: &Parts<'_, '_>,
    upper: &Parts<'_, '_>,
    from_upper: &FromUpper,
) -> Result<Vec<u8>, Error> {
    let mut out = upper.class.bytes().get(..upper.class.constant_pool_end()).unwrap_or_default().to_vec();
    let head = if from_upper.head { upper.class } else { lower.class };
    out.extend_from_slice(head.bytes().get(head.constant_pool_end()..head.fields_at()).unwrap_or_default());
    let fields = |class: &Parts<'_, '_>| in_order(&class.units.fields);
    members(lower, upper, &from_upper.fields, fields, "fields_count", &mut out)?;
    let methods = |class: &Parts<'_, '_>| in_order(&class.units.methods);
    members(lower, upper, &from_upper.methods, methods, "methods_count", &mut out)?;
    attributes(lower.class, upper.class, &from_upper.attributes, &mut out)?;
    Ok(out)
}

type Spans = Vec<(String, Range<usize>)>;

fn in_order(members: &BTreeMap<String, Member>) -> Spans {
    let mut spans: Spans = members.iter().map(|(name, member)| (name.clone(), member.span.clone())).collect();
    spans.sort_by_key(|(_, span)| span.start);
    spans
}

/// The lower class's members in their order, each from where it comes; those that only the upper one has behind them.
fn members(
    lower: &Parts<'_, '_>,
    upper: &Parts<'_, '_>,
    from_upper: &BTreeSet<String>,
    of: impl Fn(&Parts<'_, '_>) -> Spans,
    count: &'static str,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let (below, above) = (of(lower), of(upper));
    let is_below: BTreeSet<&String> = below.iter().map(|(name, _)| name).collect();
    let of_upper: BTreeMap<&String, _> = above.iter().map(|(name, span)| (name, span)).collect();
    let mut all = Vec::new();
    for (name, span) in &below {
        if !from_upper.contains(name) {
            all.push((lower.class, span.clone()));
        } else if let Some(span) = of_upper.get(name) {
            all.push((upper.class, (*span).clone()));
        }
    }
    let new = above.iter().filter(|(name, _)| from_upper.contains(name) && !is_below.contains(name));
    all.extend(new.map(|(_, span)| (upper.class, span.clone())));
    put_count(all.len(), count, out)?;
    for (class, span) in all {
        out.extend_from_slice(class.bytes().get(span).unwrap_or_default());
    }
    Ok(())
}

fn attributes(
    lower: &ClassFile<'_>,
    upper: &ClassFile<'_>,
    from_upper: &BTreeSet<String>,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    // The upper class's bootstrap methods are the lower one's with its own behind them.
    let is_upper = |name: &str| name == "BootstrapMethods" || from_upper.contains(name);
    let mut whole: Vec<Vec<u8>> = Vec::new();
    for attribute in lower.attributes()? {
        let attribute = attribute?;
        let name = attribute.name().to_string();
        if !is_upper(&name) {
            whole.push(attribute.whole().to_vec());
            continue;
        }
        match upper.attributes()?.find(&name)? {
            Some(above) if name == "InnerClasses" => {
                whole.push(inner_classes(lower, &attribute, upper, &above)?);
            }
            Some(above) => whole.push(above.whole().to_vec()),
            None => {}
        }
    }
    for attribute in upper.attributes()? {
        let attribute = attribute?;
        let name = attribute.name().to_string();
        if is_upper(&name) && lower.attributes()?.find(&name)?.is_none() {
            whole.push(attribute.whole().to_vec());
        }
    }
    put_count(whole.len(), "attributes_count", out)?;
    whole.iter().for_each(|attribute| out.extend_from_slice(attribute));
    Ok(())
}

/// A class has a row for each class that it names (JVMS 4.7.6): those of the upper one, and others of the lower one.
fn inner_classes(
    lower: &ClassFile<'_>,
    below: &AttributeInfo<'_>,
    upper: &ClassFile<'_>,
    above: &AttributeInfo<'_>,
) -> Result<Vec<u8>, Error> {
    let rows =
        |class: &ClassFile<'_>, attribute: &AttributeInfo<'_>| -> Result<Vec<(String, Vec<u8>)>, Error> {
            let pool = class.constant_pool();
            let Attribute::InnerClasses(found) = Attribute::decode(attribute, pool)? else {
                return Ok(Vec::new());
            };
            let found: &InnerClasses<'_> = &found;
            let bytes = attribute.info().get(2..).unwrap_or_default().chunks_exact(8);
            found
                .rows()
                .zip(bytes)
                .map(|(row, bytes)| {
                    Ok((pool.class_name(row.inner_class_info_index)?.to_string(), bytes.to_vec()))
                })
                .collect()
        };
    let mut all = rows(upper, above)?;
    let named: BTreeSet<String> = all.iter().map(|(name, _)| name.clone()).collect();
    all.extend(rows(lower, below)?.into_iter().filter(|(name, _)| !named.contains(name)));
    let mut out = above.name_index().to_be_bytes().to_vec();
    out.extend((2 + 8 * all.len() as u32).to_be_bytes());
    put_count(all.len(), "number_of_classes", &mut out)?;
    all.iter().for_each(|(_, row)| out.extend_from_slice(row));
    Ok(out)
}

fn put_count(count: usize, what: &'static str, out: &mut Vec<u8>) -> Result<(), Error> {
    let count = u16::try_from(count).map_err(|_| Error::new(ErrorKind::Value(what), 0))?;
    out.extend(count.to_be_bytes());
    Ok(())
}
