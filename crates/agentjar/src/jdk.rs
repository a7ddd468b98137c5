//! Where JDKs differ, release by release, as far as an agent jar can tell. Each row was measured by loading
//! jars into JVMs (tests/real_jvms.rs); releases in between are from the JDK's own record of its changes.

use std::fmt;

/// How the JDK looks for agentmain in the agent class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// Up to 16: declared with any access, else inherited and public; two arguments before one each time.
    DeclaredOrInherited,
    /// From 17 (JDK-8165276): declared, and then it must be public; two arguments before one.
    DeclaredPublic,
}

impl Lookup {
    /// The ways to look it up that come into question.
    pub(crate) fn of(feature_version: Option<u32>) -> &'static [Self] {
        match feature_version {
            Some(..=16) => &[Self::DeclaredOrInherited],
            Some(17..) => &[Self::DeclaredPublic],
            None => &[Self::DeclaredOrInherited, Self::DeclaredPublic],
        }
    }

    pub(crate) fn releases(self) -> &'static str {
        match self {
            Self::DeclaredOrInherited => "JDK 16 and older",
            Self::DeclaredPublic => "JDK 17 and newer",
        }
    }
}

/// The lowest N for which META-INF/versions/N is looked at; none if the JDK knows no such thing.
pub(crate) fn lowest_versioned_folder(feature_version: u32) -> Option<u32> {
    match feature_version {
        ..=8 => None,
        9..=16 => Some(9),
        // The specification says 9 here too, but the JDK takes any number.
        17.. => Some(1),
    }
}

/// A class file's version (JVMS 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassVersion {
    /// 52 is Java 8.
    pub major: u16,
    /// 65,535 marks preview features.
    pub minor: u16,
}

/// The minor version of classes that use preview features, from major 56 on.
const PREVIEW_MINOR: u16 = 0xffff;
/// Java 12: the first whose classes have minor 0 or [`PREVIEW_MINOR`] only.
const JAVA_12: u16 = 56;

/// Whether a JDK loads a class of some version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loadable {
    Yes,
    TooNew,
    TooOld,
    /// Preview features of another release.
    OtherPreview,
    /// Preview features of this release: with --enable-preview only.
    NeedsPreview,
    BadMinor,
}

impl ClassVersion {
    /// The feature version of the JDK that first had it.
    pub fn feature_version(self) -> u32 {
        u32::from(self.major.saturating_sub(44))
    }

    /// Whether the class uses preview features of its JDK.
    pub fn is_preview(self) -> bool {
        self.major >= JAVA_12 && self.minor == PREVIEW_MINOR
    }

    pub(crate) fn loadable_by(self, feature_version: u32) -> Loadable {
        let own = self.feature_version();
        match self.minor {
            _ if own > feature_version => Loadable::TooNew,
            _ if self.major < 45 => Loadable::TooOld,
            0 => Loadable::Yes,
            PREVIEW_MINOR if own == feature_version && feature_version >= 11 => Loadable::NeedsPreview,
            _ if own != feature_version && self.major < strict_from(feature_version) => Loadable::Yes,
            PREVIEW_MINOR if feature_version >= 11 => Loadable::OtherPreview,
            _ => Loadable::BadMinor,
        }
    }
}

/// The first major version of other releases whose minor version the JDK looks at.
fn strict_from(feature_version: u32) -> u16 {
    match feature_version {
        ..=10 => u16::MAX,
        11 => 46,
        12.. => JAVA_12,
    }
}

impl fmt::Display for ClassVersion {
    /// `61.0 (Java 17)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} (Java ", self.major, self.minor)?;
        match self.major {
            ..=44 => f.write_str("none")?,
            45 => f.write_str("1.1")?,
            46..=48 => write!(f, "1.{}", self.major - 44)?,
            49.. => write!(f, "{}", self.feature_version())?,
        }
        f.write_str(if self.is_preview() { " with preview features)" } else { ")" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(major: u16, minor: u16) -> ClassVersion {
        ClassVersion { major, minor }
    }

    #[test]
    fn names() {
        assert_eq!(version(45, 3).to_string(), "45.3 (Java 1.1)");
        assert_eq!(version(48, 0).to_string(), "48.0 (Java 1.4)");
        assert_eq!(version(52, 0).to_string(), "52.0 (Java 8)");
        assert_eq!(version(69, 0xffff).to_string(), "69.65535 (Java 25 with preview features)");
        assert_eq!(version(0, 0).to_string(), "0.0 (Java none)");
    }

    #[test]
    fn what_a_jdk_loads() {
        assert_eq!(version(61, 0).loadable_by(17), Loadable::Yes);
        assert_eq!(version(61, 0).loadable_by(11), Loadable::TooNew);
        assert_eq!(version(44, 0).loadable_by(17), Loadable::TooOld);
        assert_eq!(version(61, 0xffff).loadable_by(17), Loadable::NeedsPreview);
        assert_eq!(version(61, 0xffff).loadable_by(21), Loadable::OtherPreview);
        assert_eq!(version(61, 1).loadable_by(21), Loadable::BadMinor);
        assert_eq!(version(52, 1).loadable_by(8), Loadable::BadMinor);
        assert_eq!(version(51, 1).loadable_by(8), Loadable::Yes);
        assert_eq!(version(51, 1).loadable_by(11), Loadable::BadMinor);
        assert_eq!(version(51, 1).loadable_by(17), Loadable::Yes);
        assert_eq!(version(45, 9).loadable_by(8), Loadable::Yes);
    }
}
