use super::*;
use std::fs;

/// The example that operators start from, with keys beside it.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("certs-dev/us");
        fs::create_dir(folder.path().join("keys")).unwrap();
        for file in fs::read_dir(keys).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), folder.path().join("keys").join(file.file_name())).unwrap();
        }
        Self(folder)
    }

    /// Keys of the mistakes there are after these changes, each once.
    fn mistakes(&self, changes: &[(&str, &str)]) -> Vec<String> {
        let mut text = include_str!("../../deploy/article6.toml").to_owned();
        for (from, to) in changes {
            assert!(text.contains(from), "{from}");
            text = text.replacen(from, to, 1);
        }
        let path = self.0.path().join("article6.toml");
        fs::write(&path, text).unwrap();
        let mut keys: Vec<_> = match check(&path, Some(SystemTime::now())) {
            Ok(_) => Vec::new(),
            Err(mistakes) => mistakes.into_iter().map(|mistake| mistake.key).collect(),
        };
        keys.dedup();
        keys
    }

    fn key(&self, name: &str) -> PathBuf {
        self.0.path().join("keys").join(name)
    }
}

#[test]
fn the_example_is_sound() {
    assert_eq!(Home::new().mistakes(&[]), [""; 0]);
}

/// An operator mends them all in one go.
#[test]
fn mistakes_of_values_and_of_files_are_told_together() {
    let home = Home::new();
    for broken in ["signing.key", "ledger.key", "peer.key", "backoffice-crl.pem", "operations-ca.pem"] {
        fs::write(home.key(broken), "nothing").unwrap();
    }
    fs::remove_file(home.key("counterparty-ledger.pub")).unwrap();
    fs::copy(home.key("client-second.key"), home.key("backoffice.key")).unwrap();
    let found = home.mistakes(&[
        ("counterparty = \"KZ\"", "counterparty = \"Kazakhstan\""),
        ("listen = \"127.0.0.1:7603\"", "listen = \"nowhere\""),
        ("level = \"info\"", "level = \"inof\""),
        ("[store]\ndir", "[stores]\ndir"),
    ]);
    for key in [
        "backoffice.key",
        "backoffice.revocation_list",
        "channel.counterparty",
        "identity.ledger_key",
        "identity.signing_key",
        "log.level",
        "operations.authorities",
        "operations.listen",
        "peer.key",
        "peer.ledger_key",
        "store.dir",
        "stores",
    ] {
        assert!(found.iter().any(|found| found == key), "{key} is not among {found:?}");
    }
}

#[test]
fn nothing_is_named_twice() {
    let home = Home::new();
    let second = "[[clients]]\nname = \"backoffice\"\ncertificate = \"keys/client-backoffice.pem\"\nofficials = [\"*\"]\n";
    let official = "[[officials]]\nid = \"US-DO-0011\"\nroles = [\"AUDITOR\"]\n";
    let found = home.mistakes(&[
        ("# To operations staff.", &format!("{second}{official}")),
        ("listen = \"127.0.0.1:7603\"", "listen = \"0.0.0.0:7601\""),
    ]);
    assert_eq!(found, ["clients[1].certificate", "clients[1].name", "officials[2].id", "operations.listen"]);
}

#[test]
fn an_official_has_a_role_and_a_client_an_official_that_is_there() {
    let home = Home::new();
    let found = home.mistakes(&[
        ("roles = [\"DESIGNATED_OFFICIAL\"]", "roles = []"),
        ("roles = [\"RELEASING_OFFICER\"]", "roles = [\"BOSS\"]"),
        ("officials = [\"*\"]", "officials = [\"US-DO-0012\"]"),
    ]);
    assert_eq!(found, ["clients[0].officials", "officials[0].roles", "officials[1].roles"]);
}

#[test]
fn production_takes_no_development_certificate_and_asks_for_a_revocation_list() {
    let home = Home::new();
    let found = home.mistakes(&[
        ("environment = \"TEST\"", "environment = \"PRODUCTION\""),
        ("revocation_list =", "# revocation_list ="),
    ]);
    for key in ["peer.pins", "peer.certificate", "clients[0].certificate", "backoffice.revocation_list"] {
        assert!(found.iter().any(|found| found == key), "{key} is not among {found:?}");
    }
}

#[test]
fn an_expired_certificate_is_a_mistake_before_the_start_and_none_at_it() {
    let home = Home::new();
    assert_eq!(home.mistakes(&[]), [""; 0]);
    let path = home.0.path().join("article6.toml");
    let later = SystemTime::now() + Duration::from_secs(40 * 366 * 24 * 60 * 60);
    let keys: Vec<_> =
        check(&path, Some(later)).unwrap_err().into_iter().map(|mistake| mistake.key).collect();
    assert_eq!(
        keys,
        [
            "backoffice.certificate",
            "identity.signing_certificate",
            "operations.certificate",
            "peer.certificate"
        ]
    );
    assert!(check(&path, None).is_ok());
}

#[test]
fn a_level_is_no_misspelt_word() {
    for good in ["info", "OFF", "warn,article6=debug", "article6::peer=trace"] {
        assert!(values::log_level(good).is_ok(), "{good}");
    }
    for bad in ["", "inof", "info,", "article6=loud", "loud"] {
        assert!(values::log_level(bad).is_err(), "{bad}");
    }
}
