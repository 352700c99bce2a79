//! `send`: from files to sealed messages.

use super::office::BackOffice;
use super::submission::{ignored, request_id, submission_from_json};
use super::trouble::ClientError;
use super::{Common, PROFILE_HELP, names, profile, words};
use crate::backoffice::v1::{Submission, Warning};
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::PathBuf;

/// The longest file that is read, in bytes: a body has at most 256 KiB, and JSON says it in more words.
const FILE_BYTES: u64 = 8 << 20;

const HELP: &str = "\
A file holds one message: its kind, its case and the fields of its body, as one object:

  {\"kind\": \"ASSISTANCE_REQUEST\", \"case_id\": \"0198f000-…\", \"language\": \"en\", \"authority\": {…}, …}

Kinds and fields are those of proto/article6/assistance/v1. What other writers of the protobuf mapping
write is taken too: names as in the proto or in lowerCamelCase, enum values short (OFFENCE), whole
(GROUND_OFFENCE) or as numbers, integers bare or quoted, digests as 64 hexadecimal digits or base64.
agreement_id, sender_party and recipient_party say for which channel it is meant; the daemon refuses
what is not for it. All files are read before the first is sent.

The acting official is --official, else the one the message itself names, else the profile's.
A message is sent once: its request_id comes from the file's bytes, so that the same command can be
repeated after any failure. QUEUED means sealed and durable; `status` shows when it is delivered.

  article6 send --validate request.json    # check without sending
  article6 send request.json
  article6 send reply.json --reply-to messages/0198f000-…";

/// Sends messages.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP, after_long_help = format!("{HELP}\n\n{PROFILE_HELP}"))]
pub struct Send {
    /// Messages as JSON; - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Names this submission for ever; else derived from the file's bytes
    #[arg(long, value_name = "ID", value_parser = profile::identifier)]
    request_id: Option<String>,
    /// The message this one answers
    #[arg(long, value_name = "NAME", value_parser = names::message)]
    reply_to: Option<String>,
    /// Only check whether the daemon would accept it
    #[arg(long)]
    validate: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

struct Letter {
    file: String,
    request_id: String,
    submission: Submission,
    official: String,
}

impl Send {
    pub(super) async fn run(&self) -> Result<(), ClientError> {
        if self.files.len() > 1 && self.request_id.is_some() {
            return Err(ClientError::Usage("--request-id names one message: give one file with it"));
        }
        let profile = self.common.profile()?;
        let letters: Vec<_> =
            self.files.iter().map(|file| self.letter(file, &profile.official)).collect::<Result<_, _>>()?;
        let office = BackOffice::connect(&profile).await?;
        let count = letters.len();
        for (at, letter) in letters.into_iter().enumerate() {
            let file = letter.file.clone();
            self.deliver(&office, letter).await.inspect_err(|_| {
                if count > 1 {
                    self.common
                        .output()
                        .note(&format!("stopped at {file}; {} more not looked at", count - at - 1));
                }
            })?;
        }
        Ok(())
    }

    fn letter(&self, path: &PathBuf, official: &str) -> Result<Letter, ClientError> {
        let file = path.display().to_string();
        let bytes =
            read(path).map_err(|error| ClientError::File { path: path.clone(), kind: error.kind() })?;
        let document: Value = serde_json::from_slice(&bytes).map_err(|error| ClientError::NotJson {
            file: file.clone(),
            line: error.line(),
            column: error.column(),
        })?;
        let (mut submission, suggested) = submission_from_json(&document)
            .map_err(|violations| ClientError::NotAMessage { file: file.clone(), violations })?;
        for key in
            ignored(&document).into_iter().filter(|key| *key != "in_reply_to" || self.reply_to.is_none())
        {
            let instead = if key == "signed_at" { "the daemon signs now" } else { "give --reply-to NAME" };
            self.common.output().note(&format!("{file}: {key} is not sent; {instead}"));
        }
        submission.in_reply_to = self.reply_to.clone().unwrap_or_default();
        // What the message itself says goes before what the profile says for all messages.
        let default = Some(official.to_owned()).filter(|official| !official.is_empty());
        let official = self.common.official.clone().or(suggested).or(default);
        let official = official.ok_or_else(|| ClientError::NoOfficial { file: file.clone() })?;
        let request_id = self.request_id.clone().unwrap_or_else(|| request_id(&bytes));
        Ok(Letter { file, request_id, submission, official })
    }

    /// Nothing is refused for a warning; for scripts it stands in the result.
    fn warn(&self, file: &str, warnings: &[Warning]) {
        let output = self.common.output();
        if output.json {
            return;
        }
        for Warning { code, field, description } in warnings {
            output.note(&format!("{file}: {field}: {code}: {description}"));
        }
    }

    async fn deliver(&self, office: &BackOffice, letter: Letter) -> Result<(), ClientError> {
        let Letter { file, request_id, submission, official } = letter;
        let output = self.common.output();
        if self.validate {
            let warnings = office.validate(submission, &official).await?;
            self.warn(&file, &warnings);
            return output.result(
                || json!({"file": file, "is_valid": true, "warnings": warnings_in_json(&warnings)}),
                || format!("{file}: would be accepted for {official}"),
            );
        }
        let (message, warnings) = office.submit(&request_id, submission, &official).await?;
        self.warn(&file, &warnings);
        output.result(
            || {
                let warnings = warnings_in_json(&warnings);
                json!({"file": file, "request_id": request_id, "message": words::json(&message), "warnings": warnings})
            },
            || format!("{}  {file}  request_id {request_id}", words::line(&message)),
        )
    }
}

fn warnings_in_json(warnings: &[Warning]) -> Vec<Value> {
    let in_json = |it: &Warning| json!({"field": it.field, "code": it.code, "description": it.description});
    warnings.iter().map(in_json).collect()
}

fn read(path: &PathBuf) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        std::io::stdin().lock().take(FILE_BYTES + 1).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?.take(FILE_BYTES + 1).read_to_end(&mut bytes)?;
    }
    if bytes.len() as u64 > FILE_BYTES {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}
