//! Definitions: customs laws, customs services, offences.

use crate::play::{assessment, cooperation, request, request_delivered, request_refused, with, without};
use crate::runner::conforms;
use serde_json::json;

conforms![
    article_1_1_request_without_flow_refused,
    article_1_1_transit_alone_accepted,
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

async fn article_1_3_offence_ground_needs_an_offence() {
    assert_eq!(request_refused(&without(request(), "offences")).await, ["OFFENCE_REQUIRED"]);
    let attempted = json!([{"kind": "SMUGGLING", "attempted": true}]);
    request_delivered(&with(request(), "offences", attempted)).await;
}

async fn article_1_3_assessment_needs_no_offence() {
    request_delivered(&assessment()).await;
}
