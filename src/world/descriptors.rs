//! The limit of open file descriptors of this process.
//!
//! Sockets and the files of the store share this limit. A process that has reached the limit cannot
//! open a new generation of the store. Therefore the program raises the limit at its start, and
//! derives the maximum number of connections from the limit.

#[cfg(unix)]
mod system {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    /// The greatest limit that macOS accepts, even if the hard limit is infinite. macOS calls this
    /// number `OPEN_MAX`.
    const OPEN_MAX: u64 = 10_240;

    /// Returns the number of file descriptors that this process may have open, or `None` if there
    /// is no limit.
    pub(crate) fn descriptor_limit() -> Option<u64> {
        getrlimit(Resource::Nofile).current
    }

    /// Raises the soft limit of file descriptors to `wanted`, or to the greatest number that the
    /// hard limit and the operating system permit.
    pub fn raise_descriptor_limit(wanted: u64) {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        for wanted in [wanted, OPEN_MAX] {
            let wanted = maximum.map_or(wanted, |maximum| wanted.min(maximum));
            if current.is_none_or(|current| current >= wanted) {
                return;
            }
            let limit = Rlimit {
                current: Some(wanted),
                maximum,
            };
            if setrlimit(Resource::Nofile, limit).is_ok() {
                tracing::debug!(
                    from = current,
                    to = wanted,
                    "raised the limit of open files"
                );
                return;
            }
        }
    }
}

#[cfg(not(unix))]
mod system {
    /// Returns `None`, because this operating system does not limit file descriptors.
    pub fn descriptor_limit() -> Option<u64> {
        None
    }

    /// Does nothing, because this operating system does not limit file descriptors.
    pub fn raise_descriptor_limit(_wanted: u64) {}
}

pub(crate) use system::descriptor_limit;
pub use system::raise_descriptor_limit;
