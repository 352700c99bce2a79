//! One case between the two sides: the United States ask, Kazakhstan is asked.

use crate::world::{Side, World, new_case, says};
use article6::backoffice::v1::{Case, CaseState, Message};
use article6::crypto::Digest;
use serde_json::{Value, json};

/// A case, and those who conduct it.
pub struct Play {
    pub name: String,
    /// The requesting side.
    pub rq: Side,
    /// The requested side.
    pub rd: Side,
}

/// The two sides of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Rq,
    Rd,
}

pub const BOTH: [By; 2] = [By::Rq, By::Rd];

impl Play {
    /// A case without any message yet.
    pub async fn new(world: &World) -> Self {
        Self { name: new_case(), rq: world.us().await, rd: world.kz().await }
    }

    /// A case that this request opens.
    pub async fn open(request: &Value) -> Self {
        let mut play = Self::new(&*World::shared().await).await;
        play.say(By::Rq, request).await;
        play
    }

    /// A case whose request for these measures has been accepted.
    pub async fn accepted(measures: Value) -> Self {
        let mut play = Self::open(&with(request(), "measures", measures)).await;
        play.say(By::Rd, &acceptance()).await;
        play
    }

    pub fn side(&mut self, by: By) -> &mut Side {
        if by == By::Rq { &mut self.rq } else { &mut self.rd }
    }

    /// One side says something; returns when both know it.
    pub async fn say(&mut self, by: By, value: &Value) -> Message {
        let name = self.name.clone();
        let said = self.side(by).says(&name, value).await;
        let other = if by == By::Rq { &mut self.rd } else { &mut self.rq };
        let knows = |case: &Case| case.history.iter().any(|step| step.message == said.name);
        other.until(&name, "the message arrives", knows).await;
        said
    }

    /// What is wrong with what one side tries to say.
    pub async fn refused(&mut self, by: By, value: &Value) -> Vec<String> {
        let name = self.name.clone();
        self.side(by).refused(&name, value).await
    }

    /// Whether a side could say something now.
    pub async fn would(&mut self, by: By, value: &Value) -> Result<(), Vec<String>> {
        let name = self.name.clone();
        self.side(by).would(&name, value).await
    }

    /// The case as a side sees it.
    pub async fn case(&mut self, by: By) -> Case {
        let name = self.name.clone();
        self.side(by).case(&name).await.expect("the case is known")
    }

    /// Both sides see the case in this state.
    pub async fn stands(&mut self, state: CaseState) {
        for by in BOTH {
            assert_eq!(self.case(by).await.state(), state, "{by:?}");
        }
    }

    /// The word of a side that the case is closed, as things stand.
    pub async fn close(&mut self, by: By) -> Value {
        let case = self.case(by).await;
        let seen = Digest::from_slice(&case.last_envelope_seen).unwrap().to_string();
        json!({"kind": "CASE_CLOSE", "last_envelope_seen": seen})
    }

    /// What is wrong with a close by each side.
    pub async fn close_refused(&mut self, code: &str) {
        for by in BOTH {
            let close = self.close(by).await;
            assert_eq!(self.refused(by, &close).await, [code], "{by:?}");
        }
    }

    /// Both sides close the case, and both see it closed.
    pub async fn closes(&mut self) {
        for by in [By::Rd, By::Rq] {
            let close = self.close(by).await;
            self.say(by, &close).await;
        }
        for by in BOTH {
            assert!(self.case(by).await.closed, "{by:?}");
        }
    }

    /// The requested side answers everything with this outcome of the measures.
    pub async fn answer(&mut self) -> Message {
        let answer = self.answered().await;
        self.say(By::Rd, &answer).await
    }

    /// A final answer that disposes of everything.
    pub async fn answered(&mut self) -> Value {
        let case = self.case(By::Rd).await;
        let results: Vec<Value> = case
            .measures
            .iter()
            .map(|it| json!({"measure_id": it.measure_id, "outcome": "EXECUTED", "text": "Done."}))
            .collect();
        let procedures: Vec<Value> = case
            .procedures
            .iter()
            .map(|it| json!({"procedure_id": it.procedure_id, "outcome": "FOLLOWED"}))
            .collect();
        json!({"kind": "RESPONSE", "type": "FINAL", "requested_ref": "KZ-1", "results": results, "procedures": procedures})
    }
}

