//! What a JDK says about itself: the `release` file, what was noted when it was fetched, or the output of
//! `java -XshowSettings:properties -version` where those do not say it (JDK 8, runtimes made by jlink).
//! Pure: text in, facts out.

/// Version, vendor and modules as far as a JDK states them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Release {
    pub(crate) version: Option<String>,
    pub(crate) vendor: Option<String>,
    /// Also None where the JDK has no modules.
    pub(crate) modules: Option<Vec<String>>,
}

impl Release {
    /// Reads a `release` file (`KEY="value"` lines).
    pub(crate) fn from_file(text: &str) -> Self {
        let value = |key: &str| {
            text.lines().find_map(|line| {
                let value = line.strip_prefix(key)?.strip_prefix('=')?;
                Some(value.trim().trim_matches('"').to_owned())
            })
        };
        Self {
            version: value("JAVA_VERSION"),
            vendor: value("IMPLEMENTOR"),
            modules: value("MODULES").map(|modules| modules.split_whitespace().map(str::to_owned).collect()),
        }
    }

    /// Reads the `key = value` lines that `-XshowSettings:properties` prints.
    pub(crate) fn from_settings(text: &str) -> Self {
        let value = |key: &str| {
            text.lines().find_map(|line| {
                let (name, value) = line.split_once(" = ")?;
                (name.trim() == key).then(|| value.trim().to_owned())
            })
        };
        Self { version: value("java.version"), vendor: value("java.vendor"), modules: None }
    }

    /// Whether it says which JDK this is.
    pub(crate) fn is_known(&self) -> bool {
        self.version.is_some() && self.vendor.is_some()
    }

    /// What this one does not say, from another.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            version: self.version.or(other.version),
            vendor: self.vendor.or(other.vendor),
            modules: self.modules.or(other.modules),
        }
    }
}

/// The feature number of a version: 8 for "1.8.0_504", 17 for "17.0.15", 27 for "27-ea".
pub(crate) fn feature(version: &str) -> Option<u32> {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    match numbers.next()?.ok()? {
        1 => numbers.next()?.ok(),
        feature => Some(feature),
    }
}

/// The numbers of a version, by which builds of a feature are in order: 17.0.9 before 17.0.15.
pub(crate) fn build(version: &str) -> Vec<u32> {
    version.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_release_file() {
        let text = "IMPLEMENTOR=\"Debian\"\nJAVA_VERSION=\"17.0.15\"\nJAVA_VERSION_DATE=\"2025-04-15\"\n\
                    MODULES=\"java.base java.instrument\"\n";
        let release = Release::from_file(text);
        assert_eq!(release.version.as_deref(), Some("17.0.15"));
        assert_eq!(release.vendor.as_deref(), Some("Debian"));
        assert_eq!(release.modules.unwrap(), ["java.base", "java.instrument"]);
    }

    #[test]
    fn what_one_does_not_say_another_may() {
        let jlinked = Release::from_file("JAVA_VERSION=\"21.0.8\"\nMODULES=\"java.base\"\n");
        assert!(!jlinked.is_known());
        let noted = Release::from_file("JAVA_VERSION=\"0\"\nIMPLEMENTOR=\"Eclipse Adoptium\"\n");
        let both = jlinked.or(noted);
        assert!(both.is_known());
        assert_eq!(both.version.as_deref(), Some("21.0.8"));
        assert_eq!(both.vendor.as_deref(), Some("Eclipse Adoptium"));
        assert_eq!(both.modules.unwrap(), ["java.base"]);
    }

    #[test]
    fn reads_the_settings_of_jdk_8() {
        let text = "Property settings:\n    java.vendor = Debian\n    java.vendor.url = x\n    \
                    java.version = 1.8.0_504\nopenjdk version \"1.8.0_504\"\n";
        let release = Release::from_settings(text);
        assert_eq!(release.version.as_deref(), Some("1.8.0_504"));
        assert_eq!(release.vendor.as_deref(), Some("Debian"));
    }

    #[test]
    fn feature_numbers() {
        let cases = [("1.8.0_504", Some(8)), ("17.0.15", Some(17)), ("27-ea", Some(27)), ("25", Some(25))];
        for (version, expected) in cases {
            assert_eq!(feature(version), expected, "{version}");
        }
        assert_eq!(feature("ea"), None);
        assert_eq!(feature(""), None);
    }
}
