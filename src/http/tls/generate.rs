//! Generates a certificate authority, and a server certificate that the authority signs. Stores
//! both in files, and renews them.

use super::pem::certificates_of;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use time::OffsetDateTime;

const DAY: i64 = 86_400;
/// Lifetime of the certificate authority in seconds: about ten years, because users have to
/// configure their machines to trust the authority.
const AUTHORITY_LIFE: i64 = 3650 * DAY;
/// Lifetime of the server certificate in seconds. Apple's verifier refuses server certificates with
/// a lifetime of more than 825 days.
const LEAF_LIFE: i64 = 820 * DAY;
/// Minimum remaining lifetime of a stored certificate, in seconds. A certificate with a shorter
/// remaining lifetime is replaced, so that no certificate expires while the server runs.
const RENEW_BEFORE: i64 = 30 * DAY;
/// Number of seconds by which a certificate's validity begins before its creation. A client's clock
/// may be slow, for example in a virtual machine after a pause.
const START_BEFORE: i64 = DAY;

/// File mode of a file with a private key.
const OWNER_ONLY: u32 = 0o600;
/// File mode of a file with certificates only.
const EVERYONE: u32 = 0o644;

/// The contents of the file of a certificate: its private key, the certificate, the end of its
/// validity, and its host names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StoredCertificate {
    /// The private key and then the certificate, in PEM.
    pub(super) pem: String,
    ends: i64,
    names: String,
}

/// The server certificate, and the authority that signed it and that clients trust.
pub(super) struct Identity {
    pub(super) authority: StoredCertificate,
    pub(super) leaf: StoredCertificate,
}

/// Loads the two certificates from `directory`. Generates a certificate that is missing, damaged or
/// about to expire. `now` is in seconds since 1970.
pub(super) fn identity(
    directory: Option<&Path>,
    names: &[String],
    now: i64,
) -> Result<Identity, rcgen::Error> {
    let kept = |file: &str| directory.and_then(|directory| read(&directory.join(file)));
    let old_authority = kept("authority.pem").filter(|kept| !is_ending(kept.ends, now));
    let old_key = old_authority
        .as_ref()
        .and_then(|kept| KeyPair::from_pem(&kept.pem).ok());
    let old = old_authority.zip(old_key);
    let old_leaf = kept("leaf.pem").filter(|_| old.is_some());
    let (authority, key) = match old {
        Some(old) => old,
        None => new_authority(now)?,
    };
    let leaf = match old_leaf.filter(|leaf| !is_due(leaf, names, now)) {
        Some(leaf) => leaf,
        None => {
            let leaf = new_leaf(names, now, authority.ends, key)?;
            store_all(directory, &authority, &leaf);
            leaf
        }
    };
    Ok(Identity { authority, leaf })
}

/// True if the server certificate `leaf` has to be replaced, because it is damaged, is about to
/// expire, or lacks one of `names`.
fn is_due(leaf: &StoredCertificate, names: &[String], now: i64) -> bool {
    let has = |name: &String| leaf.names.split(' ').any(|other| other == name);
    let is_whole = KeyPair::from_pem(&leaf.pem).is_ok();
    !is_whole || is_ending(leaf.ends, now) || !names.iter().all(has)
}

fn is_ending(ends: i64, now: i64) -> bool {
    ends < now + RENEW_BEFORE
}

fn new_authority(now: i64) -> Result<(StoredCertificate, KeyPair), rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let ends = now + AUTHORITY_LIFE;
    let mut params = authority_params();
    (params.not_before, params.not_after) = (moment(now - START_BEFORE), moment(ends));
    let certificate = params.self_signed(&key)?;
    Ok((
        StoredCertificate {
            pem: pem(&certificate, &key),
            ends,
            names: String::new(),
        },
        key,
    ))
}

/// The parameters of every generated authority. They are constant, so that the stored private key
/// alone suffices to sign further certificates.
fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "minikin local authority");
    // The authority may sign server certificates, but not the certificates of other authorities.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn new_leaf(
    names: &[String],
    now: i64,
    authority_ends: i64,
    authority_key: KeyPair,
) -> Result<StoredCertificate, rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let ends = authority_ends.min(now + LEAF_LIFE);
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "minikin");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // A machine may trust several authorities that minikin generated, all with the same name.
    // Clients need the key identifier to find the authority that signed the certificate.
    params.use_authority_key_identifier_extension = true;
    (params.not_before, params.not_after) = (moment(now - START_BEFORE), moment(ends));
    let issuer = Issuer::new(authority_params(), authority_key);
    let certificate = params.signed_by(&key, &issuer)?;
    Ok(StoredCertificate {
        pem: pem(&certificate, &key),
        ends,
        names: names.join(" "),
    })
}

