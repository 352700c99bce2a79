//! From a folded case to what a caller sees of it.

use super::token::{case_name, message_name};
use super::v1::{self, CaseEffect, CaseState, CaseStep, Direction};
use crate::exchange::cases::{CaseFile, Filed};
use crate::treaty::case::{Obligation, Party, Rule, Side, State, Step};
use crate::treaty::due::{Due, due};
use crate::wire::assistance::v1::AlertTargets;
use prost_types::Timestamp;

/// Most steps of a history, and most entries of the other lists: the bounds that the proto declares.
const HISTORY_MAX: usize = 10_000;
const ENTRIES_MAX: usize = 1000;

/// What a case is looked at with.
#[derive(Debug, Clone)]
pub struct Look {
    /// This Party.
    pub ours: Party,
    /// When something becomes due.
    pub targets: AlertTargets,
    /// The time of day.
    pub now: jiff::Timestamp,
}

/// A case as it is shown; with its history where it is wanted.
pub fn case(id: &[u8; 16], file: &CaseFile, look: &Look, history: bool) -> v1::Case {
    let ours = look.ours;
    let case = &file.case;
    let opened = case.state().is_some();
    let party = |side| case.party(side).filter(|_| opened).map(|party| party.to_string()).unwrap_or_default();
    let side = case.side(ours);
    let times = || file.filed.iter().map(|filed| filed.recorded_at);
    v1::Case {
        name: case_name(id),
        requesting_party: party(Side::Requesting),
        requested_party: party(Side::Requested),
        state: state(case.state()).into(),
        closed: case.is_closed(),
        waits_for_us: case.waits_for(side),
        waits_for_them: case.waits_for(side.other()),
        opened_at: times().next(),
        last_message_at: times().next_back(),
        obligations: obligations(file),
        measures: measures(file),
        procedures: case
            .procedures()
            .iter()
            .take(ENTRIES_MAX)
            .map(|(name, outcome)| v1::CaseProcedure { procedure_id: name.clone(), outcome: *outcome })
            .collect(),
        conditions_version: case.conditions_version(),
        accepted_conditions: case
            .accepted_conditions()
            .iter()
            .take(ENTRIES_MAX)
            .map(|(name, kind)| v1::AcceptedCondition { condition_id: name.clone(), kind: *kind })
            .collect(),
        closed_by: case.closed_by().filter_map(|side| case.party(side)).map(|it| it.to_string()).collect(),
        crossed_messages: u32::try_from(case.steps().iter().filter(|step| step.crossed.is_some()).count())
            .unwrap_or(u32::MAX),
        last_envelope_seen: case.last_envelope(side.other()).to_bytes(),
        due: due_dates(file, look),
        history: if history { steps(file) } else { Vec::new() },
    }
}

/// What is expected in a case, and by when.
pub fn due_dates(file: &CaseFile, look: &Look) -> Vec<v1::DueDate> {
    let recorded = |step: usize| {
        let entry = file.case.steps().get(step).map(|step| step.entry);
        let filed = entry.and_then(|entry| file.filed.get(entry));
        filed
            .and_then(|filed| jiff::Timestamp::from_second(filed.recorded_at.seconds).ok())
            .unwrap_or_default()
    };
    let wire = |at: jiff::Timestamp| Timestamp { seconds: at.as_second(), nanos: 0 };
    let shown = |due: Due| v1::DueDate {
        what: due.what.to_owned(),
        owner: file.case.party(due.owner).map(|party| party.to_string()).unwrap_or_default(),
        since: Some(wire(due.since)),
        due_at: Some(wire(due.at)),
        overdue: due.at <= look.now,
        article: due.article.to_owned(),
    };
    due(&file.case, &look.targets, recorded).into_iter().take(ENTRIES_MAX).map(shown).collect()
}

/// What a message does to its case.
pub fn effect(step: &Step) -> CaseEffect {
    CaseEffect {
        act: step.act.map(|act| act.name().to_owned()).unwrap_or_default(),
        article: step.act.map(|act| Rule::of(act).article.to_owned()).unwrap_or_default(),
        from: state(step.from).into(),
        to: state(step.to).into(),
        crossed_code: step.crossed.map(|code| code.name().to_owned()).unwrap_or_default(),
        crossed_reason: step.crossed.map(|code| code.explanation().to_owned()).unwrap_or_default(),
    }
}

fn steps(file: &CaseFile) -> Vec<CaseStep> {
    let shown = |step: &Step| {
        let (entry, filed) = file.entries.get(step.entry).zip(file.filed.get(step.entry))?;
        Some(CaseStep {
            message: message_name(&filed.message_id),
            kind: entry.effect.kind,
            effect: Some(effect(step)),
            direction: direction(filed).into(),
            acting_official: filed.acting_official.clone(),
            signed_at: Some(filed.signed_at),
            recorded_at: Some(filed.recorded_at),
        })
    };
    // The newest are what officials look for; what came before stands in ListMessages.
    let steps = file.case.steps();
    steps.get(steps.len().saturating_sub(HISTORY_MAX)..).unwrap_or(steps).iter().filter_map(shown).collect()
}

fn direction(filed: &Filed) -> Direction {
    if filed.sent { Direction::Sent } else { Direction::Received }
}

fn obligations(file: &CaseFile) -> Vec<v1::Obligation> {
    let case = &file.case;
    let opener = |since: usize| case.steps().get(since).and_then(|step| file.filed.get(step.entry));
    case.owed()
        .take(ENTRIES_MAX)
        .map(|owed| {
            let opener = opener(owed.since);
            let since: Option<Timestamp> = opener.map(|filed| filed.recorded_at);
            v1::Obligation {
                kind: owed.what.name().to_owned(),
                owner: case.party(owed.owner).map(|party| party.to_string()).unwrap_or_default(),
                since,
                opened_by: opener.map(|filed| message_name(&filed.message_id)).unwrap_or_default(),
                article: owed.what.article().to_owned(),
                request_id: match owed.what {
                    Obligation::ConsentDecision(request) => request.clone(),
                    _ => String::new(),
                },
                item: match owed.what {
                    Obligation::OriginalReturn(item) | Obligation::ReturnOrDestroy(item) => item.clone(),
                    _ => bytes::Bytes::new(),
                },
            }
        })
        .collect()
}

fn measures(file: &CaseFile) -> Vec<v1::CaseMeasure> {
    let shown = |(name, measure): (&String, &crate::treaty::case::Measure)| v1::CaseMeasure {
        measure_id: name.clone(),
        kind: measure.kind,
        document_form: measure.document_form,
        outcome: measure.outcome,
        advised: measure.advised,
    };
    file.case.measures().iter().take(ENTRIES_MAX).map(shown).collect()
}

fn state(state: Option<State>) -> CaseState {
    match state {
        None => CaseState::Unspecified,
        Some(State::Submitted) => CaseState::Submitted,
        Some(State::Clarifying) => CaseState::Clarifying,
        Some(State::Conditioned) => CaseState::Conditioned,
        Some(State::Executing) => CaseState::Executing,
        Some(State::Answered) => CaseState::Answered,
        Some(State::NotExecuted) => CaseState::NotExecuted,
        Some(State::Withdrawn) => CaseState::Withdrawn,
    }
}
