//! A `minikin serve` process that the client starts and stops.

use super::function;
use minikin::internals::world::Random;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

const READY_WITHIN: Duration = Duration::from_secs(30);
const ARGUMENTS: [&str; 9] = [
    "serve",
    "--host",
    "127.0.0.1",
    "--port",
    "0",
    "--profile",
    "fast",
    "--log",
    "error",
];

/// Options of a server beside [`ARGUMENTS`].
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Settings<'a> {
    /// The folder below which the data directory is made. None: the server has no data directory.
    pub(super) data_dir: Option<&'a Path>,
    /// The address of the function that is served here.
    pub(super) function: Option<SocketAddr>,
    /// True if the server has buckets for channels, in a folder.
    pub(super) buckets: bool,
}

/// A running `minikin serve`, gone with all it wrote when this is dropped.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
    // Last, so that it goes when the process that writes there has gone.
    _folder: Folder,
}

impl Server {
    /// Starts a server and waits until it is ready.
    ///
    /// # Errors
    /// When it does not start, ends or takes too long.
    pub(super) fn start(settings: Settings<'_>) -> Result<Self, String> {
        let folder = Folder::new(settings.data_dir)?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_minikin"));
        command
            .args(ARGUMENTS)
            .env("TMPDIR", &folder.0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        if settings.data_dir.is_some() {
            command.arg("--data-dir").arg(folder.0.join("data"));
        }
        if let Some(address) = settings.function {
            let function = format!("{}=http://{address};concurrency=64", function::NAME);
            command.args(["--function", &function]);
        }
        if settings.buckets {
            let buckets = folder.0.join("buckets");
            command.arg("--channels-s3-local-dir").arg(buckets);
        }
        for (name, _) in std::env::vars_os() {
            // Options by variable are meant for another server than this.
            let name_text = name.to_string_lossy();
            if name_text.starts_with("MINIKIN_") || name_text == "INITIALIZE_STREAMS" {
                command.env_remove(name);
            }
        }
        let child = command.spawn();
        let mut server = Self {
            child: child.map_err(|error| format!("no server of our own: {error}"))?,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            _folder: folder,
        };
        server.address = server.wait_until_ready()?;
        Ok(server)
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The address that the server says it listens on.
    fn wait_until_ready(&mut self) -> Result<SocketAddr, String> {
        let out = self.child.stdout.take();
        let announced = announced(out.ok_or("the server has no stdout")?)
            .recv_timeout(READY_WITHIN)
            .map_err(|error| format!("the server did not say that it is ready: {error}"))?;
        announced.ok_or_else(|| "the server ended before it was ready".to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Killed rather than asked: nothing it holds is to be kept, and its files are ours.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads `out` to its end on a thread of its own, since a read cannot be given up, and tells the
/// first address in it once the server is ready.
fn announced(out: ChildStdout) -> Receiver<Option<SocketAddr>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut address = None;
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if let Some(text) = line.strip_prefix("Listening on ") {
                address = address.or(address_in(text));
            } else if line == "Ready." {
                let _ = sender.send(address);
            }
        }
        let _ = sender.send(None);
    });
    receiver
}

fn address_in(text: &str) -> Option<SocketAddr> {
    let text = text.trim();
    let text = text.strip_prefix("http://").unwrap_or(text);
    text.parse().ok()
}

/// The folder for all files of a server. A killed server cannot remove it.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    /// Makes a folder below `parent`, or below the system's temporary folder.
    fn new(parent: Option<&Path>) -> Result<Self, String> {
        let name = format!("minikin-bench-{:016x}", Random::system().number());
        let path = parent.map_or_else(std::env::temp_dir, Path::to_owned);
        let path = path.join(name);
        fs::create_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
