//! `treaty`: what is in force between the Parties, and the dates that two administrators record.

use super::trouble::ClientError;
use super::{Common, PROFILE_HELP};
use crate::backoffice::v1::{GetTreatyResponse, OrderRecord, ProposeOrderRequest};
use crate::commands::json::message_to_json;
use crate::crypto::Digest;
use crate::wire::ledger::v1::order::Action;
use crate::wire::ledger::v1::{Order, OrderText, TreatyDates};
use clap::{Args, Subcommand};
use jiff::civil::Date;
use prost::Message as _;
use serde_json::Value;

/// Hexadecimal digits of a proposal's digest in its `request_id`.
const REQUEST_ID_DIGITS: usize = 32;

const HELP: &str = "\
Dates come by diplomatic channels; two treaty administrators record them, the second being another than the first:

  article6 treaty show
  article6 treaty propose-dates --notified-on 2000-05-23 --reason 'exchange of notes' --evidence 'Notes 12 and 34'
  article6 treaty approve orders/0198f000-… --reason 'compared with the notes' --official US-TA-2

A record replaces the one before it whole: that is how a date is corrected.";

/// What is in force between the Parties (Articles 6.1, 11 and 12).
#[derive(Debug, Args)]
#[command(after_help = HELP, after_long_help = format!("{HELP}\n\n{PROFILE_HELP}"))]
pub struct Treaty {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Show phase, dates, directives, settings, lists and officials
    Show(Show),
    /// List the orders that the official has a part in, newest first
    Orders(Show),
    /// Propose to record the dates of the agreement
    ProposeDates(ProposeDates),
    /// Approve an order that another official proposed
    Approve(Decide),
    /// Reject an order, or take one's own back
    Reject(Decide),
}

#[derive(Debug, Args)]
struct Show {
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct ProposeDates {
    /// Day of the exchange of notes (Article 12.1)
    #[arg(long, value_name = "DATE")]
    notified_on: Option<Date>,
    /// Day of the written notice of termination (Article 12.3)
    #[arg(long, value_name = "DATE")]
    terminated_on: Option<Date>,
    /// Day on which this Party notified that no review is needed (Article 12.2)
    #[arg(long, value_name = "DATE")]
    own_no_review_on: Option<Date>,
    /// Day on which the other Party notified that no review is needed
    #[arg(long, value_name = "DATE")]
    peer_no_review_on: Option<Date>,
    /// Second of the day, in UTC, at which the agreement comes into force and ceases, as agreed
    #[arg(long, value_name = "SECOND", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..86_400))]
    second_of_day: u32,
    /// Identifies the proposal; else derived from what it says, so that repeating the command is harmless
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    #[command(flatten)]
    text: Text,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Decide {
    /// The order: orders/UUID
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    text: Text,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Text {
    /// Why; 1 to 1000 characters
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Where the evidence is; up to 300 characters
    #[arg(long, value_name = "TEXT", default_value = "")]
    evidence: String,
}

impl Text {
    fn wire(&self) -> OrderText {
        OrderText { reason: self.reason.clone(), evidence_ref: self.evidence.clone() }
    }
}

impl ProposeDates {
    fn request(&self) -> ProposeOrderRequest {
        let written = |day: &Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
        let dates = TreatyDates {
            notified_on: written(&self.notified_on),
            terminated_on: written(&self.terminated_on),
            own_no_review_on: written(&self.own_no_review_on),
            peer_no_review_on: written(&self.peer_no_review_on),
            second_of_day: self.second_of_day,
        };
        let (order, text) = (Order { action: Some(Action::TreatyDates(dates)) }, self.text.wire());
        let said = [order.encode_to_vec(), text.encode_to_vec()].concat();
        let derived = || Digest::of(&said).to_string().chars().take(REQUEST_ID_DIGITS).collect();
        let request_id = self.request_id.clone().unwrap_or_else(derived);
        ProposeOrderRequest { request_id, order: Some(order), text: Some(text) }
    }
}

impl Treaty {
    pub(super) fn common(&self) -> &Common {
        match &self.act {
            Act::Show(show) | Act::Orders(show) => &show.common,
            Act::ProposeDates(propose) => &propose.common,
            Act::Approve(decide) | Act::Reject(decide) => &decide.common,
        }
    }

    pub(super) async fn run(&self) -> Result<(), ClientError> {
        let (office, output) = (self.common().connect().await?, self.common().output());
        let orders = match &self.act {
            Act::Show(_) => {
                let treaty = office.treaty().await?;
                return output.result(|| json(&treaty), || words(&treaty));
            }
            Act::Orders(_) => office.orders().await?,
            Act::ProposeDates(propose) => vec![office.propose(propose.request()).await?],
            Act::Approve(it) => vec![office.decide(&it.name, true, it.text.wire()).await?],
            Act::Reject(it) => vec![office.decide(&it.name, false, it.text.wire()).await?],
        };
        orders.iter().try_for_each(|order| output.result(|| json(order), || line(order)))
    }
}

fn json<M: prost::Message + prost::Name>(message: &M) -> Value {
    Value::Object(message_to_json(message).unwrap_or_default())
}

fn line(order: &OrderRecord) -> String {
    let state = order.state().as_str_name().trim_start_matches("ORDER_STATE_");
    let action = order.order.as_ref().and_then(|order| order.action.as_ref());
    let kind = match action {
        Some(Action::TreatyDates(_)) => "dates of the agreement",
        Some(Action::DirectiveInstall(_)) => "directive",
        Some(Action::ReleaseHold(it)) if it.hold => "hold on releases",
        Some(Action::ReleaseHold(_)) => "end of the hold on releases",
        Some(Action::Erasure(_)) => "erasure",
        Some(Action::BreakGlassRead(_)) => "reading in an emergency",
        None => "unknown",
    };
    let official = |step: &Option<crate::backoffice::v1::OrderStep>| {
        step.as_ref().map(|step| step.official.clone()).unwrap_or_default()
    };
    format!("{}\t{state}\t{kind}\t{}\t{}", order.name, official(&order.proposal), official(&order.decision))
}

fn words(it: &GetTreatyResponse) -> String {
    let mut lines =
        vec![format!("phase       {}", it.phase().as_str_name().trim_start_matches("TREATY_PHASE_"))];
    let mut say = |name: &str, value: &str| {
        if !value.is_empty() {
            lines.push(format!("{name:<11} {value}"));
        }
    };
    let dates = it.dates.clone().unwrap_or_default();
    say("notes", &dates.notified_on);
    say("in force", &it.in_force_on);
    say("review", &it.review_on);
    say("notice", &dates.terminated_on);
    say("ceases", &it.ceases_on);
    say("evidence", &it.evidence_ref);
    for accord in &it.accords {
        let kind = if accord.directive { "directive" } else { "interpretation" };
        say(kind, &format!("{} from {}", accord.number, accord.effective_on));
    }
    for (name, list) in [("own list", &it.own_list), ("their list", &it.peer_list)] {
        let list = list.unwrap_or_default();
        say(name, &format!("{} with {} officials", list.list_version, list.officials));
    }
    for official in &it.officials {
        let standing = official.standing().as_str_name().trim_start_matches("DESIGNATION_STANDING_");
        say(&official.official, standing);
    }
    if it.releases_held {
        say("releases", "HELD");
    }
    lines.join("\n")
}
