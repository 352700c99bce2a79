//! What is in force between the Parties, told.

use super::Office;
use super::roles::Verb;
use super::token::order_name;
use super::v1::treaty_service_server::TreatyService;
use super::v1::{
    AccordInForce, DesignationList, DesignationStanding, GetTreatyRequest, GetTreatyResponse,
    OfficialStanding, TreatyPhase,
};
use crate::channel::lookup::Lookup;
use crate::exchange::agreement::Agreement;
use crate::treaty::accords::Shared;
use crate::treaty::calendar::{Dates, Phase};
use crate::treaty::designations::{Designations, Objection};
use crate::wire::assistance::v1::{DesignationScope, SettingsEffect};
use crate::wire::ledger::v1::{OrderText, TreatyDates, event::Fact};
use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};
use prost::Message as _;
use std::collections::BTreeMap;
use tonic::{Request, Response, Status};

/// The service.
#[derive(Debug, Clone)]
pub struct Treaty {
    /// What the calls work with.
    pub office: Office,
}

impl Treaty {
    fn get(&self) -> GetTreatyResponse {
        let engine = &self.office.engine;
        let (agreement, now) = (engine.agreement(), engine.core().clock.now());
        let at = Timestamp::new(now.seconds, now.nanos).unwrap_or_default();
        let on = at.to_zoned(TimeZone::UTC).date();
        let dates = agreement.dates();
        let order = agreement.dates_order();
        GetTreatyResponse {
            phase: phase(agreement.phase(at)).into(),
            dates: order.map(|_| recorded(dates)),
            dates_order: order.map(|id| order_name(&id)).unwrap_or_default(),
            evidence_ref: order.and_then(|id| self.evidence_ref(id)).unwrap_or_default(),
            in_force_on: written(dates.in_force_on()),
            in_force_at: dates.in_force_at().map(wire),
            review_on: written(dates.review_on()),
            ceases_on: written(dates.ceases_on()),
            ceases_at: dates.ceases_at().map(wire),
            accords: accords(&agreement, on),
            directives_digest: agreement.accords().digest(on).map(|it| it.to_bytes()).unwrap_or_default(),
            settings: Some(settings(agreement.accords().shared(on))),
            own_list: Some(list(agreement.own())),
            peer_list: Some(list(agreement.peer())),
            officials: self.officials(&agreement, at),
            releases_held: agreement.is_held(),
            pending_orders: u32::try_from(agreement.pending().len()).unwrap_or(u32::MAX),
        }
    }

    /// The reference of the proposal whose approval recorded the dates. What cannot be read is shown as erased.
    fn evidence_ref(&self, id: [u8; 16]) -> Option<String> {
        let store = self.office.engine.store();
        store.named(&Lookup::Order(id)).ok()?.into_iter().find_map(|leaf| {
            let opened = store.event(leaf).ok()?;
            let proposed =
                matches!(&opened.event.fact, Some(Fact::OrderProposed(it)) if it.order_id == id.as_slice());
            let item = store.item(&opened).ok().flatten().filter(|_| proposed)?;
            Some(OrderText::decode(item.body).ok()?.evidence_ref)
        })
    }

    fn officials(&self, agreement: &Agreement, at: Timestamp) -> Vec<OfficialStanding> {
        let last_days: BTreeMap<&str, Date> = agreement.own().last_days().collect();
        let standing = |official: &str| match agreement.own().version() {
            0 => DesignationStanding::Unspecified,
            _ => match agreement.own().judge(official, at, DesignationScope::Requests) {
                Ok(()) => DesignationStanding::Listed,
                Err(Objection::NotListed) => DesignationStanding::NotListed,
                Err(Objection::NotYetValid) => DesignationStanding::NotYetValid,
                Err(Objection::Expired) => DesignationStanding::Expired,
                Err(Objection::Revoked) => DesignationStanding::Revoked,
                Err(Objection::OutOfScope) => DesignationStanding::OutOfScope,
            },
        };
        let callers = self.office.callers.now();
        let shown = |official: &String| OfficialStanding {
            official: official.clone(),
            standing: standing(official).into(),
            valid_to: written(last_days.get(official.as_str()).copied()),
        };
        callers.officials().map(shown).collect()
    }
}

fn phase(phase: Phase) -> TreatyPhase {
    match phase {
        Phase::BeforeForce => TreatyPhase::BeforeForce,
        Phase::InForce => TreatyPhase::InForce,
        Phase::Terminating => TreatyPhase::Terminating,
        Phase::Ceased => TreatyPhase::Ceased,
    }
}

fn recorded(dates: &Dates) -> TreatyDates {
    let [own, peer] = dates.no_review;
    TreatyDates {
        notified_on: written(dates.notified_on),
        terminated_on: written(dates.terminated_on),
        own_no_review_on: written(own),
        peer_no_review_on: written(peer),
        second_of_day: dates.second_of_day,
    }
}

fn accords(agreement: &Agreement, on: Date) -> Vec<AccordInForce> {
    let shown = |(number, it): (u32, &crate::treaty::accords::Signed)| AccordInForce {
        number,
        directive: it.is_directive,
        digest: it.digest.to_bytes(),
        effective_on: it.effective_on.to_string(),
    };
    agreement.accords().in_force(on).map(shown).collect()
}

fn settings(it: Shared) -> SettingsEffect {
    SettingsEffect {
        languages: it.languages,
        written_form_agreed: it.written_form_agreed,
        delivered_moment: it.delivered_moment.into(),
        spontaneous_information_enabled: Some(it.spontaneous_information_enabled),
        alert_targets: Some(it.alert_targets),
        wind_down_completion: Some(it.wind_down_completion),
    }
}

fn list(it: &Designations) -> DesignationList {
    DesignationList { list_version: it.version(), officials: u32::try_from(it.len()).unwrap_or(u32::MAX) }
}

fn written(day: Option<Date>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

fn wire(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() }
}

#[tonic::async_trait]
impl TreatyService for Treaty {
    async fn get_treaty(
        &self,
        request: Request<GetTreatyRequest>,
    ) -> Result<Response<GetTreatyResponse>, Status> {
        self.office.callers.now().recognise(&request, Verb::ReadTreaty)?;
        Ok(Response::new(self.get()))
    }
}
