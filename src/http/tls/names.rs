//! The host names in the generated server certificate.

use crate::options::is_name;

/// The host names for the server certificate, without duplicates: the names of this machine, the
/// service's host names in `region`, and the names in `more`.
///
/// A text that cannot be a name in a certificate is left out.
pub fn names(region: &str, more: &[String]) -> Vec<String> {
    // The file with the machine's host name exists on Linux. On other systems, the certificate
    // lacks this name.
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    names_with_host(region, host.trim(), more)
}

fn names_with_host(region: &str, host: &str, more: &[String]) -> Vec<String> {
    let fixed = [
        "localhost",
        "127.0.0.1",
        "::1",
        "host.docker.internal",
        "kinesis",
        "minikin",
        // The host names of similar tools, as users' compose files contain them.
        "localstack",
        "kinesis-mock",
        "kinesalite",
    ];
    // Several clients refuse the wildcard `*.localhost`, so list `kinesis.localhost` in full.
    let mut all: Vec<String> = fixed.map(str::to_owned).into();
    all.push("kinesis.localhost".to_owned());
    // Add the service's own host names, because some users resolve them to this machine.
    all.push(format!("kinesis.{region}.amazonaws.com"));
    all.push(format!("*.control-kinesis.{region}.amazonaws.com"));
    all.push(format!("*.data-kinesis.{region}.amazonaws.com"));
    all.push(host.to_owned());
    all.extend_from_slice(more);
    let mut names: Vec<String> = Vec::with_capacity(all.len());
    for name in all {
        if is_name(&name) && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_the_service_and_the_user_have_names() {
        let names = names_with_host("eu-west-1", "box", &["streams.test".to_owned()]);
        for name in [
            "localhost",
            "::1",
            "box",
            "minikin",
            "localstack",
            "kinesis-mock",
            "kinesalite",
            "host.docker.internal",
            "kinesis.eu-west-1.amazonaws.com",
            "streams.test",
        ] {
            assert!(
                names.iter().any(|other| other == name),
                "{name} in {names:?}"
            );
        }
    }

    #[test]
    fn texts_that_are_no_names_and_repeated_names_are_left_out() {
        let names = names_with_host("ä b", "", &["localhost".to_owned()]);
        assert!(names.iter().all(|name| is_name(name)), "{names:?}");
        assert_eq!(names.iter().filter(|name| *name == "localhost").count(), 1);
    }
}
