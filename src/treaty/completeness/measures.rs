//! Measures and procedures that are asked for (Articles 2.4, 7 and 8).

use super::super::code::Code;
use super::super::findings::{Findings, Place};
use crate::wire::assistance::v1::{DocForm, Measure, MeasureKind, Procedure, TcKind};
use std::collections::HashSet;

/// Names are unique, each measure rests on its paragraph and says what that paragraph asks. Gives the names.
pub(super) fn measures<'t>(
    list: &'t [Measure],
    parties: Option<&HashSet<&str>>,
    at: &Place<'_>,
    out: &mut Findings,
) -> HashSet<&'t str> {
    for (index, it) in list.iter().enumerate() {
        measure(it, parties, &at.element("measures", index), out);
    }
    out.names(list.iter().map(|it| it.measure_id.as_str()), at, "measures", "measure_id")
}

/// Names are unique, and each procedure applies to a measure of the message (Article 7.5).
pub(super) fn procedures(
    list: &[Procedure],
    measures: Option<&HashSet<&str>>,
    at: &Place<'_>,
    out: &mut Findings,
) {
    out.names(list.iter().map(|it| it.procedure_id.as_str()), at, "procedures", "procedure_id");
    for (index, it) in list.iter().enumerate() {
        let id = it.measure_id.as_str();
        let unresolved = !id.is_empty() && measures.is_some_and(|known| !known.contains(id));
        out.add_if(unresolved, Code::ReferenceUnresolved, &at.element("procedures", index), "measure_id");
    }
}

fn measure(it: &Measure, parties: Option<&HashSet<&str>>, at: &Place<'_>, out: &mut Findings) {
    let kind = it.kind();
    out.add_if(!rests_on(kind, &it.article), Code::MeasureArticle, at, "article");
    out.references(&it.party_refs, parties, at, "party_refs");
    out.distinct(&it.official_ids, at, "official_ids");
    out.distinct(&it.languages, at, "languages");
    out.period(&it.from_date, &it.to_date, at, "to_date");
    out.text_iff(
        it.document_form() == DocForm::Original,
        &it.why_copies_insufficient,
        (Code::OriginalReasonRequired, Code::OriginalReasonUnexpected),
        at,
        "why_copies_insufficient",
    );
    let cooperation = kind == MeasureKind::TechnicalCooperation;
    let stated = it.tc_kind() != TcKind::Unspecified;
    out.add_if(cooperation && !stated, Code::TcKindRequired, at, "tc_kind");
    out.add_if(!cooperation && stated, Code::TcKindUnexpected, at, "tc_kind");

    let nobody = it.official_ids.is_empty();
    let present = kind == MeasureKind::PresenceOfOfficials;
    out.add_if(present && nobody, Code::OfficialsRequired, at, "official_ids");
    let consulting = kind == MeasureKind::RecordsConsultation;
    out.add_if(consulting && nobody, Code::ConsultingOfficialsRequired, at, "official_ids");
}

/// Whether a kind of measure rests on `article`: one of its paragraphs, with or without a letter.
fn rests_on(kind: MeasureKind, article: &str) -> bool {
    let paragraphs: &[&str] = match kind {
        MeasureKind::Unspecified => return true,
        MeasureKind::GatherInformation => &["2.2", "7.2"],
        MeasureKind::Investigate
        | MeasureKind::QuestionExpert
        | MeasureKind::QuestionWitness
        | MeasureKind::QuestionSuspect => &["7.2"],
        MeasureKind::Verify | MeasureKind::Inspect | MeasureKind::FactFinding => &["7.3"],
        MeasureKind::PresenceOfOfficials => &["7.4"],
        MeasureKind::ProvideDocuments => &["8.1"],
        MeasureKind::WitnessAppearance => &["8.3"],
        MeasureKind::RecordsConsultation => &["8.4"],
        MeasureKind::TechnicalCooperation => &["2.4"],
    };
    paragraphs.iter().any(|paragraph| {
        article.strip_prefix(paragraph).is_some_and(|letter| letter.is_empty() || letter.starts_with('('))
    })
}
