//! Handling (Article 3) and documents (Article 8).

use super::super::code::Code;
use super::super::findings::{Findings, Place};
use crate::wire::assistance::v1::{Caveat, DocForm, Document, DocumentToFollow, Handling};
use std::collections::HashSet;

/// Bytes of the documents of one message together.
const DOCUMENTS_BYTES_MAX: u128 = 2 << 30;

/// Confidentiality has reasons; a reservation rests on it or on a condition (Articles 3.2 and 4).
/// `conditions` are the accepted conditions that the message applies.
pub(super) fn handling(it: &Handling, conditions: &[String], at: &Place<'_>, out: &mut Findings) {
    out.text_iff(
        it.confidential,
        &it.confidential_reasons,
        (Code::ConfidentialityReasonsRequired, Code::ConfidentialityReasonsUnexpected),
        at,
        "confidential_reasons",
    );
    out.distinct(&it.caveats, at, "caveats");
    out.distinct(&it.intended_purposes, at, "intended_purposes");
    for (index, caveat) in it.caveats().enumerate() {
        let place = at.element("caveats", index);
        match caveat {
            Caveat::NoDisclosureToSubject | Caveat::NoOnwardDisclosure | Caveat::SourceProtection => {
                if !it.confidential {
                    out.add(Code::CaveatNeedsConfidentiality, &place);
                }
            }
            Caveat::NotForEvidence | Caveat::ReturnOrDestroy | Caveat::PostponedUse => {
                if conditions.is_empty() {
                    out.add(Code::CaveatNeedsCondition, &place);
                }
            }
            Caveat::Unspecified => {}
        }
    }
    let source = ["", "A", "B", "C", "X"].contains(&it.source_evaluation.as_str());
    out.add_if(!source, Code::EvaluationUnknown, at, "source_evaluation");
    let information = ["", "1", "2", "3", "4"].contains(&it.information_evaluation.as_str());
    out.add_if(!information, Code::EvaluationUnknown, at, "information_evaluation");
}

/// Documents and announced items of one message: names are unique among both, translations refer to one of
/// them, an authenticated copy says how, an original is a thing (Article 8.1).
pub(super) fn documents(
    documents: &[Document],
    to_follow: &[DocumentToFollow],
    conditions: &[String],
    at: &Place<'_>,
    out: &mut Findings,
) {
    let mut known: HashSet<&str> =
        out.names(documents.iter().map(|it| it.doc_id.as_str()), at, "documents", "doc_id");
    for (index, it) in to_follow.iter().enumerate() {
        if !known.insert(&it.doc_id) {
            out.add(Code::NameRepeated, &at.element("documents_to_follow", index).field("doc_id"));
        }
    }
    let sum: u128 = documents.iter().map(|it| u128::from(it.size_bytes)).sum();
    out.add_if(sum > DOCUMENTS_BYTES_MAX, Code::DocumentsTooLarge, at, "documents");
    for (index, it) in documents.iter().enumerate() {
        document(it, &known, conditions, &at.element("documents", index), out);
    }
}

fn document(it: &Document, known: &HashSet<&str>, conditions: &[String], at: &Place<'_>, out: &mut Findings) {
    let form = it.form();
    let unauthenticated = form == DocForm::AuthenticatedCopy && it.authentication.is_none();
    out.add_if(unauthenticated, Code::AuthenticationRequired, at, "authentication");
    let has_content = it.size_bytes > 0 || !it.sha256.is_empty();
    out.add_if(form == DocForm::Original && has_content, Code::DocumentContentUnexpected, at, "form");

    let source = it.translation_of.as_str();
    let resolved = source.is_empty() || (source != it.doc_id && known.contains(source));
    out.add_if(!resolved, Code::ReferenceUnresolved, at, "translation_of");
    if let Some(own) = &it.handling {
        handling(own, conditions, &at.field("handling"), out);
    }
}
