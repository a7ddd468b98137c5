//! What a JDK says about itself: the `release` file, or the output of
//! `java -XshowSettings:properties -version` where a JDK has none (JDK 8). Pure: text in, facts out.

/// Version, vendor and modules as a JDK states them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Release {
    pub(crate) version: String,
    pub(crate) vendor: String,
    /// None where the JDK has no modules or does not list them.
    pub(crate) modules: Option<Vec<String>>,
}

impl Release {
    /// Reads a `release` file (`KEY="value"` lines). None without a JAVA_VERSION: such a file says nothing.
    pub(crate) fn from_file(text: &str) -> Option<Self> {
        let value = |key: &str| {
            text.lines().find_map(|line| {
                let value = line.strip_prefix(key)?.strip_prefix('=')?;
                Some(value.trim().trim_matches('"').to_owned())
            })
        };
        Some(Self {
            version: value("JAVA_VERSION")?,
            vendor: value("IMPLEMENTOR").unwrap_or_else(|| "unknown vendor".to_owned()),
            modules: value("MODULES").map(|modules| modules.split_whitespace().map(str::to_owned).collect()),
        })
    }

    /// Reads the `key = value` lines that `-XshowSettings:properties` prints.
    pub(crate) fn from_settings(text: &str) -> Option<Self> {
        let value = |key: &str| {
            text.lines().find_map(|line| {
                let (name, value) = line.split_once(" = ")?;
                (name.trim() == key).then(|| value.trim().to_owned())
            })
        };
        Some(Self {
            version: value("java.version")?,
            vendor: value("java.vendor").unwrap_or_else(|| "unknown vendor".to_owned()),
            modules: None,
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_release_file() {
        let text = "IMPLEMENTOR=\"Debian\"\nJAVA_VERSION=\"17.0.15\"\nJAVA_VERSION_DATE=\"2025-04-15\"\n\
                    MODULES=\"java.base java.instrument\"\n";
        let release = Release::from_file(text).unwrap();
        assert_eq!((release.version.as_str(), release.vendor.as_str()), ("17.0.15", "Debian"));
        assert_eq!(release.modules.unwrap(), ["java.base", "java.instrument"]);
    }

    #[test]
    fn a_release_file_without_a_version_says_nothing() {
        assert_eq!(Release::from_file("IMPLEMENTOR=\"Debian\"\nJAVA_VERSION_DATE=\"2025\"\n"), None);
    }

    #[test]
    fn reads_the_settings_of_jdk_8() {
        let text = "Property settings:\n    java.vendor = Debian\n    java.vendor.url = x\n    \
                    java.version = 1.8.0_504\nopenjdk version \"1.8.0_504\"\n";
        let release = Release::from_settings(text).unwrap();
        assert_eq!((release.version.as_str(), release.vendor.as_str()), ("1.8.0_504", "Debian"));
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
