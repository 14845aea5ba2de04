//! The machine's figures of a process. Only Linux gives them in files.

use std::fs;
use std::time::Duration;

/// Linux counts processor time for programs in hundredths of a second, whatever its own tick.
const TICK: Duration = Duration::from_millis(10);
/// The fields of user and system time, counted behind the program's name.
const USER_TIME: usize = 11;
const SYSTEM_TIME: usize = 12;

/// Memory of a process, in millions of bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Memory {
    pub(super) resident_mb: f64,
    pub(super) peak_mb: f64,
}

/// The processor time that a process has used.
pub(super) fn cpu_time(pid: u32) -> Option<Duration> {
    cpu_time_in(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The memory that a process has now, and the most it had.
pub(super) fn memory(pid: u32) -> Option<Memory> {
    memory_in(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

fn cpu_time_in(stat: &str) -> Option<Duration> {
    // The name before it is in brackets and may hold blanks and brackets itself.
    let (_, behind_name) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = behind_name.split(' ').collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u32>().ok();
    TICK.checked_mul(ticks(USER_TIME)?.checked_add(ticks(SYSTEM_TIME)?)?)
}

fn memory_in(status: &str) -> Option<Memory> {
    let megabytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kibibytes: f64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kibibytes * 1024.0 / 1e6)
    };
    Some(Memory {
        resident_mb: megabytes("VmRSS:")?,
        peak_mb: megabytes("VmHWM:")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0";
        assert_eq!(cpu_time_in(stat), Some(Duration::from_secs(2)));
        assert_eq!(cpu_time_in("7 (a) S 1"), None);
    }

    #[test]
    fn memory_is_written_in_millions_of_bytes() {
        let status = "Name:\ta\nVmHWM:\t    2000 kB\nVmRSS:\t    1000 kB\n";
        let expected = Memory {
            resident_mb: 1.024,
            peak_mb: 2.048,
        };
        assert_eq!(memory_in(status), Some(expected));
        assert_eq!(memory_in("Name:\ta\n"), None);
    }
}
