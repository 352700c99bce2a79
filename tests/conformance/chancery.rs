//! Officials, directives and dates, as the tests of Articles 6, 7.4, 8.4, 11 and 12 need them.

use crate::support::parties::Parties;
use crate::support::treaty::{Chancery, Heads, administrators, prepare_heads};
use crate::world::{Side, World};
use article6::wire::assistance::v1::{
    Accord, AccordType, Body, DesignationNotice, DesignationScope, Official, Settings, body::Content,
};
use article6::wire::ledger::v1::TreatyDates;
use article6::wire::ledger::v1::order::Action;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

/// The day, in UTC.
pub fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// A day so many days before this one.
pub fn days_ago(days: i64) -> String {
    today().checked_sub(days.days()).unwrap().to_string()
}

/// An official who is designated for everything.
pub fn official(id: &str) -> Official {
    Official {
        id: id.into(),
        name: "DOE, Jordan".into(),
        office: "Head office".into(),
        contact: "+1 202 555 0100".into(),
        valid_from: days_ago(400),
        ..Official::default()
    }
}

/// An official who is designated for this alone.
pub fn scoped(id: &str, scope: DesignationScope) -> Official {
    Official { scope: vec![scope.into()], ..official(id) }
}

pub fn list(list_version: u64, officials: Vec<Official>) -> DesignationNotice {
    DesignationNotice { list_version, officials, signature: None }
}

pub fn directive(settings: Settings) -> Accord {
    Accord {
        r#type: AccordType::Directive.into(),
        number: 1,
        title: "Settings".into(),
        text: "The services agree.".into(),
        effective_on: days_ago(1),
        settings: Some(settings),
        ..Accord::default()
    }
}

pub fn body(content: Content) -> Body {
    Body { content: Some(content) }
}

/// Two daemons that know the heads of both services, and have administrators.
pub fn with_heads() -> (World, Heads) {
    let parties = Parties::new();
    let heads = Heads::new(&parties);
    for home in [&parties.us, &parties.kz] {
        administrators(home);
        prepare_heads(home, &heads);
    }
    (World::of(parties), heads)
}

/// The list of the United States is in force at its own daemon.
pub async fn designate(us: &mut Side, heads: &Heads, officials: Vec<Official>) {
    let notice = heads.us.sign_list("US", list(1, officials));
    us.send(&crate::world::new_case(), body(Content::DesignationNotice(notice))).await.unwrap();
}

/// Dates as two administrators of a Party record them.
pub async fn record(side: &Side, dates: TreatyDates) {
    let mut chancery = Chancery::open(&side.home).await;
    let party = side.home.party;
    let id = uuid::Uuid::now_v7().to_string();
    let order = chancery.propose(&format!("{party}-TA-1"), &id, Action::TreatyDates(dates)).await.unwrap();
    chancery.approve(&format!("{party}-TA-2"), &order.name).await.unwrap();
}
