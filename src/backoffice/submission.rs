//! From a request to a message that is ready to be sealed.
//!
//! [`prepare`] checks what can be said of the message alone; [`judge`] whether it fits its case, between that and the
//! sealing.

use super::caller::Caller;
use super::token;
use super::v1::Submission;
use super::{Office, Release, refusals};
use crate::channel::envelope::Draft;
use crate::channel::state::State;
use crate::channel::terms::Terms;
use crate::crypto::digest::commitment;
use crate::crypto::random;
use crate::door::Refusal;
use crate::door::strict::invalid;
use crate::exchange::cases::{CaseFile, touches_case};
use crate::exchange::event::derive_message_id;
use crate::exchange::submit::Outgoing;
use crate::limits::BODY_BYTES_MAX;
use crate::rules::Violation;
use crate::treaty::case::{Party, lacks};
use crate::treaty::{self, Body, Effect};
use crate::wire::assistance::v1::body::Content;
use crate::wire::channel::v1::StatementType;
use bytes::Bytes;
use prost::Message as _;
use tonic::Code;

/// A message that is ready to be judged and sealed.
#[derive(Debug)]
pub struct Prepared {
    /// The message.
    pub outgoing: Outgoing,
    /// Its body, typed.
    pub body: Body,
    effect: Effect,
}

/// Checks a submission and makes it ready. Nothing is stored.
pub fn prepare(
    office: &Office,
    caller: &Caller,
    request_id: &str,
    submission: Submission,
) -> Result<Prepared, Refusal> {
    expect_channel(office, &submission)?;
    let releasing = &submission.releasing_official;
    if !releasing.is_empty() && !office.callers.now().has_official(releasing) {
        return Err(refusals::field(
            "submission.releasing_official",
            "OFFICIAL_UNKNOWN",
            "who released the message must be one of the officials of this daemon's configuration",
        ));
    }
    let case_id = token::case_id("submission.case", &submission.case)?;
    let in_reply_to = match submission.in_reply_to.as_str() {
        "" => None,
        name => Some(token::message_id("submission.in_reply_to", name)?),
    };
    // The one encoding of the body: these bytes are committed to, stored and sent.
    let body = Bytes::from(submission.body.unwrap_or_default().encode_to_vec());
    if body.len() > BODY_BYTES_MAX {
        return Err(refusals::field(
            "submission.body",
            "BODY_TOO_LARGE",
            "a body has at most 256 KiB; longer texts are documents",
        ));
    }
    let (kind, typed) = treaty::check_body(&body).map_err(|mut violations| {
        for violation in &mut violations {
            violation.field = format!("submission.body.{}", violation.field);
        }
        Refusal { reason: "BODY_INVALID", ..invalid(&violations) }
    })?;
    let body_salt = random::array::<32>().map_err(|_| refusals::no_randomness())?;
    let draft = Draft {
        statement_type: StatementType::Treaty,
        message_id: derive_message_id(&office.engine.core().terms, &caller.client, request_id),
        case_id,
        kind: u32::try_from(i32::from(kind)).unwrap_or(0),
        in_reply_to,
        acting_official: caller.official.clone(),
        releasing_official: submission.releasing_official,
        language: submission.language,
        body_commitment: commitment(&body_salt, &body),
        directives: None,
        documents: Vec::new(),
    };
    let effect = treaty::effect(&typed);
    let outgoing = Outgoing {
        draft,
        body,
        body_salt,
        effect: effect.encode_to_vec().into(),
        touches_case: touches_case(&effect),
        releases: None,
    };
    Ok(Prepared { outgoing, body: typed, effect })
}

