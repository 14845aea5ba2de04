//! The limit of open file descriptors of this process.
//!
//! Sockets and the files of the store share it. At the limit a new generation cannot be opened, so
//! the program raises it at its start and bounds the connections by it.

#[cfg(unix)]
mod system {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    /// macOS refuses limits beyond this one (`OPEN_MAX`), even where the hard limit is infinite.
    const OPEN_MAX: u64 = 10_240;

    /// The number of descriptors that this process may have open. None when there is no limit.
    pub(crate) fn descriptor_limit() -> Option<u64> {
        getrlimit(Resource::Nofile).current
    }

    /// Raises the soft limit to `wanted`, or as far as the hard limit and the system permit.
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
    /// This system has no such limit.
    pub fn descriptor_limit() -> Option<u64> {
        None
    }

    /// This system has no such limit.
    pub fn raise_descriptor_limit(_wanted: u64) {}
}

pub(crate) use system::descriptor_limit;
pub use system::raise_descriptor_limit;
