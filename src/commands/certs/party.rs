//! What one Party holds: which keys and certificates there are and what their files are called.

use super::CertsError;
use super::authority::{Authority, Issued, Maker, Usage};
use super::folder::{self, Access};
use crate::crypto::{LedgerKey, keyfile};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::path::Path;

/// Names under which a machine reaches a door on itself.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// What the counterparty needs of a Party: the file of the one, and its copy with the other.
const SHARED: [(&str, &str); 4] = [
    ("tls-ca.pem", "counterparty-tls-ca.pem"),
    ("peer.pem", "counterparty-peer.pem"),
    ("signing.pem", "counterparty-signing.pem"),
    ("ledger.pub", "counterparty-ledger.pub"),
];

/// The files of one Party, in memory.
pub(super) struct Party {
    files: Vec<File>,
}

struct File {
    name: String,
    text: zeroize::Zeroizing<String>,
    access: Access,
}

impl Party {
    /// Makes every key and certificate of the Party of `maker`.
    pub fn make(maker: Maker<'_>) -> Result<Self, CertsError> {
        let mut party = Self { files: Vec::new() };
        party.add_peer(maker)?;
        party.add_signing(maker)?;
        party.add_ledger()?;
        party.add_back_office(maker)?;
        party.add_operations(maker)?;
        Ok(party)
    }

    /// Writes the Party's own files and its copies of what `counterparty` shows it into a new folder.
    pub fn write(&self, dir: &Path, counterparty: &Self) -> Result<(), CertsError> {
        folder::create(dir)?;
        for file in &self.files {
            folder::write(&dir.join(&file.name), file.text.as_bytes(), file.access)?;
        }
        for (name, copy) in SHARED {
            for file in counterparty.files.iter().filter(|file| file.name == name) {
                folder::write(&dir.join(copy), file.text.as_bytes(), Access::All)?;
            }
        }
        Ok(())
    }

    fn add_peer(&mut self, maker: Maker<'_>) -> Result<(), CertsError> {
        let authority = Authority::new(maker, "peer door authority")?;
        let [localhost, v4, v6] = LOCAL;
        let host = format!("peer.{}.example", maker.country.to_ascii_lowercase());
        let peer = authority.issue(&host, Usage::Peer, &[&host, localhost, v4, v6])?;
        self.add("tls-ca.pem", authority.certificate);
        self.add_issued("peer", peer);
        Ok(())
    }

    fn add_signing(&mut self, maker: Maker<'_>) -> Result<(), CertsError> {
        let authority = Authority::new(maker, "signing authority")?;
        let signing = authority.issue("customs service", Usage::Seal, &[])?;
        self.add("signing-ca.pem", authority.certificate);
        self.add_issued("signing", signing);
        Ok(())
    }

    fn add_ledger(&mut self) -> Result<(), CertsError> {
        let pkcs8 = keyfile::generate_ed25519()?;
        let public = LedgerKey::from_pkcs8(&pkcs8)?.public();
        self.add("ledger.pub", STANDARD.encode(public) + "\n");
        self.add_key("ledger.key", keyfile::to_pem(&pkcs8)?);
        Ok(())
    }

    fn add_back_office(&mut self, maker: Maker<'_>) -> Result<(), CertsError> {
        let authority = Authority::new(maker, "back-office door authority")?;
        let door = authority.issue("back-office door", Usage::Server, &LOCAL)?;
        let client = authority.issue("backoffice", Usage::Client, &[])?;
        let second = authority.issue("second", Usage::Client, &[])?;
        self.add("backoffice-crl.pem", authority.empty_crl()?);
        self.add("backoffice-ca.pem", authority.certificate);
        self.add_issued("backoffice", door);
        self.add_issued("client-backoffice", client);
        self.add_issued("client-second", second);
        Ok(())
    }

    fn add_operations(&mut self, maker: Maker<'_>) -> Result<(), CertsError> {
        let authority = Authority::new(maker, "operations door authority")?;
        let door = authority.issue("operations door", Usage::Server, &LOCAL)?;
        let client = authority.issue("operations", Usage::Client, &[])?;
        self.add("operations-ca.pem", authority.certificate);
        self.add_issued("operations", door);
        self.add_issued("client-operations", client);
        Ok(())
    }

    fn add_issued(&mut self, name: &str, issued: Issued) {
        self.add(&format!("{name}.pem"), issued.certificate);
        self.add_key(&format!("{name}.key"), issued.key);
    }

    fn add(&mut self, name: &str, text: String) {
        self.files.push(File { name: name.to_owned(), text: text.into(), access: Access::All });
    }

    fn add_key(&mut self, name: &str, text: zeroize::Zeroizing<String>) {
        self.files.push(File { name: name.to_owned(), text, access: Access::Owner });
    }
}
