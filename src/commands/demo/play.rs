//! Both back offices play the cases, message by message.

use super::super::client::submission_from_json;
use super::super::client::words::{kind, short};
use super::super::homes::Home;
use super::office::Office;
use super::plays::{Play, Step};
use super::steps::Steps;
use super::table::Row;
use crate::backoffice::v1::{Case, CaseEffect, Message};
use crate::crypto::Digest;
use crate::treaty;
use crate::treaty::case::{Act, Rule};
use anyhow::Context as _;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Instant;

/// Both back offices.
pub struct Stage {
    offices: [Office; 2],
}

/// What was said so far in a case.
#[derive(Default)]
struct Said {
    /// Envelopes of the steps that have a name.
    envelopes: BTreeMap<String, String>,
    /// The last message of each Party: what the other one answers.
    last: BTreeMap<String, String>,
    count: usize,
}

impl Stage {
    /// Connects to both daemons, which are up.
    pub async fn open(us: &Home, kz: &Home) -> anyhow::Result<Self> {
        Ok(Self { offices: [Office::open(us, kz).await?, Office::open(kz, us).await?] })
    }

    /// Plays all cases to their end. What has happened is in `rows` also where it fails.
    pub async fn run(&mut self, plays: &[Play], rows: &mut Vec<Row>) -> anyhow::Result<()> {
        let mut steps = Steps::new(plays.iter().map(|play| play.steps.len()).sum())?;
        for play in plays {
            self.play(play, &mut steps, rows).await.with_context(|| play.title.clone())?;
        }
        steps.finish();
        Ok(())
    }

    async fn play(&mut self, play: &Play, steps: &mut Steps, rows: &mut Vec<Row>) -> anyhow::Result<()> {
        let case = play.case()?;
        let mut said = Said::default();
        for step in &play.steps {
            steps.begin(&format!("{}: {}", play.title, step.step));
            let row = self.step(play, step, &case, &mut said).await;
            rows.push(row.with_context(|| step.step.clone())?);
            steps.end();
        }
        for office in &self.offices {
            let closed = office.case(&case).await?.closed;
            anyhow::ensure!(closed, "the case is not closed at {}", office.party);
        }
        Ok(())
    }

    /// One message's whole way: submitted, delivered, its receipt verified here, taken over there; the case as it says.
    async fn step(&mut self, play: &Play, step: &Step, case: &str, said: &mut Said) -> anyhow::Result<Row> {
        let [us, kz] = &mut self.offices;
        let (sender, receiver) = if step.from == us.party { (us, kz) } else { (kz, us) };
        let last = match said.count {
            0 => Digest::from([0; 32]),
            _ => last_envelope(&sender.case(case).await?)?,
        };
        let document = step.message(|name| match name {
            "last" => Some(last.to_string()),
            name => said.envelopes.get(name).cloned(),
        })?;
        let mut submission = submission(&document)?;
        case.clone_into(&mut submission.case);
        step.from.clone_into(&mut submission.sender);
        receiver.party.clone_into(&mut submission.recipient);
        step.released_by.clone_into(&mut submission.releasing_official);
        submission.in_reply_to = said.last.get(receiver.party).cloned().unwrap_or_default();
        said.count += 1;
        let request_id = format!("{}-{}", case.trim_start_matches("cases/"), said.count);

        let began = Instant::now();
        let name = sender.submit(&request_id, submission, &step.by).await?;
        let delivered = sender.delivered(&name).await?;
        let delivered_after = began.elapsed();
        let received = receiver.take_over(&name).await?;
        let receipt_verified = receiver.proves(&delivered);
        for office in [&*sender, &*receiver] {
            arrived_at(step, &office.case(case).await?)
                .with_context(|| format!("the case at {}", office.party))?;
        }
        let envelope = Digest::from_slice(&delivered.envelope_digest).context("an envelope has a digest")?;
        said.envelopes.insert(step.name.clone(), envelope.to_string());
        said.last.insert(step.from.clone(), name);
        let CaseEffect { act, article, .. } = effect(&received);
        Ok(Row {
            case: play.title.clone(),
            step: step.step.clone(),
            from: step.from.clone(),
            act,
            article,
            state: step.state.clone(),
            delivered_after,
            receipt_verified,
        })
    }
}

fn submission(document: &Value) -> anyhow::Result<crate::backoffice::v1::Submission> {
    let read = submission_from_json(document);
    let (mut submission, _) = read.map_err(|violations| anyhow::anyhow!("no message: {violations:?}"))?;
    if submission.language.is_empty() {
        "en".clone_into(&mut submission.language);
    }
    Ok(submission)
}

fn last_envelope(case: &Case) -> anyhow::Result<Digest> {
    Digest::from_slice(&case.last_envelope_seen).context("a case has a last envelope")
}

/// The case is where the play says that it is, and every message so far had its effect.
fn arrived_at(step: &Step, case: &Case) -> anyhow::Result<()> {
    let state = short(case.state().as_str_name(), "CASE_STATE_");
    anyhow::ensure!(state == step.state, "is in state {state} and not in {}", step.state);
    anyhow::ensure!(case.crossed_messages == 0, "has {} crossed messages", case.crossed_messages);
    Ok(())
}

/// What a message did, as the daemon shows it; of a kind that moves no case, what it is.
fn effect(message: &Message) -> CaseEffect {
    message.case_effect.clone().unwrap_or_else(|| {
        let body = message.content.as_ref().and_then(|content| content.body.as_ref());
        let act = body.and_then(|body| Act::of(&treaty::effect(body)));
        let article = act.map(|act| Rule::of(act).article.to_owned()).unwrap_or_default();
        CaseEffect { act: kind(message), article, ..CaseEffect::default() }
    })
}
