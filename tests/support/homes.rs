//! Two Parties on one machine, as operators would set them up: certificates, configuration, `init`, `serve`.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_article6");
/// What operators start from.
const EXAMPLE: &str = include_str!("../../deploy/article6.toml");
/// How long a daemon may take before the test gives up. Nothing is concluded from being faster.
const PATIENCE: Duration = Duration::from_secs(60);

/// Two homes, `us` and `kz`, in a folder that goes away with them.
pub struct Homes {
    folder: tempfile::TempDir,
    pub us: Home,
    pub kz: Home,
}

/// What one Party has.
pub struct Home {
    /// Configuration, keys at rest and store.
    pub folder: PathBuf,
    /// Keys and certificates, its own and its clients'.
    pub keys: PathBuf,
    /// Where its back-office door is.
    pub backoffice: String,
    /// Where its operations door is.
    pub operations: String,
    /// An official its client acts for.
    pub official: &'static str,
}

/// A daemon that is killed when it goes out of scope.
pub struct Daemon {
    child: Child,
    log: Arc<Mutex<String>>,
}

struct Ports {
    peer: String,
    backoffice: String,
    operations: String,
}

impl Homes {
    /// Certificates, configurations and stores; nothing runs yet.
    pub fn new() -> Self {
        Self::with_certificates(&[])
    }

    /// The same, with more words for `certs dev`.
    pub fn with_certificates(words: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys");
        succeed(Command::new(PROGRAM).args(["certs", "dev"]).arg(&keys).args(words));
        let [us_ports, kz_ports] = ports();
        let home = |party: &str, ports: Ports, configuration: String, official| {
            let home = folder.path().join(party);
            fs::create_dir(&home).unwrap();
            fs::rename(keys.join(party), home.join("keys")).unwrap();
            fs::write(home.join("article6.toml"), configuration).unwrap();
            let Ports { backoffice, operations, .. } = ports;
            let home = Home { keys: home.join("keys"), folder: home, backoffice, operations, official };
            home.init();
            home
        };
        let us_configuration = configuration(&us_ports, &kz_ports);
        let kz_configuration = mirrored(&configuration(&kz_ports, &us_ports));
        let us = home("us", us_ports, us_configuration, "US-DO-0011");
        let kz = home("kz", kz_ports, kz_configuration, "KZ-DO-0011");
        Self { folder, us, kz }
    }

    /// The folder both homes are in.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Home {
    /// The configuration file.
    pub fn configuration(&self) -> PathBuf {
        self.folder.join("article6.toml")
    }

    /// Starts the daemon and waits until its doors are open.
    pub fn serve(&self) -> Daemon {
        let mut child = Command::new(PROGRAM)
            .arg("serve")
            .arg("--config")
            .arg(self.configuration())
            .env("ARTICLE6__LOG__FORMAT", "json")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (ready, is_ready) = mpsc::channel();
        let log = Arc::new(Mutex::new(String::new()));
        let stderr = child.stderr.take().unwrap();
        std::thread::spawn({
            let log = log.clone();
            move || keep(stderr, &log, &ready)
        });
        let daemon = Daemon { child, log };
        if is_ready.recv_timeout(PATIENCE).is_err() {
            panic!("the daemon does not start:\n{}", daemon.log());
        }
        daemon
    }

    fn init(&self) {
        let configuration = self.configuration();
        succeed(Command::new(PROGRAM).args(["config", "check", "--config"]).arg(&configuration));
        let recovery = self.folder.join("recovery.key");
        let mut command = Command::new(PROGRAM);
        command.args(["init", "--config"]).arg(&configuration);
        succeed(command.arg("--recovery-key").arg(recovery));
    }
}

impl Daemon {
    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Sends a signal, such as "HUP".
    pub fn signal(&self, name: &str) {
        succeed(Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child.id())]));
    }

    /// Waits until the log has a line with this text.
    pub fn wait_for(&self, text: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.log().contains(text) {
            assert!(Instant::now() < end, "{text} is not logged:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the daemon has ended by itself.
    pub fn ended(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command that must succeed and returns what it printed.
pub fn succeed(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{out}{err}", output.status);
    out.into_owned()
}

/// Keeps the log; tells once when the daemon says that it is ready.
fn keep(stderr: impl Read, log: &Mutex<String>, ready: &mpsc::Sender<()>) {
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        if line.contains(r#""message":"ready""#) {
            let _ = ready.send(());
        }
        let _ = writeln!(log.lock().unwrap(), "{line}");
    }
}

/// Six ports nobody listens on, below those the system gives to outgoing connections. No port is given twice.
fn ports() -> [Ports; 2] {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 12_000 + u16::try_from(std::process::id() % 400).unwrap() * 50;
    let address = || loop {
        let address = format!("127.0.0.1:{}", first + NEXT.fetch_add(1, Ordering::Relaxed) % 800);
        if TcpListener::bind(&address).is_ok() {
            return address;
        }
    };
    [(); 2].map(|()| Ports { peer: address(), backoffice: address(), operations: address() })
}

/// The example that operators start from, on this machine's ports.
fn configuration(ports: &Ports, other: &Ports) -> String {
    let mut text = EXAMPLE.to_owned();
    for (example, ours) in [
        (r#""127.0.0.1:7601""#, &ports.peer),
        (r#""peer.kz.example:7601""#, &other.peer),
        (r#""127.0.0.1:7602""#, &ports.backoffice),
        (r#""127.0.0.1:7603""#, &ports.operations),
    ] {
        assert_eq!(text.matches(example).count(), 1, "{example}");
        text = text.replace(example, &format!("{ours:?}"));
    }
    text
}

/// As the other Party would write it.
fn mirrored(text: &str) -> String {
    let swap = |line: &str| match line.split_once(" = ") {
        Some(("agreement", _)) => line.to_owned(),
        _ => line.replace("US", "??").replace("KZ", "US").replace("??", "KZ").replace("peer.kz", "peer.us"),
    };
    text.lines().map(|line| swap(line) + "\n").collect()
}
