//! Whose store it is, and what opens it.

use super::content::Contents;
use super::report::{Findings, VerifyError, at};
use super::{Place, Trust};
use crate::channel::terms::Terms;
use crate::disk::{Disk, DiskFile};
use crate::journal::StoreId;
use crate::journal::identity::{Identity, IdentityError};
use crate::journal::segment::{self, HEADER_BYTES, Header, HeaderError};
use crate::vault::{Vault, VaultError};
use crate::wire::channel::v1::Environment;
use std::path::Path;
use std::sync::Arc;

/// Whose store it says it is.
pub(super) fn terms(identity: &Identity) -> Terms {
    Terms {
        environment: match identity.environment.as_str() {
            "PRODUCTION" => Environment::Production,
            _ => Environment::Test,
        },
        agreement: identity.agreement.clone(),
        party: identity.party.clone(),
        counterparty: identity.counterparty.clone(),
    }
}

/// The store that the first readable segment says it belongs to.
pub(super) fn first_store(disk: &dyn Disk, place: &Place, numbers: &[u64]) -> Result<StoreId, VerifyError> {
    for number in numbers {
        let path = segment::path(&place.data.join("journal"), *number);
        let file = disk.open(&path).map_err(at(&path))?;
        if let Ok(header) = read_header(file.as_ref(), &path)? {
            return Ok(header.store);
        }
    }
    Ok(StoreId([0; 16]))
}

/// Reads a segment's header.
pub(super) fn read_header(
    file: &dyn DiskFile,
    path: &Path,
) -> Result<Result<Header, HeaderError>, VerifyError> {
    let mut bytes = [0; HEADER_BYTES];
    file.read_at(&mut bytes, 0).map_err(at(path))?;
    match Header::decode(&bytes) {
        Err(HeaderError::Newer(_)) => Err(VerifyError::Newer(path.to_owned())),
        read => Ok(read),
    }
}

/// Opens the content, if there are keys and they fit.
pub(super) fn open_contents<'a>(
    disk: &Arc<dyn Disk>,
    place: &Place,
    trust: &'a Trust,
    identity: Option<&Identity>,
    store: StoreId,
    findings: &mut Findings,
) -> Result<Option<Contents<'a>>, VerifyError> {
    let Some(keys) = &trust.keys else {
        findings.note("the content was not opened: give the store's configuration with --config");
        return Ok(None);
    };
    let Terms { agreement, party, counterparty, .. } = &keys.terms;
    let expected =
        |identity: &Identity| identity.expect(keys.terms.environment_name(), agreement, party, counterparty);
    if let Some(Err(IdentityError::Foreign { found, expected })) = identity.map(expected) {
        return Err(VerifyError::Foreign { found, expected });
    }
    match Vault::open(disk.clone(), &place.data, store.0, keys.store_key.clone()) {
        Ok(vault) => Ok(Some(Contents::new(keys, Arc::new(vault)))),
        // Without the store's identifier nothing opens; that the file STORE is damaged is reported.
        Err(VaultError::WrongKey(_)) if identity.is_some() => Err(VerifyError::WrongKey),
        Err(VaultError::Io(path, error)) => Err(VerifyError::Io(path, error)),
        Err(_) => {
            findings.note("the content was not opened: the key that opens it is missing or damaged");
            Ok(None)
        }
    }
}
