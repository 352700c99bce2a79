//! The plays, as data: one case each, from its request to its end.
//!
//! A step says who speaks, as which official, and what: a message in the form that `send` reads, or the name of an
//! example message. Two kinds of text stand for what only the run knows: `@last` for the last envelope of the other side
//! in the case, `@NAME` for the envelope of the step of that name.

#[cfg(test)]
mod tests;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::Value;

/// The plays, in the order in which they are given.
const PLAYS: [&str; 6] = [
    include_str!("plays/01_undervaluation.json"),
    include_str!("plays/02_origin_verification.json"),
    include_str!("plays/03_narcotics_oral_request.json"),
    include_str!("plays/04_classification.json"),
    include_str!("plays/05_stolen_vehicle.json"),
    include_str!("plays/06_technical_cooperation.json"),
];

/// The example messages that steps name.
const FIXTURES: [(&str, &str); 7] = [
    ("01_undervaluation", include_str!("../../../tests/fixtures/01_undervaluation.json")),
    ("02_origin_verification", include_str!("../../../tests/fixtures/02_origin_verification.json")),
    ("03a_narcotics_oral_note", include_str!("../../../tests/fixtures/03a_narcotics_oral_note.json")),
    (
        "03b_narcotics_written_confirmation",
        include_str!("../../../tests/fixtures/03b_narcotics_written_confirmation.json"),
    ),
    (
        "04_classification_valuation_information",
        include_str!("../../../tests/fixtures/04_classification_valuation_information.json"),
    ),
    ("05_stolen_vehicle", include_str!("../../../tests/fixtures/05_stolen_vehicle.json")),
    ("06_technical_cooperation", include_str!("../../../tests/fixtures/06_technical_cooperation.json")),
];

/// What begins a text that the run fills in.
const PLACEHOLDER: char = '@';

/// One case.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Play {
    /// What it is called.
    pub title: String,
    /// Its messages, in their order.
    pub steps: Vec<Step>,
}

/// One message.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What happens.
    pub step: String,
    /// By what other steps refer to its envelope.
    #[serde(default)]
    pub name: String,
    /// The Party that speaks.
    pub from: String,
    /// The official who acts.
    pub by: String,
    /// The official who released it, where four eyes apply.
    #[serde(default)]
    pub released_by: String,
    /// The state of the case after it, at both Parties.
    pub state: String,
    #[serde(default)]
    fixture: String,
    #[serde(default)]
    says: Value,
}

/// All plays.
pub fn plays() -> anyhow::Result<Vec<Play>> {
    PLAYS.iter().map(|text| Ok(serde_json::from_str(text)?)).collect()
}

impl Play {
    /// The case that the first message opens.
    pub fn case(&self) -> anyhow::Result<String> {
        let first = self.steps.first().context("a play has steps")?.document()?;
        let case = first.get("case_id").and_then(Value::as_str);
        Ok(format!("cases/{}", case.context("a play begins with an example message")?))
    }
}

impl Step {
    /// The message as a document, with the texts that the run knows filled in.
    pub fn message(&self, known: impl Fn(&str) -> Option<String>) -> anyhow::Result<Value> {
        filled(self.document()?, &known)
    }

    fn document(&self) -> anyhow::Result<Value> {
        if self.fixture.is_empty() {
            return Ok(self.says.clone());
        }
        let found = FIXTURES.iter().find(|(name, _)| *name == self.fixture);
        let (_, text) = found.with_context(|| format!("there is no example message {}", self.fixture))?;
        Ok(serde_json::from_str(text)?)
    }
}

fn filled(value: Value, known: &impl Fn(&str) -> Option<String>) -> anyhow::Result<Value> {
    Ok(match value {
        Value::String(text) => match text.strip_prefix(PLACEHOLDER) {
            Some(name) => known(name).with_context(|| format!("nothing is called {name}"))?.into(),
            None => Value::String(text),
        },
        Value::Array(elements) => {
            Value::Array(elements.into_iter().map(|it| filled(it, known)).collect::<Result<_, _>>()?)
        }
        Value::Object(keys) => {
            let keys = keys.into_iter().map(|(key, it)| Ok((key, filled(it, known)?)));
            Value::Object(keys.collect::<anyhow::Result<_>>()?)
        }
        other => other,
    })
}
