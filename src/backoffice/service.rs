//! The calls of the back-office door.

use super::caller::Caller;
use super::code_lists::warnings;
use super::feed::Feed;
use super::roles::Verb;
use super::submission::prepare;
use super::token::{Cursors, message_id};
use super::v1::message_service_server::MessageService;
use super::v1::{
    AcknowledgeMessagesRequest, AcknowledgeMessagesResponse, FeedKind, GetMessageRequest, GetMessageResponse,
    ListMessagesRequest, ListMessagesResponse, MessageView, SubmitMessageRequest, SubmitMessageResponse,
    ValidateMessageRequest, ValidateMessageResponse, WatchMessagesRequest, WatchMessagesResponse,
};
use super::view::{View, recorded};
use super::{Office, refusals};
use crate::channel::lookup::Lookup;
use crate::door::{Draining, Refusal};
use crate::store::OpenedEvent;
use crate::wire::ledger::v1::HandedOver;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

/// What stands before the path of a field in the body of a submission.
const BODY: &str = "submission.body.";
/// Items of a feed that may wait for their reader.
const FEED_QUEUE: usize = 64;

/// The service.
#[derive(Debug, Clone)]
pub struct Service {
    office: Office,
    cursors: Cursors,
}

impl Service {
    /// Serves the office.
    pub fn new(office: Office) -> Result<Self, crate::store::StoreError> {
        // A place in what a restore gave up means something else now, and would skip what came back.
        let store = office.engine.store();
        let first = match store.find(&Lookup::Restored)? {
            Some(restored) => restored,
            None => store.event(0)?,
        };
        Ok(Self { cursors: Cursors::of(&first.commitment()), office })
    }

    fn find(&self, field: &str, name: &str) -> Result<Arc<OpenedEvent>, Refusal> {
        let id = message_id(field, name)?;
        let found =
            self.office.engine.store().find(&Lookup::Message(id)).map_err(|error| refusals::store(&error))?;
        found.filter(|opened| recorded(&opened.event).is_some()).ok_or_else(refusals::message_not_found)
    }

    async fn get(&self, request: Request<GetMessageRequest>) -> Result<GetMessageResponse, Refusal> {
        let verb = if request.get_ref().view() == MessageView::Full { Verb::Read } else { Verb::Look };
        let caller = self.office.callers.now().recognise(&request, verb)?;
        let request = request.into_inner();
        let reading = match request.view() {
            MessageView::Full => Some(caller.read_for(request.purpose)?),
            MessageView::Basic | MessageView::Unspecified => None,
        };
        let opened = self.find("name", &request.name)?;
        if let Some(reading) = &reading {
            self.office.may_read(reading, &opened).await?;
            self.office.note_read(reading, vec![opened.leaf]).await?;
        }
        let view = if reading.is_some() { View::Full } else { View::Basic };
        let message = self.office.view(&opened, view).map_err(|error| refusals::store(&error))?;
        Ok(GetMessageResponse { message: Some(message.ok_or_else(refusals::message_not_found)?) })
    }

    fn feed(
        &self,
        request: Request<WatchMessagesRequest>,
    ) -> Result<(Feed, Caller, tokio::sync::OwnedSemaphorePermit), Refusal> {
        let callers = self.office.callers.now();
        let verb = if request.get_ref().view() == MessageView::Full { Verb::Read } else { Verb::Look };
        let caller = callers.recognise(&request, verb)?;
        let place = callers.feed_place(&caller)?;
        let request = request.into_inner();
        let state = self.office.engine.state();
        let position = match request.cursor.as_str() {
            "" => state.cursor(&caller.client),
            cursor => self.cursors.decode(cursor, state.size())?,
        };
        let kinds: Vec<FeedKind> = request.kinds().collect();
        let reading = match request.view() {
            MessageView::Full => Some(caller.clone().read_for(request.purpose)?),
            MessageView::Basic | MessageView::Unspecified => None,
        };
        let feed = Feed { office: self.office.clone(), cursors: self.cursors, position, reading, kinds };
        Ok((feed, caller, place))
    }

