//! The profile: where the daemon's back-office door is and who calls there.

use super::names;
use super::trouble::ClientError;
use crate::config::{Mistake, Reader, host_and_port};
use crate::door::{TlsSettings, TlsState};
use crate::rules::Format;
use crate::wire::assistance::v1::Purpose;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a client is told by its profile.
#[derive(Clone, Debug)]
pub struct Profile {
    /// `host:port` of the back-office door.
    pub address: String,
    /// The name in the door's certificate.
    pub server_name: String,
    /// The official the calls are made for (Article 6.1); empty for none.
    pub official: String,
    /// What content is read for where a command keeps it and names no purpose itself (Article 3.1).
    pub purpose: Option<Purpose>,
    /// Certificate, key and whom to trust.
    pub tls: Arc<TlsState>,
}

struct Files {
    certificate: PathBuf,
    key: PathBuf,
    authority: PathBuf,
}

impl Profile {
    /// Reads a profile and the keys and certificates it names; paths are taken from its folder.
    ///
    /// # Errors
    /// [`ClientError::Profile`] with every mistake there is.
    pub fn read(path: &Path) -> Result<Self, ClientError> {
        let mut reader = Reader::open_alone(path)
            .map_err(|mistake| ClientError::Profile(vec![Mistake { key: "profile".into(), ..mistake }]))?;
        let found = gather(&mut reader);
        if let Some(profile) = found {
            let mistakes = reader.finish();
            return if mistakes.is_empty() { Ok(profile) } else { Err(ClientError::Profile(mistakes)) };
        }
        Err(ClientError::Profile(reader.finish()))
    }

    /// The same, for another official where one is named.
    #[must_use]
    pub fn acting_for(self, official: Option<String>) -> Self {
        match official {
            Some(official) => Self { official, ..self },
            None => self,
        }
    }
}

/// An identifier as the agreement's messages have it.
///
/// # Errors
/// What is expected, in words.
pub fn identifier(text: &str) -> Result<String, String> {
    if Format::Identifier.accepts(text) {
        Ok(text.to_owned())
    } else {
        Err("1 to 40 letters, digits and the characters - _ . : are expected".to_owned())
    }
}

fn gather(reader: &mut Reader) -> Option<Profile> {
    let address = reader.required("address", host_and_port);
    let server_name = reader.required("server_name", server_name);
    let official = reader.or("official", String::new(), identifier);
    let purpose = reader.optional("purpose", names::purpose);
    let certificate = file(reader, "certificate");
    let key = file(reader, "key");
    let authority = file(reader, "authority");
    let tls = tls(reader, Files { certificate: certificate?, key: key?, authority: authority? });
    Some(Profile { address: address?, server_name: server_name?, official, purpose, tls: tls? })
}

fn server_name(text: &str) -> Result<String, String> {
    match rustls::pki_types::ServerName::try_from(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => {
            Err("a host name or an IP address is expected, as it stands in the daemon's certificate".into())
        }
    }
}

/// A file that can be opened: each one that cannot is told, not just the first.
fn file(reader: &mut Reader, name: &str) -> Option<PathBuf> {
    let path = reader.path(name)?;
    match std::fs::File::open(&path) {
        Ok(_) => Some(path),
        Err(error) => {
            reader.mistake(name, format!("{} cannot be read: {}", path.display(), error.kind()));
            None
        }
    }
}

fn tls(reader: &mut Reader, files: Files) -> Option<Arc<TlsState>> {
    let settings = TlsSettings {
        chain: files.certificate,
        key: files.key,
        authorities: vec![files.authority],
        ..TlsSettings::default()
    };
    TlsState::load(settings)
        .map_err(|error| reader.mistake("certificate, key, authority", error.to_string()))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<(String, String)> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("client.toml");
        std::fs::write(&path, text).unwrap();
        match Profile::read(&path) {
            Err(ClientError::Profile(mistakes)) => {
                mistakes.into_iter().map(|mistake| (mistake.key, mistake.what)).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let found = mistakes(
            "address = \"daemon\"\nkey = \"none.key\"\nofficial = \"a b\"\npassword = \"x\"\npurpose = \"FUN\"\n",
        );
        let keys: Vec<_> = found.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(
            keys,
            ["address", "authority", "certificate", "key", "official", "password", "purpose", "server_name"]
        );
        assert!(found[3].1.contains("none.key"), "{found:?}");
    }

    #[test]
    fn a_profile_that_is_not_there_is_one_mistake() {
        let Err(ClientError::Profile(found)) = Profile::read(Path::new("/nowhere/client.toml")) else {
            panic!()
        };
        assert_eq!((found.len(), found[0].key.as_str()), (1, "profile"));
    }

    #[test]
    fn development_certificates_make_a_profile() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("certs-dev/kz");
        let text = |key: &str| {
            format!(
                "address = \"localhost:1\"\nserver_name = \"localhost\"\nauthority = \"{0}/backoffice-ca.pem\"\n\
                 certificate = \"{0}/client-backoffice.pem\"\nkey = \"{0}/{key}\"\nofficial = \"KZ-DO-0007\"\n",
                dir.display()
            )
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("client.toml");
        std::fs::write(&path, text("client-backoffice.key")).unwrap();
        let profile = Profile::read(&path).unwrap();
        assert_eq!(profile.official, "KZ-DO-0007");
        assert_eq!(profile.acting_for(Some("KZ-DO-0002".into())).official, "KZ-DO-0002");
        let found = mistakes(&text("client-second.key"));
        assert_eq!(found[0].0, "certificate, key, authority");
        assert!(found[0].1.contains("does not belong"), "{found:?}");
    }
}
