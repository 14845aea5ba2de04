//! Options for channels: the destinations of their records, and the sizes of their objects.
//!
//! In the TOML file these options may stand in the tables `channels`, `channels.s3`,
//! `channels.s3tables` and `channels.schemas`.

use super::error::OptionsError;
use super::event_source::check_url;
use super::secret::Secret;
#[cfg(feature = "cli")]
use super::value;
use super::value::Switch;
use crate::limits;
use std::path::{Path, PathBuf};

/// The options for channels.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct ChannelOptions {
    /// Folder that holds the buckets of channels; each bucket is a subfolder
    #[cfg_attr(
        feature = "cli",
        arg(
            id = "channels_s3_local_dir",
            long = "channels-s3-local-dir",
            value_name = "FOLDER"
        )
    )]
    pub s3_local_dir: Option<PathBuf>,

    /// URL of an S3-compatible server that holds the buckets of channels. An https URL needs
    /// ;ca=FILE after it
    #[cfg_attr(
        feature = "cli",
        arg(
            id = "channels_s3_endpoint",
            long = "channels-s3-endpoint",
            value_name = "URL"
        )
    )]
    pub s3_endpoint: Option<String>,

    /// Access key of --channels-s3-endpoint [default: minikin]
    #[cfg_attr(
        feature = "cli",
        arg(
            id = "channels_s3_access_key_id",
            long = "channels-s3-access-key-id",
            value_name = "KEY"
        )
    )]
    pub s3_access_key_id: Option<String>,

    /// Secret key of --channels-s3-endpoint [default: minikin]. Other users of the machine can read
    /// command lines, so prefer the variable or the file
    #[cfg_attr(
        feature = "cli",
        arg(
            id = "channels_s3_secret_access_key",
            long = "channels-s3-secret-access-key",
            value_name = "SECRET"
        )
    )]
    pub s3_secret_access_key: Option<Secret>,

    /// Region of --channels-s3-endpoint [default: --region]
    #[cfg_attr(
        feature = "cli",
        arg(
            id = "channels_s3_region",
            long = "channels-s3-region",
            value_name = "REGION",
            value_parser = value::region
        )
    )]
    pub s3_region: Option<String>,

    /// Form of the URLs of --channels-s3-endpoint: on (the bucket stands in the path) or off (the
    /// bucket stands in the host name)
    #[cfg_attr(
        feature = "cli",
        arg(
            id = "channels_s3_path_style",
            long = "channels-s3-path-style",
            value_name = "SWITCH",
            default_value = "on"
        )
    )]
    pub s3_path_style: Switch,

    /// Creation of buckets that do not exist in --channels-s3-local-dir: on or off
    #[cfg_attr(
        feature = "cli",
        arg(
            id = "channels_s3_create_buckets",
            long = "channels-s3-create-buckets",
            value_name = "SWITCH",
            default_value = "on"
        )
    )]
    pub s3_create_buckets: Switch,

    /// Folder that holds the Iceberg tables of channels
    #[cfg_attr(
        feature = "cli",
        arg(
            id = "channels_s3tables_local_dir",
            long = "channels-s3tables-local-dir",
            value_name = "FOLDER"
        )
    )]
    pub s3tables_local_dir: Option<PathBuf>,

    /// The http URL of an Iceberg REST catalog that holds the tables of channels
    #[cfg_attr(
        feature = "cli",
        arg(
            id = "channels_s3tables_rest_catalog",
            long = "channels-s3tables-rest-catalog",
            value_name = "URL"
        )
    )]
    pub s3tables_rest_catalog: Option<String>,

    /// Folder that holds the JSON Schemas of channels, in files named REGISTRY/SCHEMA.json
    #[cfg_attr(
        feature = "cli",
        arg(
            id = "channels_schemas_dir",
            long = "channels-schemas-dir",
            value_name = "FOLDER"
        )
    )]
    pub schemas_dir: Option<PathBuf>,

    /// Longest time for which channels buffer records, in milliseconds; 0 selects each channel's
    /// own DataFreshnessInSeconds
    #[cfg_attr(
        feature = "cli",
        arg(
            id = "channels_flush_interval_ms",
            long = "channels-flush-interval-ms",
            value_name = "MS",
            default_value_t = 0
        )
    )]
    pub flush_interval_ms: u64,

    /// Size of an object, before compression, at which channels deliver the object: in bytes or
    /// with KiB, MiB, GiB
    #[cfg_attr(
        feature = "cli",
        arg(
            id = "channels_max_object_bytes",
            long = "channels-max-object-bytes",
            value_name = "BYTES",
            default_value = "128MiB",
            value_parser = value::bytes
        )
    )]
    pub max_object_bytes: u64,
}