    async fn acknowledge(&self, request: Request<AcknowledgeMessagesRequest>) -> Result<(), Refusal> {
        let caller = self.office.callers.now().recognise(&request, Verb::Acknowledge)?;
        let request = request.into_inner();
        if request.names.is_empty() && request.cursor.is_empty() {
            return Err(refusals::field(
                "cursor",
                "REQUIRED",
                "name the messages that were taken over, or the cursor of the last",
            ));
        }
        let mut leaves = Vec::with_capacity(request.names.len());
        for (at, name) in request.names.iter().enumerate() {
            let opened = self.find(&format!("names[{at}]"), name)?;
            if !matches!(recorded(&opened.event), Some((super::v1::Direction::Received, _))) {
                return Err(refusals::field(
                    &format!("names[{at}]"),
                    "NOT_RECEIVED",
                    "only messages received can be taken over",
                ));
            }
            let store = self.office.engine.store();
            let taken =
                store.find(&Lookup::HandedOver(opened.leaf)).map_err(|error| refusals::store(&error))?;
            if taken.is_none() {
                leaves.push(opened.leaf);
            }
        }
        let next_leaf = match request.cursor.as_str() {
            "" => 0,
            cursor => self.cursors.decode(cursor, self.office.engine.state().size())?,
        };
        let handed_over = HandedOver { client: caller.client, official: caller.official, leaves, next_leaf };
        self.office.engine.hand_over(handed_over).await.map_err(refusals::note)
    }
}

#[tonic::async_trait]
impl MessageService for Service {
    async fn submit_message(
        &self,
        request: Request<SubmitMessageRequest>,
    ) -> Result<Response<SubmitMessageResponse>, Status> {
        let caller = self.office.callers.now().recognise(&request, Verb::Send)?;
        let SubmitMessageRequest { request_id, submission } = request.into_inner();
        let prepared = prepare(&self.office, &caller, &request_id, submission.unwrap_or_default())?;
        prepared.may_go_alone(&self.office)?;
        let outgoing = prepared.outgoing.clone();
        let engine = &self.office.engine;
        // A caller that goes away does not undo what the engine took: it asks again with the same request_id.
        let leaf = engine
            .submit_judged(outgoing, |file, state| prepared.judge(&engine.core().terms, file, state))
            .await?;
        let message = Some(self.office.as_sealed(leaf)?);
        Ok(Response::new(SubmitMessageResponse { message, warnings: warnings(BODY, &prepared.body) }))
    }

    async fn validate_message(
        &self,
        request: Request<ValidateMessageRequest>,
    ) -> Result<Response<ValidateMessageResponse>, Status> {
        let caller = self.office.callers.now().recognise(&request, Verb::Send)?;
        let submission = request.into_inner().submission.unwrap_or_default();
        let prepared = prepare(&self.office, &caller, "", submission)?;
        prepared.may_go_alone(&self.office)?;
        let engine = &self.office.engine;
        if prepared.outgoing.touches_case {
            let state = engine.state();
            let case = prepared.outgoing.draft.case_id;
            let file = engine.case(case).map_err(|error| refusals::store(&error))?;
            prepared.judge(&engine.core().terms, &file, &state)?;
            engine.permits(&prepared.outgoing, Some(&file)).map_err(refusals::submit)?;
        } else {
            engine.permits(&prepared.outgoing, None).map_err(refusals::submit)?;
        }
        Ok(Response::new(ValidateMessageResponse { warnings: warnings(BODY, &prepared.body) }))
    }

    async fn get_message(
        &self,
        request: Request<GetMessageRequest>,
    ) -> Result<Response<GetMessageResponse>, Status> {
        Ok(Response::new(self.get(request).await?))
    }

    async fn list_messages(
        &self,
        request: Request<ListMessagesRequest>,
    ) -> Result<Response<ListMessagesResponse>, Status> {
        self.office.callers.now().recognise(&request, Verb::Look)?;
        Ok(Response::new(self.office.list(request.into_inner()).await?))
    }

    type WatchMessagesStream = ReceiverStream<Result<WatchMessagesResponse, Status>>;

    async fn watch_messages(
        &self,
        request: Request<WatchMessagesRequest>,
    ) -> Result<Response<Self::WatchMessagesStream>, Status> {
        let draining = request.extensions().get::<Draining>().cloned().unwrap_or_default();
        let (feed, caller, place) = self.feed(request)?;
        let (out, stream) = mpsc::channel(FEED_QUEUE);
        let callers = self.office.callers.clone();
        tokio::spawn(async move {
            let told = out.clone();
            tokio::select! {
                () = feed.run(out, draining) => {}
                refusal = callers.lost(&caller) => {
                    // A client that does not read learns it from its next call.
                    let _ = told.try_send(Err(refusal.into()));
                }
            }
            drop(place);
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn acknowledge_messages(
        &self,
        request: Request<AcknowledgeMessagesRequest>,
    ) -> Result<Response<AcknowledgeMessagesResponse>, Status> {
        self.acknowledge(request).await?;
        Ok(Response::new(AcknowledgeMessagesResponse {}))
    }
}
