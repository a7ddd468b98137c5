//! User names from `/etc/passwd`. A static binary cannot ask NSS, so a name only a directory service knows shows as its number.

/// The name of `uid` on this host, or the number as text.
pub(crate) fn name_of(uid: u32) -> String {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    lookup(&passwd, uid).unwrap_or_else(|| uid.to_string())
}

fn lookup(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_up_the_third_field() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nbroken\napp:x:1000:1000::/:/bin/sh\n";
        assert_eq!(lookup(passwd, 1000).as_deref(), Some("app"));
        assert_eq!(lookup(passwd, 7), None);
    }
}
