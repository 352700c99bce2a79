//! Who talks to whom, under which agreement.

use crate::ledger::Cosigner;
use crate::ledger::note::Vkey;
use crate::wire::channel::v1::Environment;

/// The terms both daemons are configured with; each names itself first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Real traffic or test.
    pub environment: Environment,
    /// The agreement.
    pub agreement: String,
    /// The Party this daemon serves (ISO 3166-1 alpha-2).
    pub party: String,
    /// The other Party.
    pub counterparty: String,
}

impl Terms {
    /// PRODUCTION or TEST.
    pub fn environment_name(&self) -> &'static str {
        match self.environment {
            Environment::Production => "PRODUCTION",
            Environment::Test | Environment::Unspecified => "TEST",
        }
    }

    /// Origin of this Party's ledger in an epoch (C2SP tlog-checkpoint); also the name of its key.
    pub fn origin(&self, epoch: u32) -> String {
        self.origin_of(&self.party, epoch)
    }

    /// Origin of the other Party's ledger in an epoch.
    pub fn peer_origin(&self, epoch: u32) -> String {
        self.origin_of(&self.counterparty, epoch)
    }

    /// Verifier key of this Party's ledger in an epoch (C2SP signed-note).
    pub fn vkey(&self, epoch: u32, public: [u8; 32]) -> Vkey {
        Vkey::of(&self.origin(epoch), public)
    }

    /// Verifier key of the other Party's ledger in an epoch.
    pub fn peer_vkey(&self, epoch: u32, public: [u8; 32]) -> Vkey {
        Vkey::of(&self.peer_origin(epoch), public)
    }

    /// This Party as the cosigner of the other Party's ledger, in an epoch (C2SP tlog-cosignature).
    pub fn cosigner(&self, epoch: u32, public: [u8; 32]) -> Cosigner {
        Cosigner::of(&self.origin(epoch), public)
    }

    /// The other Party as the cosigner of this ledger, in an epoch.
    pub fn peer_cosigner(&self, epoch: u32, public: [u8; 32]) -> Cosigner {
        Cosigner::of(&self.peer_origin(epoch), public)
    }

    /// The epoch that an origin of a Party's ledger names; `None` for any other text.
    pub fn epoch_in(&self, origin: &str, party: &str) -> Option<u32> {
        let epoch = origin.rsplit_once('/')?.1.parse().ok()?;
        (epoch > 0 && self.origin_of(party, epoch) == origin).then_some(epoch)
    }

    /// Origin of a Party's ledger in an epoch.
    pub fn origin_of(&self, party: &str, epoch: u32) -> String {
        format!("article6/{}/{}/{party}/{epoch}", self.environment_name(), self.agreement)
    }
}
