//! Definitions: customs laws, customs services, offences.

use crate::play::{
    By, Play, acceptance, assessment, cooperation, request, request_delivered, request_refused, with, without,
};
use crate::runner::conforms;
use crate::support::bundles::{fingerprints, verify};
use crate::world::EXPORTER;
use article6::backoffice::domestic::Domestic;
use article6::wire::assistance::v1::Purpose;
use serde_json::json;

conforms![
    article_1_1_request_without_flow_refused,
    article_1_1_transit_alone_accepted,
    article_1_2_signature_outlives_the_services_name,
    article_1_2_message_shows_the_name_then_in_force,
    article_1_3_offence_ground_needs_an_offence,
    article_1_3_assessment_needs_no_offence,
];

async fn article_1_1_request_without_flow_refused() {
    assert_eq!(request_refused(&without(request(), "flow")).await, ["FLOW_REQUIRED"]);
    assert_eq!(request_refused(&without(assessment(), "flow")).await, ["FLOW_REQUIRED"]);
    request_delivered(&cooperation()).await;
}

async fn article_1_1_transit_alone_accepted() {
    request_delivered(&with(request(), "flow", json!(["TRANSIT"]))).await;
}

async fn article_1_2_signature_outlives_the_services_name() {
    // No name stands in what is signed: the envelope names the State, and the proof holds under any name of its service.
    let mut play = Play::open(&request()).await;
    let accepted = play.say(By::Rd, &acceptance()).await;
    let bundle = play.rq.export(&accepted, Purpose::AdministrativeProceeding).await.unwrap();
    let file = play.rq.home.folder.join("renamed.zip");
    std::fs::write(&file, &bundle).unwrap();
    let (code, report) = verify(&file, &[&fingerprints(&play.rd.home)[0]]);
    assert_eq!((code, &report["sound"]), (Some(0), &json!(true)), "{report}");
    assert!(!String::from_utf8_lossy(&bundle).contains("The service of now"));
}

async fn article_1_2_message_shows_the_name_then_in_force() {
    let mut play = Play::open(&request()).await;
    let accepted = play.say(By::Rd, &acceptance()).await;
    let read = play.rq.read(EXPORTER, &accepted, Purpose::AdministrativeProceeding).await.unwrap();
    let shown: Vec<_> = read.sender_service.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(shown, ["The service of now"]);
    // The day before a succession and the day itself, as the daemon judges them.
    let rows = [("1991-12-16", "then"), ("2014-08-06", "now")]
        .map(|(from, name)| ("KZ".to_owned(), from.parse().unwrap(), "en".to_owned(), name.to_owned()));
    let domestic = Domestic::new(rows, [], String::new());
    let on = |day: &str| domestic.names_on("KZ", day.parse().unwrap()).get("en").copied();
    assert_eq!([on("2014-08-05"), on("2014-08-06")], [Some("then"), Some("now")]);
}

async fn article_1_3_offence_ground_needs_an_offence() {
    assert_eq!(request_refused(&without(request(), "offences")).await, ["OFFENCE_REQUIRED"]);
    let attempted = json!([{"kind": "SMUGGLING", "attempted": true}]);
    request_delivered(&with(request(), "offences", attempted)).await;
}

async fn article_1_3_assessment_needs_no_offence() {
    request_delivered(&assessment()).await;
}
