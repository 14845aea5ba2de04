//! A file system for one test, on a loop device. Only the superuser can create it, and not in every
//! container.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Number of attempts to unmount a disk. A killed process keeps its files open for a short time.
const TRIES: u32 = 3_000;

/// Shuts down an ext4 without a write of its journal, so that unwritten data are lost. The number
/// is EXT4_IOC_SHUTDOWN, and its argument is EXT4_GOING_FLAGS_NOLOGFLUSH.
const CUT: &str = "
import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))
";

pub(super) struct Disk {
    home: tempfile::TempDir,
    device: String,
}

impl Disk {
    /// Creates a file system of this size. Returns the reason if that is impossible.
    pub(super) fn new(bytes: u64) -> Result<Self, String> {
        let home = tempfile::tempdir().unwrap();
        let image = home.path().join("image");
        let file = std::fs::File::create(&image).unwrap();
        file.set_len(bytes).unwrap();
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        run("mkfs.ext4", &["-q", "-F", &text(&image)])?;
        let device = run("losetup", &["--find", "--show", &text(&image)])?;
        std::fs::create_dir(home.path().join("mount")).unwrap();
        let disk = Self {
            home,
            device: device.trim().to_owned(),
        };
        disk.mount()?;
        Ok(disk)
    }

    fn mount(&self) -> Result<(), String> {
        let options = ["-o", "errors=remount-ro", &self.device, &self.root()];
        run("mount", &options).map(drop)
    }

    fn root(&self) -> String {
        self.home.path().join("mount").to_str().unwrap().to_owned()
    }

    /// A path in the file system.
    pub(super) fn folder(&self, name: &str) -> PathBuf {
        Path::new(&self.root()).join(name)
    }

    /// Cuts off all writes, as a power cut does.
    pub(super) fn cut_power(&self) {
        run("python3", &["-c", CUT, &self.root()]).unwrap();
    }

    /// Makes the file system read-only, as the kernel does when it finds an error.
    pub(super) fn turn_read_only(&self) {
        let name = self.device.trim_start_matches("/dev/");
        std::fs::write(format!("/sys/fs/ext4/{name}/trigger_fs_error"), "test").unwrap();
    }

    /// Unmounts and mounts the file system.
    pub(super) fn mount_again(&self) {
        let mut tries = 1..TRIES;
        while let Err(reason) = run("umount", &[&self.root()]) {
            assert!(tries.next().is_some(), "{reason}");
        }
        self.mount().unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Unmount lazily, because a failed test may have left a process that uses the file system.
        let unmounted = run("umount", &["--lazy", &self.root()]);
        let detached = run("losetup", &["--detach", &self.device]);
        for problem in [unmounted, detached].into_iter().filter_map(Result::err) {
            eprintln!("{problem}");
        }
    }
}

/// Runs a command and returns its output.
fn run(command: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(command).args(arguments).output();
    let output = output.map_err(|error| format!("{command}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("{command}: {said}")),
    }
}