/// A complete request on the ground of an offence.
pub fn request() -> Value {
    json!({
        "kind": "ASSISTANCE_REQUEST",
        "requesting_ref": "US-1",
        "ground": ["OFFENCE"],
        "authority": {"service": "Customs", "originating_office": "Office 4", "designated_official_id": "US-DO-0011",
            "contact_phone": "+1 202 555 0111"},
        "proceedings": {"natures": ["INVESTIGATIVE"], "stage": "PRE_PENALTY"},
        "object": "The declared value of two shipments.",
        "reason": "It is a third of the usual price.",
        "parties_unknown": true,
        "description": "Two shipments were entered at a low value.",
        "legal_elements": [{"jurisdiction": "US", "citation": "19 U.S.C. 1592", "summary": "False statements on entry."}],
        "flow": ["IMPORT"],
        "offences": [{"kind": "UNDERVALUATION"}],
        "measures": [measure("M1", "GATHER_INFORMATION", "7.2")]
    })
}

/// A complete request on the ground of duties and taxes alone.
pub fn assessment() -> Value {
    let request = without(request(), "offences");
    with(request, "ground", json!(["ASSESSMENT"]))
}

/// A complete request for technical cooperation.
pub fn cooperation() -> Value {
    let mut request = without(without(request(), "offences"), "flow");
    request["ground"] = json!(["TECHNICAL_COOPERATION"]);
    request["proceedings"] = json!({"natures": ["NONE"]});
    request["measures"] = json!([{"measure_id": "M1", "kind": "TECHNICAL_COOPERATION", "article": "2.4(a)",
        "tc_kind": "A_TRAINING", "text": "A course."}]);
    request
}

pub fn measure(id: &str, kind: &str, article: &str) -> Value {
    json!({"measure_id": id, "kind": kind, "article": article, "text": "Please."})
}

pub fn acceptance() -> Value {
    json!({"kind": "ACCEPTANCE_NOTICE", "requested_ref": "KZ-1", "contact_official_id": "KZ-DO-0007"})
}

pub fn conditions(version: u32, kind: &str) -> Value {
    json!({"kind": "CONDITIONS_NOTICE", "version": version, "grounds": ["SECURITY"], "reasons": "Security.",
        "conditions": [{"condition_id": "C1", "kind": kind, "text": "As agreed."}]})
}

pub fn conditions_reply(version: u32, reply: &str) -> Value {
    json!({"kind": "CONDITIONS_REPLY", "version": version, "reply": reply, "text": "We have considered it."})
}

pub fn withdrawal() -> Value {
    json!({"kind": "WITHDRAWAL_NOTICE", "reason": "Settled otherwise."})
}

pub fn refusal(ground: &str, reasons: &str) -> Value {
    json!({"kind": "NON_EXECUTION_NOTICE", "grounds": [ground], "reasons": reasons, "decided_at": "2026-07-01T00:00:00Z"})
}

/// The same with another value of a field.
pub fn with(mut message: Value, field: &str, value: Value) -> Value {
    message[field] = value;
    message
}

/// The same without a field.
pub fn without(mut message: Value, field: &str) -> Value {
    message.as_object_mut().expect("an object").remove(field);
    message
}

/// The digest by which a message is an item.
pub fn item(message: &Message) -> String {
    Digest::from_slice(&message.envelope_digest).unwrap().to_string()
}

/// Opens a case of its own with this request at the sender; what is wrong with it.
pub async fn request_refused(request: &Value) -> Vec<String> {
    World::shared().await.us().await.refused(&new_case(), request).await
}

/// The request arrives at the other side, which may decide on it.
pub async fn request_delivered(request: &Value) -> Play {
    says(request);
    let mut play = Play::open(request).await;
    play.stands(CaseState::Submitted).await;
    play
}