impl Default for ChannelOptions {
    fn default() -> Self {
        Self {
            s3_local_dir: None,
            s3_endpoint: None,
            s3_access_key_id: None,
            s3_secret_access_key: None,
            s3_region: None,
            s3_path_style: Switch(true),
            s3_create_buckets: Switch(true),
            s3tables_local_dir: None,
            s3tables_rest_catalog: None,
            schemas_dir: None,
            flush_interval_ms: 0,
            max_object_bytes: limits::CHANNEL_OBJECT_BYTES,
        }
    }
}

impl ChannelOptions {
    /// The longest time for which a channel buffers records before it delivers them, in
    /// milliseconds. None: each channel's own DataFreshnessInSeconds.
    pub(crate) fn flush_interval(&self) -> Option<u64> {
        Some(self.flush_interval_ms).filter(|ms| *ms > 0)
    }

    /// The URL of the server that holds the buckets, and the file with its certificate authority.
    pub(crate) fn s3_server(&self) -> Option<(&str, Option<&Path>)> {
        let text = self.s3_endpoint.as_deref()?;
        Some(match text.split_once(";ca=") {
            Some((url, ca)) => (url, Some(Path::new(ca))),
            None => (text, None),
        })
    }

    /// Refuses options for channels that contradict one another.
    pub(super) fn check(&self) -> Result<(), OptionsError> {
        let refused = |text: &str| Err(OptionsError::Channels(text.to_owned()));
        if self.s3_local_dir.is_some() && self.s3_endpoint.is_some() {
            return refused("choose --channels-s3-local-dir or --channels-s3-endpoint, not both");
        }
        if self.s3tables_local_dir.is_some() && self.s3tables_rest_catalog.is_some() {
            return refused(
                "choose --channels-s3tables-local-dir or --channels-s3tables-rest-catalog, not \
                 both",
            );
        }
        if self.s3_access_key_id.is_some() != self.s3_secret_access_key.is_some() {
            return refused(
                "--channels-s3-access-key-id and --channels-s3-secret-access-key need each other",
            );
        }
        let has_endpoint_options = self.s3_access_key_id.is_some() || self.s3_region.is_some();
        if has_endpoint_options && self.s3_endpoint.is_none() {
            return refused(
                "--channels-s3-access-key-id and --channels-s3-region need --channels-s3-endpoint",
            );
        }
        self.check_urls().map_err(OptionsError::Channels)?;
        if self.max_object_bytes == 0 {
            return refused("--channels-max-object-bytes is at least 1");
        }
        Ok(())
    }

    fn check_urls(&self) -> Result<(), String> {
        if let Some((url, ca)) = self.s3_server() {
            let checked = check_url(url, ca.is_some());
            checked.map_err(|problem| format!("--channels-s3-endpoint: {problem}"))?;
        }
        if let Some(url) = &self.s3tables_rest_catalog {
            let checked = match url.starts_with("https:") {
                true => Err(format!("`{url}` is not an http:// address")),
                false => check_url(url, false),
            };
            checked.map_err(|problem| format!("--channels-s3tables-rest-catalog: {problem}"))?;
        }
        Ok(())
    }
}
