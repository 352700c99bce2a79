//! Claims about what both Parties stated of a period.

use super::ledgers::unchanged;
use super::{Judgement, Standing, Verdict};
use crate::evidence::exported::Exported;
use crate::evidence::statement::Signed;

/// Two statements, each held against the other.
pub(super) fn of_both(standing: &Standing, one: &Signed, other: &Signed) -> Vec<Judgement> {
    let keys = [one, other].map(|it| (it.statement.party.as_str(), it.fingerprint));
    let (ours, theirs) = (&one.statement, &other.statement);
    let claim = format!(
        "{} and {}: we say the same of the time from {} to {}.",
        ours.party, theirs.party, ours.from, ours.to
    );
    let verdict = if !ours.is_about_what(theirs) {
        (Verdict::Undecidable, "the two statements are not about the same channel and period".to_owned())
    } else {
        let differences = ours.differences(theirs);
        match differences.is_empty() {
            true => (Verdict::Proven, "counts, numbers and ledgers fit each other".to_owned()),
            false => (Verdict::Refuted, differences.join(" ").trim_end_matches('.').to_owned()),
        }
    };
    let mut judgements = vec![standing.judge("STATEMENTS_AGREE", claim, &keys, verdict)];
    for (stated, by) in [(one, other), (other, one)] {
        if stated.is_countersigned(by) {
            let (whose, who) = (&stated.statement.party, &by.statement.party);
            let claim = format!("{whose}: {who} agreed to what we stated of that time.");
            let why = "it signed the same statement".to_owned();
            judgements.push(standing.judge("STATEMENT_AGREED", claim, &keys, (Verdict::Proven, why)));
        }
    }
    judgements
}

/// A statement, and the ledger that its Party shows.
pub(super) fn against(standing: &Standing, stated: &Signed, ledger: &Exported) -> Vec<Judgement> {
    let party = stated.statement.party.as_str();
    let Some(head) = stated.head().filter(|_| party == ledger.party) else { return Vec::new() };
    vec![unchanged(standing, &head, &[(party, stated.fingerprint), (party, ledger.key)], ledger)]
}
