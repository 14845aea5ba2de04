//! An authority and a certificate signed by it: made, kept in files, renewed.

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use time::OffsetDateTime;

const DAY: i64 = 86_400;
/// People tell their machines to trust the authority, so it lives long.
const AUTHORITY_LIFE: i64 = 3650 * DAY;
/// Apple's verifier refuses server certificates that are valid for more than 825 days.
const LEAF_LIFE: i64 = 820 * DAY;
/// What ends sooner is renewed, so that a long run does not outlive its certificate.
const RENEW_BEFORE: i64 = 30 * DAY;
/// Clients whose clocks are behind ours, such as virtual machines after a pause.
const START_BEFORE: i64 = DAY;

/// Who may read a file with a key.
const OWNER_ONLY: u32 = 0o600;
/// Who may read what others are to trust.
const EVERYONE: u32 = 0o644;

/// A certificate with its key, in PEM, and what the file says about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// Certificate and key.
    pub(super) pem: String,
    ends: i64,
    names: String,
}

/// What the server shows and what its clients trust.
pub(super) struct Identity {
    pub(super) authority: Kept,
    pub(super) leaf: Kept,
}

/// The identity kept in `directory`, with whatever of it is missing or old made anew.
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
            keep_all(directory, &authority, &leaf);
            leaf
        }
    };
    Ok(Identity { authority, leaf })
}

/// Whether a certificate for `names` should take the place of `leaf`.
fn is_due(leaf: &Kept, names: &[String], now: i64) -> bool {
    let has = |name: &String| leaf.names.split(' ').any(|other| other == name);
    let is_whole = KeyPair::from_pem(&leaf.pem).is_ok();
    !is_whole || is_ending(leaf.ends, now) || !names.iter().all(has)
}

fn is_ending(ends: i64, now: i64) -> bool {
    ends < now + RENEW_BEFORE
}

fn new_authority(now: i64) -> Result<(Kept, KeyPair), rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let ends = now + AUTHORITY_LIFE;
    let mut params = authority_params();
    (params.not_before, params.not_after) = (moment(now - START_BEFORE), moment(ends));
    let certificate = params.self_signed(&key)?;
    Ok((
        Kept {
            pem: pem(&certificate, &key),
            ends,
            names: String::new(),
        },
        key,
    ))
}

/// The same for every authority, so that one can sign again when only its key is left.
fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "minikin local authority");
    // It signs server certificates and no further authorities.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn new_leaf(
    names: &[String],
    now: i64,
    authority_ends: i64,
    authority_key: KeyPair,
) -> Result<Kept, rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let ends = authority_ends.min(now + LEAF_LIFE);
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "minikin");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // A machine may trust several of our authorities, and they share one name.
    params.use_authority_key_identifier_extension = true;
    (params.not_before, params.not_after) = (moment(now - START_BEFORE), moment(ends));
    let issuer = Issuer::new(authority_params(), authority_key);
    let certificate = params.signed_by(&key, &issuer)?;
    Ok(Kept {
        pem: pem(&certificate, &key),
        ends,
        names: names.join(" "),
    })
}

fn moment(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// The key first, for rcgen reads the first section only.
fn pem(certificate: &Certificate, key: &KeyPair) -> String {
    format!("{}{}", key.serialize_pem(), certificate.pem())
}

/// The identity serves from memory too, so a folder that cannot be written is only a warning.
fn keep_all(directory: Option<&Path>, authority: &Kept, leaf: &Kept) {
    let Some(directory) = directory else { return };
    let kept = write_all(directory, authority, leaf);
    let folder = directory.display();
    match kept {
        Ok(()) => tracing::info!(%folder, "made a certificate; clients may trust ca.pem there"),
        Err(error) => tracing::warn!(%folder, %error, "cannot keep the certificate"),
    }
}

fn write_all(directory: &Path, authority: &Kept, leaf: &Kept) -> io::Result<()> {
    let path = |file: &str| directory.join(file);
    fs::create_dir_all(directory)?;
    // The old leaf goes first: a crash in between must not leave it to another authority.
    match fs::remove_file(path("leaf.pem")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    write(&path("authority.pem"), &text_of(authority), OWNER_ONLY)?;
    write(
        &path("ca.pem"),
        &super::certificates_of(&authority.pem),
        EVERYONE,
    )?;
    write(&path("leaf.pem"), &text_of(leaf), OWNER_ONLY)
}

/// What a file holds: readers of PEM skip the text before the first section.
fn text_of(kept: &Kept) -> String {
    format!("ends {}\nnames {}\n{}", kept.ends, kept.names, kept.pem)
}

fn kept_of(text: &str) -> Option<Kept> {
    let (ends, rest) = text.strip_prefix("ends ")?.split_once('\n')?;
    let (names, pem) = rest.strip_prefix("names ")?.split_once('\n')?;
    Some(Kept {
        ends: ends.parse().ok()?,
        names: names.to_owned(),
        pem: pem.to_owned(),
    })
}

fn read(path: &Path) -> Option<Kept> {
    let text = fs::read_to_string(path).ok()?;
    #[cfg(unix)]
    if let Err(error) = keep_from_others(path) {
        let file = path.display();
        tracing::warn!(%file, %error, "others than its owner may read this key");
    }
    kept_of(&text)
}

/// A key that was copied here may have come with other rights.
#[cfg(unix)]
fn keep_from_others(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut permissions = fs::metadata(path)?.permissions();
    if permissions.mode() & 0o077 == 0 {
        return Ok(());
    }
    permissions.set_mode(OWNER_ONLY);
    fs::set_permissions(path, permissions)
}

/// Replaces the file at once: after a crash it holds the old text or the new one.
#[cfg_attr(not(unix), allow(unused_variables, reason = "modes are Unix's"))]
fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let new = path.with_extension("new");
    // One that is left from before keeps its rights, whoever made it.
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
            &Kept {
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
        // What a crash, another program or a copy has left there for everyone to read.
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
