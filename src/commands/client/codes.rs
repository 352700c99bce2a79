//! `codes`: the code lists of the daemon and their members.

use super::office::BackOffice;
use super::trouble::ClientError;
use super::{Common, PROFILE_HELP, names};
use crate::backoffice::v1::{CodeList, ListCodeListsRequest, ListCodesRequest, ListedCode};
use crate::commands::json::message_to_json;
use serde_json::Value;

/// Codes asked for at once.
const PAGE: i32 = 500;

const HELP: &str = "\
  article6 codes list                     the lists: version, date, how many codes, which standard
  article6 codes show UNECE_REC_20        every unit of measure
  article6 codes show iso-4217 KZT        one code; exit code 1 where the list does not have it

Lists are data with a version. A code that no list has is sent with a warning and never refused.";

/// Shows code lists.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP, after_long_help = format!("{HELP}\n\n{PROFILE_HELP}"))]
pub struct CodesCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the code lists
    List {
        #[command(flatten)]
        common: Common,
    },
    /// Show the codes of one list
    Show {
        /// The list: codeLists/NAME, or the name alone
        #[arg(value_parser = names::code_list)]
        name: String,
        /// Only this code, exactly as a message carries it
        code: Option<String>,
        #[command(flatten)]
        common: Common,
    },
}

impl CodesCommand {
    pub(super) fn common(&self) -> &Common {
        match &self.what {
            What::List { common } | What::Show { common, .. } => common,
        }
    }

    pub(super) async fn run(&self) -> Result<(), ClientError> {
        let office = self.common().connect().await?;
        let output = self.common().output();
        match &self.what {
            What::List { .. } => {
                let lists = lists(&office).await?;
                if output.json {
                    return lists.iter().try_for_each(|list| output.result(|| json(list), String::new));
                }
                let rows = lists.into_iter().map(|list| {
                    let count = list.code_count.to_string();
                    [names::bare(&list.name), list.version, list.edition_date, count, list.standard]
                });
                output.table(["list", "version", "date", "codes", "standard"], rows.collect())
            }
            What::Show { name, code, .. } => {
                let codes = codes(&office, name, code.as_deref().unwrap_or_default()).await?;
                if let (Some(code), []) = (code, codes.as_slice()) {
                    return Err(ClientError::NotListed { code: code.clone(), list: names::bare(name) });
                }
                if output.json {
                    return codes.iter().try_for_each(|code| output.result(|| json(code), String::new));
                }
                let rows = codes.into_iter().map(|it| [it.code, it.title, it.remark]);
                output.table(["code", "title", "remark"], rows.collect())
            }
        }
    }
}

async fn lists(office: &BackOffice) -> Result<Vec<CodeList>, ClientError> {
    let mut request = ListCodeListsRequest { page_size: PAGE, ..ListCodeListsRequest::default() };
    let mut found = Vec::new();
    loop {
        let page = office.code_lists(request.clone()).await?;
        found.extend(page.code_lists);
        if page.next_page_token.is_empty() {
            return Ok(found);
        }
        request.page_token = page.next_page_token;
    }
}

async fn codes(office: &BackOffice, list: &str, code: &str) -> Result<Vec<ListedCode>, ClientError> {
    let mut request = ListCodesRequest {
        parent: list.to_owned(),
        page_size: PAGE,
        code: code.to_owned(),
        ..ListCodesRequest::default()
    };
    let mut found = Vec::new();
    loop {
        let page = office.codes(request.clone()).await?;
        found.extend(page.codes);
        if page.next_page_token.is_empty() {
            return Ok(found);
        }
        request.page_token = page.next_page_token;
    }
}

fn json<M: prost::Message + prost::Name>(message: &M) -> Value {
    Value::Object(message_to_json(message).unwrap_or_default())
}
