//! Everything a TLS party works with, built at once from its files: it exists whole or not at all.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use der::Decode as _;
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ClientConfig, Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, ServerConfig, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SigningKey, SingleCertAndKey};
use rustls::version::TLS13;
use rustls::{Error, InconsistentKeys, RootCertStore};

use super::files::{Files, Read, certificates};
use super::provider::provider;
use super::settings::{RevocationPolicy, TlsError, TlsFile, TlsSettings};
use super::verify::{Clients, Rules, Servers};
use crate::crypto::keyfile::{self, KeyFileError};
use crate::crypto::{Certificate, Digest};

const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// One whole state of a TLS party.
pub(super) struct Material {
    pub settings: TlsSettings,
    pub files: Vec<(PathBuf, Digest)>,
    pub leaf: Arc<Certificate>,
    pub clients: Arc<dyn ClientCertVerifier>,
    pub server: Arc<ServerConfig>,
    pub client: Arc<ClientConfig>,
    /// `nextUpdate` of each revocation list; a list without one is never fresh.
    pub next_updates: Vec<Option<SystemTime>>,
}

/// Whom this party trusts.
struct Trust {
    clients: Arc<dyn ClientCertVerifier>,
    servers: Arc<dyn ServerCertVerifier>,
    next_updates: Vec<Option<SystemTime>>,
}

impl Material {
    /// Reads and understands every file. Blocks on the file system.
    pub fn load(settings: TlsSettings) -> Result<Self, TlsError> {
        let files = Files::read(&settings)?;
        let provider = provider(settings.hybrid);
        let (leaf, identity) = identity(&settings, &files, &provider)?;
        let trust = trust(&settings, &files, &provider)?;
        Ok(Self {
            files: files.digests(),
            leaf: Arc::new(leaf),
            server: Arc::new(server(&settings, &provider, &trust, &identity)?),
            client: Arc::new(client(provider, &trust, &identity)?),
            clients: trust.clients,
            next_updates: trust.next_updates,
            settings,
        })
    }
}

fn identity(
    settings: &TlsSettings,
    files: &Files,
    provider: &CryptoProvider,
) -> Result<(Certificate, Arc<SingleCertAndKey>), TlsError> {
    let chain = certificates(TlsFile::Chain, &files.chain)?;
    let leaf = chain.first().cloned().ok_or(TlsError::KeyMismatch)?;
    fit(settings, TlsFile::Chain, &files.chain, &leaf)?;
    let key = key(&files.key, leaf.is_development(), provider)?;
    Ok((leaf, Arc::new(SingleCertAndKey::from(pair(&chain, key)?))))
}

/// Production takes nothing that is marked as made for development.
pub(super) fn fit(
    settings: &TlsSettings,
    file: TlsFile,
    read: &Read,
    certificate: &Certificate,
) -> Result<(), TlsError> {
    if settings.production && certificate.is_development() {
        return Err(TlsError::Development { file, path: read.path.clone() });
    }
    Ok(())
}

/// The private key in a file. Version control does not keep modes, and a development key keeps nothing safe.
pub(super) fn key(
    read: &Read,
    development: bool,
    provider: &CryptoProvider,
) -> Result<Arc<dyn SigningKey>, TlsError> {
    if read.open {
        if !development {
            return Err(TlsError::OpenKey { path: read.path.clone() });
        }
        tracing::warn!(path = %read.path.display(), "development key is open to group or others");
    }
    let unusable = || TlsError::Key { path: read.path.clone() };
    let pkcs8 = keyfile::pkcs8(&read.content).map_err(|error| match error {
        KeyFileError::Sec1 => TlsError::KeyForm { path: read.path.clone(), error },
        _ => unusable(),
    })?;
    let key = PrivateKeyDer::Pkcs8(pkcs8.to_vec().into());
    provider.key_provider.load_private_key(key).map_err(|_| unusable())
}