impl Prepared {
    /// Whether the message fits its case as it is.
    ///
    /// # Errors
    /// Why it would be without effect, or what it lacks in view of its case.
    pub fn judge(&self, terms: &Terms, file: &CaseFile, state: &State) -> Result<(), Refusal> {
        if let Some(code) = crossed(terms, file, state, &self.effect) {
            return Err(refusals::crossed(code, format!("submission.body.{}", member(&self.effect))));
        }
        let mut lacking = lacking(terms, file, &self.body);
        if lacking.is_empty() {
            return Ok(());
        }
        for violation in &mut lacking {
            violation.field = format!("submission.body.{}", violation.field);
        }
        let refusal = invalid(&lacking);
        // Only the supplier asks for confidentiality and lifts it (Article 3.2).
        let others = matches!(self.body.content, Some(Content::ConfidentialityNotice(_)))
            && lacking.iter().any(|it| it.code == treaty::Code::NotSupplied.name());
        let code = if others { Code::PermissionDenied } else { refusal.code };
        Err(Refusal { reason: "BODY_INVALID", code, ..refusal })
    }

    /// Whether it may be sent without a review (four eyes).
    ///
    /// # Errors
    /// Why another official must release it.
    pub fn may_go_alone(&self, office: &Office) -> Result<(), Refusal> {
        let draft = &self.outgoing.draft;
        let named = !draft.releasing_official.is_empty();
        if named && draft.releasing_official == draft.acting_official {
            return Err(refusals::field(
                "submission.releasing_official",
                treaty::Code::SameOfficial.name(),
                "nobody releases what he himself sends: another official must",
            ));
        }
        if named && office.release == Release::Reviewed {
            return Err(refusals::field(
                "submission.releasing_official",
                "RELEASE_BY_DRAFT",
                "who releases a message does so himself: write it as a draft (DraftService)",
            ));
        }
        if !needs_second(&self.body) || office.release == Release::Free {
            return Ok(());
        }
        if office.release == Release::Named && named {
            return Ok(());
        }
        let how = match office.release {
            Release::Named => "name the official who released it in releasing_official",
            _ => "write it as a draft, propose it, and have a RELEASING_OFFICER release it (DraftService)",
        };
        let text = format!("a second official must release what asks, binds, answers or refuses: {how}");
        Err(Refusal::new(Code::FailedPrecondition, "RELEASE_REQUIRED", text))
    }
}

/// Whether a second official must release a message, exigency aside.
pub fn needs_second(body: &Body) -> bool {
    treaty::needs_release(body) && !treaty::is_exigent(body)
}

/// Why a body would be crossed in its case as it is, or what it lacks in view of it.
pub fn judged_alone(terms: &Terms, file: &CaseFile, state: &State, body: &Body) -> Vec<Violation> {
    let effect = treaty::effect(body);
    match crossed(terms, file, state, &effect) {
        Some(code) => vec![Violation {
            code: code.name(),
            field: member(&effect),
            article: code.article(),
            description: code.explanation(),
        }],
        None => lacking(terms, file, body),
    }
}

fn crossed(terms: &Terms, file: &CaseFile, state: &State, effect: &Effect) -> Option<treaty::Code> {
    let next = file.next(terms, state, effect.clone())?;
    file.case.permits(&next).err()
}

fn lacking(terms: &Terms, file: &CaseFile, body: &Body) -> Vec<Violation> {
    let parties = [&terms.party, &terms.counterparty].map(|code| Party::from_code(code));
    let [Some(sender), Some(recipient)] = parties else { return Vec::new() };
    lacks(&file.case, sender, recipient, body)
}

fn member(effect: &Effect) -> String {
    effect.kind().as_str_name().trim_start_matches("KIND_").to_ascii_lowercase()
}

/// A caller that says which channel it means is held to it.
fn expect_channel(office: &Office, submission: &Submission) -> Result<(), Refusal> {
    let terms = &office.engine.core().terms;
    let expected = [
        ("submission.agreement_id", &submission.agreement_id, &terms.agreement, "WRONG_AGREEMENT"),
        ("submission.sender", &submission.sender, &terms.party, "WRONG_SENDER"),
        ("submission.recipient", &submission.recipient, &terms.counterparty, "WRONG_RECIPIENT"),
    ];
    for (field, given, ours, reason) in expected {
        if !given.is_empty() && given != ours {
            return Err(refusals::field(field, reason, "this daemon serves another channel"));
        }
    }
    Ok(())
}
