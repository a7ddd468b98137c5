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
    /// The release with JDK-8165276. The bundled Java agent draws the same line (AgentMain.java).
    const PUBLIC_AND_DECLARED_FROM: u32 = 17;

    /// The ways to look it up that come into question.
    pub(crate) fn of(feature_version: Option<u32>) -> &'static [Self] {
        match feature_version {
            Some(version) if version < Self::PUBLIC_AND_DECLARED_FROM => &[Self::DeclaredOrInherited],
            Some(_) => &[Self::DeclaredPublic],
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

/// Whether the name of a class, with dots, lies where modules of the JDK have packages. From 9 on class loaders look for a
/// class of such a package in its module and nowhere else. By the heads that packages of JDK 9 to 25 have in common: the
/// target may lack the module, or have no package of just this name.
pub(crate) fn is_in_jdk_territory(class: &str) -> bool {
    const HEADS: &str = "jdk sun netscape.javascript org.ietf.jgss org.jcp.xml org.w3c.dom org.xml.sax \
        com.sun.accessibility com.sun.beans com.sun.crypto com.sun.imageio com.sun.jarsigner com.sun.java \
        com.sun.java_cup com.sun.jdi com.sun.jmx com.sun.jndi com.sun.management com.sun.media com.sun.naming \
        com.sun.net com.sun.nio com.sun.org com.sun.rowset com.sun.security com.sun.source com.sun.swing \
        com.sun.tools com.sun.xml.internal javax.accessibility javax.annotation.processing javax.crypto \
        javax.imageio javax.lang.model javax.management javax.naming javax.net javax.print javax.rmi.ssl \
        javax.script javax.security javax.smartcardio javax.sound javax.sql javax.swing javax.tools \
        javax.transaction.xa javax.xml";
    let below = |head: &str| class.strip_prefix(head).is_some_and(|rest| rest.starts_with('.'));
    HEADS.split(' ').any(below)
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
    fn the_bundled_agent_draws_the_same_line() {
        let java = include_str!("../../../agent-java/src/io/jgraft/agent/impl/AgentMain.java");
        let line = format!("int PUBLIC_AND_DECLARED_FROM = {};", Lookup::PUBLIC_AND_DECLARED_FROM);
        assert!(java.contains(&line), "AgentMain.java does not say {line}");
        assert_eq!(Lookup::of(Some(16)), [Lookup::DeclaredOrInherited]);
        assert_eq!(Lookup::of(Some(17)), [Lookup::DeclaredPublic]);
    }

    #[test]
    fn the_jdks_own_packages() {
        for class in
            ["sun.misc.Agent", "jdk.internal.misc.A", "javax.management.A", "com.sun.net.httpserver.A"]
        {
            assert!(is_in_jdk_territory(class), "{class}");
        }
        for class in
            ["sunny.Agent", "jdk", "javax.servlet.A", "com.sun.btrace.agent.Main", "com.sun.jna.A", "a.sun.B"]
        {
            assert!(!is_in_jdk_territory(class), "{class}");
        }
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
