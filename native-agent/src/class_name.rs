//! The name of a class as it is typed, as the JVM has it, and as it is shown.

use jgraft_jvmti::jni::strings::{JNIStr, JNIString};

/// A class that the user named.
#[derive(Clone, Debug)]
pub(crate) struct ClassName {
    /// `shop/OrderService`
    internal: JNIString,
    /// `Lshop/OrderService;`
    signature: JNIString,
    /// `shop.OrderService`
    shown: String,
}

impl ClassName {
    /// Takes `shop.OrderService`, `shop/OrderService`, `java.util.Map$Entry`; no arrays, primitives or signatures.
    pub(crate) fn parse(typed: &str) -> Option<ClassName> {
        let internal = typed.replace('.', "/");
        let is_name = |part: &str| !part.is_empty() && !part.contains([';', '[', '\0']);
        let is_class = internal.split('/').all(is_name);
        is_class.then(|| ClassName {
            signature: JNIString::from(format!("L{internal};")),
            shown: internal.replace('/', "."),
            internal: JNIString::from(internal),
        })
    }

    /// Whether this is its internal name.
    pub(crate) fn is(&self, internal: &JNIStr) -> bool {
        self.internal.to_bytes() == internal.to_bytes()
    }

    /// Whether this is its signature.
    pub(crate) fn has_signature(&self, signature: &JNIStr) -> bool {
        self.signature.to_bytes() == signature.to_bytes()
    }

    /// With dots.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }
}

/// `Ljdk/internal/loader/ClassLoaders$AppClassLoader;` with dots and without its ends.
pub(crate) fn shown(signature: &str) -> String {
    let inside = signature.strip_prefix('L').and_then(|rest| rest.strip_suffix(';'));
    inside.unwrap_or(signature).replace('/', ".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_writing_are_one_class() {
        for typed in ["shop.Ordnung$Öl", "shop/Ordnung$Öl"] {
            let name = ClassName::parse(typed).unwrap();
            assert!(
                name.is(&JNIString::from("shop/Ordnung$Öl")) && !name.is(&JNIString::from("shop/Ordnung"))
            );
            assert!(name.has_signature(&JNIString::from("Lshop/Ordnung$Öl;")));
            assert_eq!(name.shown(), "shop.Ordnung$Öl");
        }
        assert_eq!(shown("Lshop/Loader;"), "shop.Loader");
    }

    #[test]
    fn what_is_no_name_of_a_class() {
        for typed in ["", ".", "a..b", "[I", "[Ljava.lang.String;", "Ljava/lang/String;", "a.", "/a"] {
            assert!(ClassName::parse(typed).is_none(), "{typed}");
        }
    }
}
