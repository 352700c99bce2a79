//! Which messages a second official must release (four eyes), and the exigency that permits one alone.

use crate::wire::assistance::v1::body::Content;
use crate::wire::assistance::v1::{Body, UrgencyLevel};

/// Whether a second official must release the message: what asks, binds, answers, refuses, or gives information away.
pub fn needs_release(body: &Body) -> bool {
    matches!(
        body.content,
        Some(
            Content::AssistanceRequest(_)
                | Content::ConditionsNotice(_)
                | Content::Response(_)
                | Content::NonExecutionNotice(_)
                | Content::OtherUseConsentDecision(_)
                | Content::Accord(_)
                | Content::SpontaneousInformation(_)
        )
    )
}

/// Whether the exigency of the situation permits that one designated official sends it alone (Article 5.1).
pub fn is_exigent(body: &Body) -> bool {
    match &body.content {
        Some(Content::AssistanceRequest(it)) => {
            it.urgency.as_ref().is_some_and(|urgency| urgency.level() == UrgencyLevel::Urgent)
        }
        Some(Content::OralRequestNote(_)) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::treaty::examples::all;
    use crate::treaty::kind_of;

    /// The table is written from the requirements, section 4.
    #[test]
    fn the_table_says_which_kinds_need_a_second_official() {
        let table = include_str!("../../tests/treaty/matrix.txt");
        let section = table.split("\n[release]").nth(1).unwrap();
        for content in all() {
            let body = Body { content: Some(content) };
            let kind = kind_of(&body).unwrap().as_str_name().trim_start_matches("KIND_").to_owned();
            let line = section.lines().find(|line| line.starts_with(&kind)).unwrap();
            let says = line.split('|').nth(1).unwrap().trim();
            assert_eq!(needs_release(&body), says == "yes", "{kind}");
        }
    }
}
