//! Two Parties on one machine, as operators would set them up: certificates, configuration, `init`, `serve`.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_article6");
/// How long a daemon may take to start before the test gives up. Nothing is concluded from being faster.
const START: Duration = Duration::from_secs(60);

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
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys");
        succeed(Command::new(PROGRAM).args(["certs", "dev"]).arg(&keys));
        let [us_ports, kz_ports] = ports();
        let home = |party: &str, ports: &Ports, other: &Ports, official| {
            let home = Home {
                folder: folder.path().join(party),
                keys: keys.join(party),
                backoffice: ports.backoffice.clone(),
                operations: ports.operations.clone(),
                official,
            };
            fs::create_dir(&home.folder).unwrap();
            let counterparty = if party == "us" { "kz" } else { "us" };
            let text = configuration([party, counterparty], &home, ports, other);
            fs::write(home.configuration(), text).unwrap();
            home.init();
            home
        };
        let us = home("us", &us_ports, &kz_ports, "US-DO-0011");
        let kz = home("kz", &kz_ports, &us_ports, "KZ-DO-0007");
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
        if is_ready.recv_timeout(START).is_err() {
            panic!("the daemon does not start:\n{}", daemon.log());
        }
        daemon
    }

    fn init(&self) {
        let recovery = self.folder.join("recovery.key");
        let mut command = Command::new(PROGRAM);
        command.arg("init").arg("--config").arg(self.configuration());
        succeed(command.arg("--recovery-key").arg(recovery));
    }
}

impl Daemon {
    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
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

/// Six ports nobody listens on; all are held until all are known.
fn ports() -> [Ports; 2] {
    let listeners: Vec<_> = (0..6).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let address = |at: usize| listeners[at].local_addr().unwrap().to_string();
    [0, 3].map(|at| Ports { peer: address(at), backoffice: address(at + 1), operations: address(at + 2) })
}

fn configuration([party, counterparty]: [&str; 2], home: &Home, ports: &Ports, other: &Ports) -> String {
    let keys = home.keys.display();
    let [upper, other_upper] = [party, counterparty].map(str::to_uppercase);
    format!(
        r#"[channel]
environment = "TEST"
agreement = "US-KZ-1997"
party = "{upper}"
counterparty = "{other_upper}"

[identity]
signing_certificate = "{keys}/signing.pem"
signing_key = "{keys}/signing.key"
ledger_key = "{keys}/ledger.key"

[peer]
listen = "{peer}"
certificate = "{keys}/peer.pem"
key = "{keys}/peer.key"
authorities = ["{keys}/counterparty-tls-ca.pem"]
pins = ["{keys}/counterparty-peer.pem"]
address = "{other}"
server_name = "peer.{counterparty}.example"
signing_certificates = ["{keys}/counterparty-signing.pem"]
ledger_key = "{keys}/counterparty-ledger.pub"
retry_first = "200ms"
retry_cap = "1s"

[backoffice]
listen = "{backoffice}"
certificate = "{keys}/backoffice.pem"
key = "{keys}/backoffice.key"
authorities = ["{keys}/backoffice-ca.pem"]
revocation_list = "{keys}/backoffice-crl.pem"

[operations]
listen = "{operations}"
certificate = "{keys}/operations.pem"
key = "{keys}/operations.key"
authorities = ["{keys}/operations-ca.pem"]

[[officials]]
id = "{official}"
roles = ["DESIGNATED_OFFICIAL"]

[[clients]]
name = "backoffice"
certificate = "{keys}/client-backoffice.pem"
officials = ["*"]

[store]
dir = "store"
head_file = "head/head"
key_file = "key/store.key"

[log]
format = "json"
"#,
        peer = ports.peer,
        backoffice = ports.backoffice,
        operations = ports.operations,
        other = other.peer,
        official = home.official,
    )
}
