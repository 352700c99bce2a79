//! `case`: where cases stand, what waits for whom, and what is owed.

use super::office::BackOffice;
use super::trouble::ClientError;
use super::{Common, PROFILE_HELP, names, words};
use crate::backoffice::v1::{Case, CaseFilter, ListCasesRequest};
use crate::commands::json::message_to_json;
use crate::wire::assistance::v1::Purpose;
use serde_json::Value;

/// Cases asked for at once.
const PAGE: u32 = 200;

const HELP: &str = "\
  article6 case list --filter waits-for-us       what waits for this Party
  article6 case list --filter owed-by-them       what the other Party still owes
  article6 case summary                          how many of what, and what is overdue
  article6 case show 0198f000-…                  one case: state, obligations, history of both sides
  article6 case compare 0198f000-… --purpose JUDICIAL_PROCEEDING
                                                 an oral request beside its written confirmation (Article 5.1)";

/// Shows cases.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP, after_long_help = format!("{HELP}\n\n{PROFILE_HELP}"))]
pub struct CaseCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List cases, the one opened last first
    List {
        /// Only these: open, closed, waits-for-us, waits-for-them, owed-by-us, owed-by-them, crossed, or a state
        #[arg(long, value_parser = names::case_filter)]
        filter: Option<CaseFilter>,
        /// Most cases to list
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        #[command(flatten)]
        common: Common,
    },
    /// Count cases, and what is overdue
    Summary {
        #[command(flatten)]
        common: Common,
    },
    /// Show one case with its history
    Show {
        /// The case: cases/UUID, or the UUID alone
        #[arg(value_parser = names::case)]
        name: String,
        #[command(flatten)]
        common: Common,
    },
    /// Compare an oral request with its written confirmation, field by field
    Compare {
        /// The case: cases/UUID, or the UUID alone
        #[arg(value_parser = names::case)]
        name: String,
        /// What the content is read for (Article 3.1)
        #[arg(long, value_parser = names::purpose)]
        purpose: Purpose,
        #[command(flatten)]
        common: Common,
    },
}

impl CaseCommand {
    pub(super) fn common(&self) -> &Common {
        match &self.what {
            What::List { common, .. }
            | What::Summary { common }
            | What::Show { common, .. }
            | What::Compare { common, .. } => common,
        }
    }

    pub(super) async fn run(&self) -> Result<(), ClientError> {
        let office = self.common().connect().await?;
        let output = self.common().output();
        match &self.what {
            What::List { filter, limit, .. } => {
                let cases = newest(&office, filter.unwrap_or_default(), *limit).await?;
                if output.json {
                    return cases.iter().try_for_each(|case| output.result(|| json(case), String::new));
                }
                let heading = ["opened", "asks", "state", "waits for", "owed", "case"];
                output.table(heading, cases.iter().map(row).collect())
            }
            What::Summary { .. } => {
                let summary = office.summary().await?;
                if output.json {
                    return output.result(|| json(&summary), String::new);
                }
                let counts = summary.counts.iter().map(|it| {
                    let name =
                        words::short(it.filter().as_str_name(), "CASE_FILTER_").replace("UNSPECIFIED", "ALL");
                    [name, it.count.to_string()]
                });
                let overdue = summary.overdue.iter();
                let overdue =
                    overdue.map(|it| [format!("overdue: {} of {}", it.what, it.owner), it.count.to_string()]);
                output.table(["cases", "count"], counts.chain(overdue).collect())
            }
            What::Show { name, .. } => {
                let case = office.case(name).await?;
                output.result(|| json(&case), || in_words(&case))
            }
            What::Compare { name, purpose, .. } => {
                let compared = office.compare(name, *purpose).await?;
                if output.json {
                    return output.result(|| json(&compared), String::new);
                }
                let rows = compared.differences.into_iter();
                output.table(
                    ["field", "noted", "confirmed"],
                    rows.map(|it| [it.field, it.noted, it.confirmed]).collect(),
                )
            }
        }
    }
}

async fn newest(office: &BackOffice, filter: CaseFilter, limit: u32) -> Result<Vec<Case>, ClientError> {
    let mut request = ListCasesRequest {
        page_size: i32::try_from(limit.min(PAGE)).unwrap_or(0),
        filter: filter.into(),
        ..ListCasesRequest::default()
    };
    let mut found = Vec::new();
    loop {
        let page = office.cases(request.clone()).await?;
        found.extend(page.cases);
        let enough = u32::try_from(found.len()).unwrap_or(u32::MAX) >= limit;
        if enough || page.next_page_token.is_empty() {
            found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            return Ok(found);
        }
        request.page_token = page.next_page_token;
    }
}

fn json<M: prost::Message + prost::Name>(message: &M) -> Value {
    Value::Object(message_to_json(message).unwrap_or_default())
}

fn row(case: &Case) -> [String; 6] {
    let owed: Vec<_> = case.obligations.iter().map(|it| format!("{} by {}", it.kind, it.owner)).collect();
    [
        words::time(case.opened_at.as_ref()),
        case.requesting_party.clone(),
        state(case),
        waits_for(case).to_owned(),
        owed.join(", "),
        case.name.clone(),
    ]
}

fn state(case: &Case) -> String {
    let state = words::short(case.state().as_str_name(), "CASE_STATE_");
    if case.closed { format!("{state}, closed") } else { state }
}

fn waits_for(case: &Case) -> &'static str {
    match (case.waits_for_us, case.waits_for_them) {
        (true, true) => "both",
        (true, false) => "us",
        (false, true) => "them",
        (false, false) => "nobody",
    }
}

fn in_words(case: &Case) -> String {
    let mut lines = vec![
        format!("case        {}", case.name),
        format!("asks        {}, of {}", case.requesting_party, case.requested_party),
        format!("state       {}", state(case)),
        format!("waits for   {}", waits_for(case)),
    ];
    for owed in &case.obligations {
        lines.push(format!(
            "owed        {} by {} since {} (Article {})",
            owed.kind,
            owed.owner,
            words::time(owed.since.as_ref()),
            owed.article
        ));
    }
    for due in &case.due {
        let passed = if due.overdue { ", overdue" } else { "" };
        let by = words::time(due.due_at.as_ref());
        lines.push(format!(
            "due         {} of {} by {by}{passed} (Article {})",
            due.what, due.owner, due.article
        ));
    }
    for measure in &case.measures {
        let outcome = words::short(measure.outcome().as_str_name(), "MEASURE_OUTCOME_");
        let kind = words::short(measure.kind().as_str_name(), "MEASURE_KIND_");
        let outcome = if measure.outcome == 0 { "open".to_owned() } else { outcome };
        lines.push(format!("measure     {} {kind}: {outcome}", measure.measure_id));
    }
    for step in &case.history {
        let effect = step.effect.clone().unwrap_or_default();
        let what = match effect.crossed_code.is_empty() {
            true => words::short(effect.to().as_str_name(), "CASE_STATE_"),
            false => format!("crossed: {} ({})", effect.crossed_reason, effect.crossed_code),
        };
        lines.push(format!(
            "{}  {}  {} (Article {})  {what}",
            words::time(step.recorded_at.as_ref()),
            words::short(step.direction().as_str_name(), "DIRECTION_"),
            effect.act,
            effect.article
        ));
    }
    lines.join("\n")
}