/// A chain and the key of its leaf.
pub(super) fn pair(chain: &[Certificate], key: Arc<dyn SigningKey>) -> Result<CertifiedKey, TlsError> {
    let der = chain.iter().map(|link| CertificateDer::from(link.der().to_vec())).collect();
    let certified = CertifiedKey::new(der, key);
    match certified.keys_match() {
        Ok(()) => Ok(certified),
        Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => Err(TlsError::KeyMismatch),
        Err(error) => Err(TlsError::Configuration(error)),
    }
}

fn trust(settings: &TlsSettings, files: &Files, provider: &Arc<CryptoProvider>) -> Result<Trust, TlsError> {
    let roots = Arc::new(roots(settings, files)?);
    let (lists, next_updates) = match &files.revocation {
        Some(read) => lists(read)?,
        None => Default::default(),
    };
    let mut clients = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone())
        .with_crls(lists.iter().cloned());
    let mut servers = WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).with_crls(lists);
    if settings.revocation_policy == RevocationPolicy::Enforce {
        clients = clients.enforce_revocation_expiration();
        servers = servers.enforce_revocation_expiration();
    }
    let built = |error: rustls::server::VerifierBuilderError| {
        TlsError::Configuration(Error::General(error.to_string()))
    };
    let rules = Rules { pins: settings.pins.clone(), production: settings.production };
    Ok(Trust {
        clients: Arc::new(Clients { authority: clients.build().map_err(built)?, rules: rules.clone() }),
        servers: Arc::new(Servers { authority: servers.build().map_err(built)?, rules }),
        next_updates,
    })
}

fn roots(settings: &TlsSettings, files: &Files) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for read in &files.authorities {
        anchors(settings, read, &mut roots)?;
    }
    if roots.is_empty() { Err(TlsError::NoAuthority) } else { Ok(roots) }
}

/// Adds the authorities in a file.
pub(super) fn anchors(
    settings: &TlsSettings,
    read: &Read,
    roots: &mut RootCertStore,
) -> Result<(), TlsError> {
    for authority in certificates(TlsFile::Authority, read)? {
        fit(settings, TlsFile::Authority, read, &authority)?;
        let der = CertificateDer::from(authority.der().to_vec());
        roots.add(der).map_err(|_| TlsError::NoAuthority)?;
    }
    Ok(())
}

pub(super) type Lists = (Vec<CertificateRevocationListDer<'static>>, Vec<Option<SystemTime>>);

/// The revocation lists in a file, and when each is to be replaced.
pub(super) fn lists(read: &Read) -> Result<Lists, TlsError> {
    let damaged = || TlsError::Revocation { path: read.path.clone() };
    let mut lists = Vec::new();
    let mut next_updates = Vec::new();
    for list in CertificateRevocationListDer::pem_slice_iter(&read.content) {
        let list = list.map_err(|_| damaged())?;
        let parsed = x509_cert::crl::CertificateList::from_der(&list).map_err(|_| damaged())?;
        next_updates.push(parsed.tbs_cert_list.next_update.map(|time| time.to_system_time()));
        lists.push(list);
    }
    if lists.is_empty() { Err(damaged()) } else { Ok((lists, next_updates)) }
}

/// No tickets, no session storage: every connection shows its certificate anew, so that revocation and unpinning
/// take effect at the next one.
fn server(
    settings: &TlsSettings,
    provider: &Arc<CryptoProvider>,
    trust: &Trust,
    identity: &Arc<SingleCertAndKey>,
) -> Result<ServerConfig, TlsError> {
    let mut config = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS13])
        .map_err(TlsError::Configuration)?
        .with_client_cert_verifier(trust.clients.clone())
        .with_cert_resolver(identity.clone());
    config.alpn_protocols = vec![HTTP2.to_vec()];
    if settings.http1 {
        config.alpn_protocols.push(HTTP1.to_vec());
    }
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.max_early_data_size = 0;
    Ok(config)
}

fn client(
    provider: Arc<CryptoProvider>,
    trust: &Trust,
    identity: &Arc<SingleCertAndKey>,
) -> Result<ClientConfig, TlsError> {
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(TlsError::Configuration)?
        .dangerous()
        .with_custom_certificate_verifier(trust.servers.clone())
        .with_client_cert_resolver(identity.clone());
    config.alpn_protocols = vec![HTTP2.to_vec()];
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    Ok(config)
}
