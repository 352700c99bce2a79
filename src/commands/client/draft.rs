//! `draft`: messages that a second official reviews and releases (four eyes).

use super::submission::{request_id, submission_from_json};
use super::trouble::ClientError;
use super::{Common, PROFILE_HELP, words};
use crate::backoffice::v1::{Draft, ReleaseDraftRequest};
use crate::commands::json::{message_to_json, to_json};
use crate::crypto::Digest;
use crate::crypto::{keyfile, token};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const HELP: &str = "\
A case officer or designated official writes, a designated official proposes, another official releases or returns:

  article6 draft create request.json --official KZ-CO-0001
  article6 draft propose drafts/0198f000-… --official KZ-DO-0007
  article6 draft show drafts/0198f000-… --official KZ-RO-0001
  article6 draft release drafts/0198f000-… --official KZ-RO-0001 --token-key KZ-RO-0001.key

A release sends exactly what the daemon shows at that moment; where something has changed since, it is refused.";

/// Life of a token that is made for one call, in seconds.
const TOKEN_LIFE: i64 = 120;

/// Works with drafts.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP, after_long_help = format!("{HELP}\n\n{PROFILE_HELP}"))]
pub struct DraftCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Write a draft: a message of the agreement as a JSON file
    Create {
        /// The message
        file: PathBuf,
        #[command(flatten)]
        common: Common,
    },
    /// List the open drafts
    List {
        #[command(flatten)]
        common: Common,
    },
    /// Show a draft, with what changed and what it lacks
    Show(Named),
    /// Propose a draft for release
    Propose(Named),
    /// Return a draft to those who wrote it
    Return {
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        named: Named,
    },
    /// Release a draft: it is sealed and sent
    Release {
        /// The releasing official's own key (PKCS#8, P-256): the call carries a token made with it
        #[arg(long, value_name = "FILE")]
        token_key: Option<PathBuf>,
        #[command(flatten)]
        named: Named,
    },
    /// Give a draft up
    Discard(Named),
}

#[derive(Debug, clap::Args)]
struct Named {
    /// The draft: drafts/UUID
    name: String,
    #[command(flatten)]
    common: Common,
}

impl DraftCommand {
    pub(super) fn common(&self) -> &Common {
        match &self.what {
            What::Create { common, .. } | What::List { common } => common,
            What::Show(named) | What::Propose(named) | What::Discard(named) => &named.common,
            What::Return { named, .. } | What::Release { named, .. } => &named.common,
        }
    }

    pub(super) async fn run(&self) -> Result<(), ClientError> {
        let output = self.common().output();
        let office = self.common().connect().await?;
        let shown = |draft: Draft| output.result(|| in_json(&draft), || in_words(&draft));
        match &self.what {
            What::Create { file, .. } => {
                let (id, submission) = read(file)?;
                shown(office.create_draft(&id, submission).await?)
            }
            What::List { .. } => {
                let drafts = office.drafts().await?;
                if output.json {
                    return drafts.iter().try_for_each(|draft| output.result(|| in_json(draft), String::new));
                }
                output.table(["touched", "by", "state", "draft"], drafts.iter().map(row).collect())
            }
            What::Show(named) => shown(office.draft(&named.name).await?),
            What::Propose(named) => {
                let draft = office.draft(&named.name).await?;
                shown(office.propose_draft(&draft).await?)
            }
            What::Return { reason, named } => {
                let draft = office.draft(&named.name).await?;
                shown(office.return_draft(&draft, reason).await?)
            }
            What::Release { token_key, named } => {
                let draft = office.draft(&named.name).await?;
                let official = self.common().profile()?.official;
                let token =
                    token_key.as_deref().map(|key| release_token(key, &official, &draft)).transpose()?;
                let request = ReleaseDraftRequest {
                    name: draft.name,
                    etag: draft.etag,
                    body_digest: draft.body_digest,
                    case_digest: draft.case_digest,
                };
                let message = office.release_draft(request, token.as_deref()).await?;
                output.result(|| words::json(&message), || words::line(&message))
            }
            What::Discard(named) => {
                let draft = office.draft(&named.name).await?;
                office.discard_draft(&draft).await?;
                output.result(|| json!({"discarded": draft.name}), || format!("{} is discarded", draft.name))
            }
        }
    }
}

fn read(path: &Path) -> Result<(String, crate::backoffice::v1::Submission), ClientError> {
    let file = path.display().to_string();
    let failed = |error: std::io::Error| ClientError::File { path: path.to_owned(), kind: error.kind() };
    let bytes = std::fs::read(path).map_err(failed)?;
    let document: Value = serde_json::from_slice(&bytes).map_err(|error| ClientError::NotJson {
        file: file.clone(),
        line: error.line(),
        column: error.column(),
    })?;
    let (mut submission, _) = submission_from_json(&document)
        .map_err(|violations| ClientError::NotAMessage { file, violations })?;
    // Whoever releases it is the releasing official.
    submission.releasing_official.clear();
    Ok((request_id(&bytes), submission))
}

/// The official's own word for exactly this release.
fn release_token(path: &Path, official: &str, draft: &Draft) -> Result<String, ClientError> {
    let failed = |error: std::io::Error| ClientError::File { path: path.to_owned(), kind: error.kind() };
    let unfit = ClientError::Usage("--token-key is a private key for P-256 in PKCS#8 (PEM)");
    let pem = std::fs::read(path).map_err(failed)?;
    let Ok(key) = keyfile::pkcs8(&pem) else { return Err(unfit) };
    let digest = Digest::from_slice(&draft.release_digest).map(|it| it.to_string()).unwrap_or_default();
    let exp = jiff::Timestamp::now().as_second() + TOKEN_LIFE;
    let claims = json!({"sub": official, "aud": draft.token_audience, "exp": exp, "release": digest});
    token::sign(&key, &claims.to_string()).ok_or(unfit)
}

fn row(draft: &Draft) -> [String; 4] {
    let state = words::short(draft.state().as_str_name(), "DRAFT_STATE_");
    [words::time(draft.updated_at.as_ref()), draft.updated_by.clone(), state, draft.name.clone()]
}

fn in_json(draft: &Draft) -> Value {
    let mut keys = message_to_json(draft).unwrap_or_default();
    let body = draft.submission.as_ref().and_then(|submission| submission.body.as_ref());
    if let (Some(body), Some(Value::Object(submission))) = (body, keys.get_mut("submission")) {
        submission.insert("body".into(), to_json(body));
    }
    Value::Object(keys)
}

fn in_words(draft: &Draft) -> String {
    let state = words::short(draft.state().as_str_name(), "DRAFT_STATE_");
    let mut lines = vec![
        format!("draft       {}", draft.name),
        format!("state       {state}, version {}, touched by {}", draft.version, draft.updated_by),
        format!("written by  {}", draft.authors.join(", ")),
    ];
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            lines.push(format!("{name:<12}{value}"));
        }
    };
    line("acts", &draft.acting_official);
    line("returned", &draft.return_reason);
    line("changed", &draft.changed_fields.join(", "));
    for lack in &draft.deficiencies {
        line("lacks", &format!("{} {} (Article {})", lack.field, lack.code, lack.article));
    }
    line("message", &draft.message);
    let body = draft.submission.as_ref().and_then(|submission| submission.body.as_ref());
    if let Some(text) = body.and_then(|body| serde_json::to_string_pretty(&to_json(body)).ok()) {
        lines.push(text);
    }
    lines.join("\n")
}