fn moment(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// The private key and then the certificate, in PEM. The key comes first, because the crate rcgen
/// reads only the first section of a PEM text.
fn pem(certificate: &Certificate, key: &KeyPair) -> String {
    format!("{}{}", key.serialize_pem(), certificate.pem())
}

/// Stores both certificates in files. A failure only logs a warning, because the server can use the
/// certificates from memory.
fn store_all(directory: Option<&Path>, authority: &StoredCertificate, leaf: &StoredCertificate) {
    let Some(directory) = directory else { return };
    let written = write_all(directory, authority, leaf);
    let folder = directory.display();
    match written {
        Ok(()) => {
            tracing::info!(%folder, "generated a certificate; clients can trust ca.pem in this folder")
        }
        Err(error) => tracing::warn!(%folder, %error, "cannot store the certificate"),
    }
}

fn write_all(
    directory: &Path,
    authority: &StoredCertificate,
    leaf: &StoredCertificate,
) -> io::Result<()> {
    let path = |file: &str| directory.join(file);
    fs::create_dir_all(directory)?;
    // Remove the old server certificate first. Otherwise a crash between the writes could leave the
    // old server certificate next to a new authority.
    match fs::remove_file(path("leaf.pem")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    write(&path("authority.pem"), &text_of(authority), OWNER_ONLY)?;
    write(&path("ca.pem"), &certificates_of(&authority.pem), EVERYONE)?;
    write(&path("leaf.pem"), &text_of(leaf), OWNER_ONLY)
}

/// The text of the file of a certificate: a line with the end of its validity, a line with its host
/// names, and then PEM. PEM parsers skip lines before the first section.
fn text_of(kept: &StoredCertificate) -> String {
    format!("ends {}\nnames {}\n{}", kept.ends, kept.names, kept.pem)
}

fn kept_of(text: &str) -> Option<StoredCertificate> {
    let (ends, rest) = text.strip_prefix("ends ")?.split_once('\n')?;
    let (names, pem) = rest.strip_prefix("names ")?.split_once('\n')?;
    Some(StoredCertificate {
        ends: ends.parse().ok()?,
        names: names.to_owned(),
        pem: pem.to_owned(),
    })
}

fn read(path: &Path) -> Option<StoredCertificate> {
    let text = fs::read_to_string(path).ok()?;
    #[cfg(unix)]
    if let Err(error) = restrict_to_owner(path) {
        let file = path.display();
        tracing::warn!(%file, %error, "other users may read this key");
    }
    kept_of(&text)
}

/// Removes the permissions of other users from a file with a private key. A copied file may have
/// such permissions.
#[cfg(unix)]
fn restrict_to_owner(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut permissions = fs::metadata(path)?.permissions();
    if permissions.mode() & 0o077 == 0 {
        return Ok(());
    }
    permissions.set_mode(OWNER_ONLY);
    fs::set_permissions(path, permissions)
}

/// Replaces the file at `path` atomically. After a crash, the file has either its old text or the
/// new one.
#[cfg_attr(not(unix), allow(unused_variables, reason = "modes are Unix's"))]
fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let new = path.with_extension("new");
    // Remove the file that an interrupted write has left, and create a new file. An existing file
    // would keep its owner and mode.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    let mut file = options.open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(new, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::tempdir;

    const NOW: i64 = 1_800_000_000;

    fn names(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_certificate_is_due_when_it_ends_soon_or_lacks_a_name() {
        let (_, key) = new_authority(NOW).unwrap();
        let leaf = new_leaf(&names("localhost ::1"), NOW, i64::MAX, key).unwrap();
        assert!(!is_due(&leaf, &names("::1"), NOW));
        assert!(!is_due(
            &leaf,
            &names("localhost ::1"),
            NOW + LEAF_LIFE - RENEW_BEFORE
        ));
        assert!(is_due(
            &leaf,
            &names("localhost"),
            NOW + LEAF_LIFE - RENEW_BEFORE + 1
        ));
        assert!(is_due(&leaf, &names("localhost other"), NOW));
        assert!(is_due(
            &StoredCertificate {
                pem: String::new(),
                ..leaf
            },
            &names("localhost"),
            NOW
        ));
    }

    #[test]
    fn a_certificate_does_not_outlive_its_authority() {
        let (_, key) = new_authority(NOW).unwrap();
        assert_eq!(
            new_leaf(&names("localhost"), NOW, NOW + DAY, key)
                .unwrap()
                .ends,
            NOW + DAY
        );
    }

    #[test]
    fn a_renewed_certificate_has_the_same_authority_until_that_ends() {
        let directory = tempdir().unwrap();
        let at = |now, text: &str| identity(Some(directory.path()), &names(text), now).unwrap();
        let first = at(NOW, "localhost");
        assert_eq!(at(NOW + DAY, "localhost").leaf, first.leaf);
        let renamed = at(NOW + DAY, "localhost other");
        assert_ne!(renamed.leaf, first.leaf);
        assert_eq!(renamed.authority, first.authority);
        assert_ne!(
            at(NOW + AUTHORITY_LIFE, "localhost").authority,
            first.authority
        );
    }

    #[test]
    fn a_torn_file_is_made_anew() {
        let directory = tempdir().unwrap();
        let get = || identity(Some(directory.path()), &names("localhost"), NOW).unwrap();
        let first = get();
        fs::write(
            directory.path().join("leaf.pem"),
            "ends 9999999999\nnames localhost\n",
        )
        .unwrap();
        let second = get();
        assert_ne!(second.leaf, first.leaf);
        assert_eq!(second.authority, first.authority);
        fs::write(directory.path().join("authority.pem"), "").unwrap();
        assert_ne!(get().authority, first.authority);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_the_keys() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempdir().unwrap();
        let path = |file: &str| directory.path().join(file);
        // Create files that every user may read. A crash, another program or a copy may leave such
        // files behind.
        for file in ["authority.new", "leaf.new"] {
            fs::write(path(file), "").unwrap();
            fs::set_permissions(path(file), fs::Permissions::from_mode(0o666)).unwrap();
        }
        for _ in 0..2 {
            identity(Some(directory.path()), &names("localhost"), NOW).unwrap();
            for file in ["authority.pem", "leaf.pem"] {
                let mode = fs::metadata(path(file)).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600, "{file}");
                fs::set_permissions(path(file), fs::Permissions::from_mode(0o644)).unwrap();
            }
        }
    }
}
