//! What the heads of service sign, and whether they did (Articles 6.1 and 11).
//!
//! What is signed is a short text that names its subject by a digest. The digest is taken over values with their lengths,
//! never over an encoding: any tool can compute it from what a person reads.

use crate::crypto::{Certificate, Digest, cms};
use crate::wire::assistance::v1::{Accord, AlertTargets, DesignationNotice, HeadSignature, Settings};
use std::fmt::Display;
use std::time::SystemTime;

/// Under which agreement, in which environment, something is signed.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// PRODUCTION or TEST.
    pub environment: &'a str,
    /// The agreement.
    pub agreement: &'a str,
}

/// A Party with the certificates of its head of service and of his delegates.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// The Party.
    pub party: &'a str,
    /// Whose signatures are accepted.
    pub certificates: &'a [Certificate],
}

/// What a head signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A list of designated officials (Article 6.1).
    DesignationList,
    /// A directive or an interpretation (Article 11).
    Accord,
}

/// Values with their lengths, one after the other.
#[derive(Default)]
struct Preimage(Vec<u8>);

impl Preimage {
    fn put(&mut self, value: impl Display) -> &mut Self {
        let text = value.to_string();
        self.0.extend_from_slice(&(text.len() as u64).to_be_bytes());
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    fn list<T: Display>(&mut self, values: impl IntoIterator<Item = T>) -> &mut Self {
        self.put(values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(","))
    }

    fn optional<T: Display>(&mut self, value: Option<T>) -> &mut Self {
        self.list(value)
    }

    fn flag(&mut self, value: Option<bool>) -> &mut Self {
        self.optional(value.map(u8::from))
    }

    fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }
}

/// The digest of a list of designated officials.
pub fn list_digest(agreement: &str, party: &str, list: &DesignationNotice) -> Digest {
    let mut out = Preimage::default();
    out.put("article6/designation-list/1").put(agreement).put(party);
    out.put(list.list_version).put(list.officials.len());
    for it in &list.officials {
        out.put(&it.id).put(&it.name).put(&it.office).put(&it.contact).list(&it.scope);
        out.put(&it.valid_from).put(&it.valid_to);
        out.optional(it.revoked_at.map(|at| format!("{}.{:09}", at.seconds, at.nanos)));
        out.list(it.key_ids.iter().map(|id| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>()));
    }
    out.digest()
}

/// The digest of an accord.
pub fn accord_digest(agreement: &str, accord: &Accord) -> Digest {
    let mut out = Preimage::default();
    out.put("article6/accord/1").put(agreement).put(accord.r#type).put(accord.number);
    out.put(accord.supersedes).put(&accord.title).put(&accord.text).put(&accord.effective_on);
    out.put(u8::from(accord.settings.is_some()));
    if let Some(settings) = &accord.settings {
        put_settings(&mut out, settings);
    }
    out.digest()
}

fn put_settings(out: &mut Preimage, it: &Settings) {
    out.list(&it.languages).put(&it.written_form_ref).put(it.delivered_moment);
    out.flag(it.spontaneous_information_enabled).flag(it.wind_down_completion);
    let targets = it.alert_targets.unwrap_or_default();
    let AlertTargets {
        delivery_minutes,
        acknowledgement_working_days,
        oral_confirmation_hours,
        urgent_reaction_hours,
        final_answer_days,
        non_execution_working_days,
        originals_days,
    } = targets;
    for target in [
        delivery_minutes,
        acknowledgement_working_days,
        oral_confirmation_hours,
        urgent_reaction_hours,
        final_answer_days,
        non_execution_working_days,
        originals_days,
    ] {
        out.optional(target);
    }
}

/// The bytes that a head signs.
pub fn statement(
    ground: Ground<'_>,
    party: &str,
    subject: Subject,
    digest: &Digest,
    signatory: &str,
) -> Vec<u8> {
    let subject = match subject {
        Subject::DesignationList => "DESIGNATION_LIST",
        Subject::Accord => "ACCORD",
    };
    let Ground { environment, agreement } = ground;
    format!(
        "article6/head-signature/1\n{environment}\n{agreement}\n{party}\n{subject}\n{digest}\n{signatory}\n"
    )
    .into_bytes()
}

/// Whether the head of service signed the list.
pub fn is_list_signed(ground: Ground<'_>, head: Head<'_>, list: &DesignationNotice) -> bool {
    let digest = list_digest(ground.agreement, head.party, list);
    let signed = |it| is_signed(ground, head, Subject::DesignationList, &digest, it);
    list.signature.as_ref().is_some_and(signed)
}

/// Whether both heads signed the accord, and over the digest of what it says.
pub fn is_accord_signed(ground: Ground<'_>, heads: [Head<'_>; 2], accord: &Accord) -> bool {
    // Two heads sign; more is not looked at, since each signature costs a verification.
    if accord.signatures.len() > heads.len() {
        return false;
    }
    let digest = accord_digest(ground.agreement, accord);
    accord.digest == digest.as_bytes().as_slice()
        && heads.into_iter().all(|head| {
            accord.signatures.iter().any(|it| is_signed(ground, head, Subject::Accord, &digest, it))
        })
}

fn is_signed(
    ground: Ground<'_>,
    head: Head<'_>,
    subject: Subject,
    digest: &Digest,
    it: &HeadSignature,
) -> bool {
    let content = statement(ground, head.party, subject, digest, &it.signatory);
    let claimed = it.signed_at.and_then(|at| SystemTime::try_from(at).ok());
    it.party == head.party
        && head
            .certificates
            .iter()
            .filter(|certificate| certificate.key_id().as_bytes().as_slice() == it.key_id)
            .any(|certificate| {
                cms::verify(&it.signature, certificate, &content).is_ok_and(|at| Some(at) == claimed)
            })
}
