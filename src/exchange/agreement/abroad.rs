//! Whom a request would send to the other Party.

use super::Agreement;
use crate::treaty::designations::Objection;
use crate::wire::assistance::v1::body::Content;
use crate::wire::assistance::v1::effect::Detail;
use crate::wire::assistance::v1::{Body, DesignationScope, Effect, MeasureKind};
use jiff::Timestamp;
use prost::Message as _;

impl Agreement {
    /// Officials whom a request would send to the other Party are designated for that (Articles 7.4 and 8.4).
    pub(super) fn sends(&self, at: Timestamp, effect: &Effect, body: &[u8]) -> Result<(), Objection> {
        let scope = |kind: i32| match MeasureKind::try_from(kind) {
            Ok(MeasureKind::PresenceOfOfficials) => Some(DesignationScope::Presence),
            Ok(MeasureKind::RecordsConsultation) => Some(DesignationScope::RecordsConsultation),
            _ => None,
        };
        let Some(Detail::Request(asked)) = &effect.detail else { return Ok(()) };
        if self.own.version() == 0 || !asked.measures.iter().any(|it| scope(it.kind).is_some()) {
            return Ok(());
        }
        let Some(Content::AssistanceRequest(request)) = Body::decode(body).ok().and_then(|it| it.content)
        else {
            return Ok(());
        };
        for measure in &request.measures {
            if let Some(scope) = scope(measure.kind) {
                measure.official_ids.iter().try_for_each(|id| self.own.judge(id, at, scope))?;
            }
        }
        Ok(())
    }
}
