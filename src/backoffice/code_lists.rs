//! The calls about code lists, and the warnings that rest on them.

use super::Office;
use super::roles::Verb;
use super::token::{page_token, read_page_token};
use super::v1::code_list_service_server::CodeListService;
use super::v1::{
    self, CodeList, ListCodeListsRequest, ListCodeListsResponse, ListCodesRequest, ListCodesResponse,
    ListedCode,
};
use crate::door::Refusal;
use crate::limits;
use crate::treaty::{self, Body, Entry, List};
use tonic::{Code, Request, Response, Status};

/// What stands before the name of a list.
const COLLECTION: &str = "codeLists/";

/// The service.
#[derive(Debug, Clone)]
pub struct CodeLists {
    /// Who may call.
    pub office: Office,
}

#[tonic::async_trait]
impl CodeListService for CodeLists {
    async fn list_code_lists(
        &self,
        request: Request<ListCodeListsRequest>,
    ) -> Result<Response<ListCodeListsResponse>, Status> {
        self.office.callers.now().recognise(&request, Verb::Read)?;
        let ListCodeListsRequest { page_size, page_token } = request.into_inner();
        let lists = List::ALL.iter().copied();
        let (lists, next_page_token) = page(lists, page_size, &page_token, COLLECTION)?;
        let code_lists = lists.into_iter().map(code_list).collect();
        Ok(Response::new(ListCodeListsResponse { code_lists, next_page_token }))
    }

    async fn list_codes(
        &self,
        request: Request<ListCodesRequest>,
    ) -> Result<Response<ListCodesResponse>, Status> {
        self.office.callers.now().recognise(&request, Verb::Read)?;
        let request = request.into_inner();
        let list = named(&request.parent)?;
        let wanted = |entry: &Entry<'_>| request.code.is_empty() || entry.code == request.code;
        // A later version may have other codes before the place that the token names.
        let conditions = format!("{}\n{}\n{}", request.parent, list.version(), request.code);
        let (codes, next_page_token) =
            page(list.entries().filter(wanted), request.page_size, &request.page_token, &conditions)?;
        let codes = codes.into_iter().map(listed).collect();
        Ok(Response::new(ListCodesResponse { codes, next_page_token }))
    }
}

/// The warnings about a body, as callers see them; `prefix` stands before each path.
pub fn warnings(prefix: &str, body: &Body) -> Vec<v1::Warning> {
    treaty::warnings(body)
        .into_iter()
        .map(|warning| v1::Warning {
            code: warning.code.to_owned(),
            field: format!("{prefix}{}", warning.field),
            description: warning.description,
        })
        .collect()
}

fn named(parent: &str) -> Result<List, Refusal> {
    let list = parent.strip_prefix(COLLECTION).and_then(List::by_name);
    list.ok_or_else(|| {
        Refusal::new(
            Code::NotFound,
            "CODE_LIST_NOT_FOUND",
            "there is no code list of this name; ListCodeLists tells which there are",
        )
    })
}

fn code_list(list: List) -> CodeList {
    CodeList {
        name: format!("{COLLECTION}{}", list.name()),
        version: list.version().to_owned(),
        edition_date: list.edition().to_owned(),
        standard: list.source().to_owned(),
        code_count: u32::try_from(list.entries().count()).unwrap_or(u32::MAX),
    }
}

fn listed(entry: Entry<'_>) -> ListedCode {
    ListedCode { code: entry.code.to_owned(), title: entry.name.to_owned(), remark: entry.extra.to_owned() }
}

/// One page of a list that does not change, and where the next one begins.
fn page<T>(
    items: impl Iterator<Item = T>,
    page_size: i32,
    token: &str,
    conditions: &str,
) -> Result<(Vec<T>, String), Refusal> {
    let from = match token {
        "" => 0,
        token => read_page_token(token, conditions.as_bytes())?,
    };
    // AIP-158: more than the most is the most. What is negative was refused with the request's bounds.
    let limit = match usize::try_from(page_size) {
        Ok(0) | Err(_) => limits::PAGE_SIZE,
        Ok(size) => size.min(limits::PAGE_SIZE_MAX),
    };
    let place = usize::try_from(from).unwrap_or(usize::MAX);
    let mut rest = items.skip(place);
    let page: Vec<T> = rest.by_ref().take(limit).collect();
    let next = from.saturating_add(page.len() as u64);
    let token = rest.next().map(|_| page_token(next, conditions.as_bytes()));
    Ok((page, token.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_one_another_and_tokens_belong_to_their_list() {
        let mut seen = Vec::new();
        let mut token = String::new();
        loop {
            let (items, next) = page(0..120, 50, &token, "a").unwrap();
            seen.extend(items);
            if next.is_empty() {
                break;
            }
            token = next;
        }
        assert_eq!(seen, (0..120).collect::<Vec<_>>());
        assert_eq!(page(0..120, 50, &token, "b").unwrap_err().reason, "PAGE_TOKEN_UNKNOWN");
        assert_eq!(page(0..50, 0, "", "a").unwrap(), ((0..50).collect(), String::new()));
        assert_eq!(page(0..9999, 9999, "", "a").unwrap().0.len(), limits::PAGE_SIZE_MAX);
        assert_eq!(page(0..0, 0, "", "a").unwrap(), (Vec::new(), String::new()));
    }

    #[test]
    fn every_list_is_found_by_its_name() {
        for list in List::ALL {
            assert_eq!(named(&code_list(*list).name).unwrap(), *list);
        }
        for wrong in ["", "codeLists/", "ISO_4217", "codeLists/iso_4217", "cases/ISO_4217"] {
            assert_eq!(named(wrong).unwrap_err().reason, "CODE_LIST_NOT_FOUND", "{wrong}");
        }
    }
}
