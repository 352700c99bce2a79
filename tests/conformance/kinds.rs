//! A message of every kind, as either side could write it.

use crate::play::{acceptance, conditions, conditions_reply, refusal, request, withdrawal};
use serde_json::{Value, json};

/// SHA-256 of something that neither side has.
const DIGEST: &str = "0101010101010101010101010101010101010101010101010101010101010101";
const UUID: &str = "0198f000-0000-7000-8000-0000000000aa";

/// One message of each kind, with the details that make it the most it can be. `text` stands wherever a text may stand.
pub fn all(text: &str) -> Vec<Value> {
    let result = json!([{"measure_id": "M1", "outcome": "EXECUTED", "text": text}]);
    let mut asked = request();
    asked["description"] = json!(text);
    vec![
        asked,
        json!({"kind": "ORAL_REQUEST_NOTE", "made_at": "2026-07-01T00:00:00Z", "medium": "VOICE_TELEPHONE",
            "requesting_official_id": "US-DO-0011", "receiving_official_id": "KZ-DO-0007", "noted_by_party": "US",
            "requesting_party": "US", "exigency": text, "summary": text, "measures": []}),
        json!({"kind": "CLARIFICATION_REQUEST", "missing": [{"missing_id": "Q1", "concerns": "object", "question": text}]}),
        json!({"kind": "CLARIFICATION_REPLY", "answers": [{"missing_id": "Q1", "text": text}]}),
        acceptance(),
        json!({"kind": "FORWARDING_NOTICE", "agency_name": text, "agency_country": "KZ",
            "transmitted_at": "2026-07-01T00:00:00Z"}),
        conditions(1, "USE_LIMIT"),
        conditions_reply(1, "ACCEPT"),
        json!({"kind": "ACTION_ADVICE", "measure_id": "M1", "at": "2026-07-20T04:00:00Z", "time_zone": "Asia/Almaty",
            "place": "Almaty", "contact_official_id": "KZ-DO-0007"}),
        json!({"kind": "PROGRESS_NOTICE", "text": text, "agency_notified_of_withdrawal": true}),
        json!({"kind": "RESPONSE", "type": "FINAL", "requested_ref": "X", "results": result}),
        refusal("NOT_HELD", text),
        withdrawal(),
        json!({"kind": "CUSTODY_NOTICE", "item_id": "I1", "event": "SENT", "at": "2026-07-01T00:00:00Z"}),
        json!({"kind": "COST_NOTICE", "stage": "STATEMENT", "lines": [
            {"kind": "EXPERT_FEE", "text": text, "amount": {"amount": "1.00", "currency": "USD"}}]}),
        json!({"kind": "OTHER_USE_CONSENT_REQUEST", "request_id": UUID, "item_ids": [DIGEST], "purpose": text,
            "recipient": "A court"}),
        json!({"kind": "OTHER_USE_CONSENT_DECISION", "request_id": UUID, "decision": "GRANTED", "item_ids": [DIGEST]}),
        json!({"kind": "CONFIDENTIALITY_NOTICE", "item_ids": [DIGEST], "confidential": true, "reasons": text}),
        json!({"kind": "CONSULTATION", "thread_id": UUID, "subject": text, "text": text}),
        json!({"kind": "ACCORD", "type": "DIRECTIVE", "number": 1, "title": text, "text": text,
            "effective_on": "2026-07-01", "digest": DIGEST}),
        json!({"kind": "DESIGNATION_NOTICE", "list_version": 1, "officials": [], "signature": {"party": "KZ",
            "signatory": text, "signed_at": "2026-07-01T00:00:00Z", "key_id": DIGEST, "signature": "MDA="}}),
        json!({"kind": "OUTCOME_REPORT", "outcome": "NO_USE", "text": text}),
        json!({"kind": "CASE_CLOSE", "last_envelope_seen": DIGEST}),
        json!({"kind": "SPONTANEOUS_INFORMATION", "subject": text, "text": text, "offences": [{"kind": "SMUGGLING"}]}),
    ]
}

/// The same for one kind.
pub fn of(kind: &str, text: &str) -> Value {
    all(text).into_iter().find(|it| it["kind"] == kind).expect("a kind")
}

/// An oral request of the United States, noted by who sends it.
pub fn oral_note() -> Value {
    let mut note = of("ORAL_REQUEST_NOTE", "A consignment leaves tonight.");
    note["measures"] = json!([crate::play::measure("M1", "GATHER_INFORMATION", "7.2")]);
    note
}
