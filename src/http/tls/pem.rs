//! Extracts certificates from PEM text.

/// The certificate sections of the PEM text `pem`, without the private keys and without the text
/// between the sections.
pub(super) fn certificates_of(pem: &str) -> String {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let certificates = pem
        .split(BEGIN)
        .skip(1)
        .filter_map(|after| after.split_once(END));
    certificates
        .map(|(inside, _)| format!("{BEGIN}{inside}{END}\n"))
        .collect()
}
