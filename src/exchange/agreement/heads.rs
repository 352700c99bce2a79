//! Whose signatures count as those of the heads of service.

use crate::channel::terms::Terms;
use crate::crypto::Certificate;
use crate::treaty::heads::{Ground, Head, is_accord_signed, is_list_signed};
use crate::wire::assistance::v1::Body;
use crate::wire::assistance::v1::body::Content;
use prost::Message as _;

/// Certificates of the heads of both services and of their delegates; none where none is configured.
#[derive(Debug, Clone, Default)]
pub struct Heads {
    /// This Party's.
    pub own: Vec<Certificate>,
    /// The other Party's.
    pub peer: Vec<Certificate>,
}

impl Heads {
    /// Whether a body of `sender` bears the signatures of the heads that it needs: a list of officials that of the sender's
    /// head, an accord those of both. False for every other body.
    pub fn signed(&self, terms: &Terms, sender: &str, body: &[u8]) -> bool {
        let ground = Ground { environment: terms.environment_name(), agreement: &terms.agreement };
        let own = Head { party: &terms.party, certificates: &self.own };
        let peer = Head { party: &terms.counterparty, certificates: &self.peer };
        match Body::decode(body).ok().and_then(|body| body.content) {
            Some(Content::DesignationNotice(list)) => {
                is_list_signed(ground, if sender == terms.party { own } else { peer }, &list)
            }
            Some(Content::Accord(accord)) => is_accord_signed(ground, [own, peer], &accord),
            _ => false,
        }
    }
}
