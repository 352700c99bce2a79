//! Which services stand behind which door.

use crate::backoffice::cases::Cases;
use crate::backoffice::code_lists::CodeLists;
use crate::backoffice::drafts::Drafts;
use crate::backoffice::evidence::Evidence;
use crate::backoffice::orders::Orders;
use crate::backoffice::treaty::Treaty;
use crate::backoffice::v1::case_service_server::CaseServiceServer;
use crate::backoffice::v1::code_list_service_server::CodeListServiceServer;
use crate::backoffice::v1::draft_service_server::DraftServiceServer;
use crate::backoffice::v1::evidence_service_server::EvidenceServiceServer;
use crate::backoffice::v1::message_service_server::MessageServiceServer;
use crate::backoffice::v1::order_service_server::OrderServiceServer;
use crate::backoffice::v1::treaty_service_server::TreatyServiceServer;
use crate::backoffice::{self, Office};
use crate::limits;
use crate::operations;
use crate::operations::v1::operations_service_server::OperationsServiceServer;
use crate::peer::v1::peer_service_server::PeerServiceServer;
use crate::peer::{self, Link};
use crate::wire;
use tonic::service::Routes;

/// Longest request of the small services: operations, health, reflection.
const SMALL_REQUEST_BYTES: usize = 64 * 1024;
/// Every service whose health is told.
pub(super) const SERVICES: [&str; 10] = [
    "",
    "article6.backoffice.v1.CaseService",
    "article6.backoffice.v1.CodeListService",
    "article6.backoffice.v1.DraftService",
    "article6.backoffice.v1.EvidenceService",
    "article6.backoffice.v1.MessageService",
    "article6.backoffice.v1.OrderService",
    "article6.backoffice.v1.TreatyService",
    "article6.operations.v1.OperationsService",
    "article6.peer.v1.PeerService",
];

pub(super) fn peer_routes(link: Link) -> Routes {
    let service = PeerServiceServer::new(peer::service::Service::new(link))
        .max_decoding_message_size(limits::MESSAGE_BYTES)
        .max_encoding_message_size(limits::MESSAGE_BYTES);
    Routes::new(service)
}

pub(super) fn backoffice_routes(
    office: &Office,
    service: backoffice::service::Service,
    evidence: Evidence,
    health: &tonic_health::server::HealthReporter,
    reflection: bool,
) -> Routes {
    let service = MessageServiceServer::new(service)
        .max_decoding_message_size(limits::MESSAGE_BYTES)
        .max_encoding_message_size(8 * limits::MESSAGE_BYTES);
    let evidence = EvidenceServiceServer::new(evidence).max_decoding_message_size(SMALL_REQUEST_BYTES);
    let routes = Routes::new(service).add_service(evidence);
    let small = SMALL_REQUEST_BYTES;
    let cases = CaseServiceServer::new(Cases { office: office.clone() }).max_decoding_message_size(small);
    let codes =
        CodeListServiceServer::new(CodeLists { office: office.clone() }).max_decoding_message_size(small);
    let drafts = DraftServiceServer::new(Drafts { office: office.clone() })
        .max_decoding_message_size(limits::MESSAGE_BYTES)
        .max_encoding_message_size(8 * limits::MESSAGE_BYTES);
    let routes = routes.add_service(cases).add_service(codes).add_service(drafts);
    let orders = OrderServiceServer::new(Orders { office: office.clone() }).max_decoding_message_size(small);
    let treaty = TreatyServiceServer::new(Treaty { office: office.clone() }).max_decoding_message_size(small);
    let routes = routes.add_service(orders).add_service(treaty);
    let services =
        SERVICES.into_iter().filter(|name| name.starts_with("article6.backoffice.")).collect::<Vec<_>>();
    with_reflection(routes.add_service(health_service(health)), reflection, &services)
}

pub(super) fn operations_routes(
    service: operations::service::Service,
    health: &tonic_health::server::HealthReporter,
    reflection: bool,
) -> Routes {
    let service = OperationsServiceServer::new(service).max_decoding_message_size(SMALL_REQUEST_BYTES);
    let routes = Routes::new(service).add_service(health_service(health));
    with_reflection(routes, reflection, &["article6.operations.v1.OperationsService"])
}

fn health_service(
    health: &tonic_health::server::HealthReporter,
) -> tonic_health::pb::health_server::HealthServer<impl tonic_health::pb::health_server::Health> {
    let service = tonic_health::server::HealthService::from_health_reporter(health.clone());
    tonic_health::pb::health_server::HealthServer::new(service).max_decoding_message_size(SMALL_REQUEST_BYTES)
}

/// Both versions: some clients speak only the older one.
fn with_reflection(routes: Routes, wanted: bool, services: &[&str]) -> Routes {
    if !wanted {
        return routes;
    }
    let builder = || {
        let builder = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(wire::descriptor_bytes())
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .with_service_name("grpc.health.v1.Health");
        services.iter().fold(builder, |builder, service| builder.with_service_name(*service))
    };
    match (builder().build_v1(), builder().build_v1alpha()) {
        (Ok(v1), Ok(v1alpha)) => routes
            .add_service(v1.max_decoding_message_size(SMALL_REQUEST_BYTES))
            .add_service(v1alpha.max_decoding_message_size(SMALL_REQUEST_BYTES)),
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "reflection is not offered");
            routes
        }
    }
}
