//! The state as a closed segment's footer keeps it.

use super::{ChainEnd, PeerHead, State};
use crate::channel::keys::Keys;
use crate::crypto::digest::Digest;
use crate::wire::channel::v1 as wire;
use prost::Message as _;
use std::collections::BTreeMap;
use std::sync::Arc;

impl State {
    /// The state as a footer keeps it.
    pub fn encode(&self) -> Vec<u8> {
        let mut state = wire::ChannelState {
            size: self.size,
            epoch: self.epoch,
            last_recorded_at: self.last_recorded_at,
            outbound: Some(encode_end(&self.sealed)),
            acknowledged_sequence: self.acknowledged,
            inbound: Some(encode_end(&self.consumed)),
            inbound_peer_sequence_seen: self.consumed_peer_sequence_seen,
            peer_epoch: self.peer_epoch,
            peer_size: self.peer_head.size,
            peer_root: self.peer_head.root.to_bytes(),
            client_cursors: self
                .cursors
                .iter()
                .map(|(client, next_leaf)| wire::ClientCursor {
                    client: client.clone(),
                    next_leaf: *next_leaf,
                })
                .collect(),
            cosigned_size: self.cosigned.size,
            cosigned_root: self.cosigned.root.to_bytes(),
            material_size: self.material_size,
            held: self.held,
            overdue_sequence: self.overdue,
            clock_skewed: self.clock_skewed,
            degraded_since: self.degraded_since,
            complaint_answered: self.complaint_answered,
            configuration: self.configuration.to_bytes(),
            restoring: self.restoring,
            open_drafts: self
                .drafts
                .iter()
                .map(|(id, leaf)| wire::OpenDraft { draft_id: id.to_vec().into(), leaf: *leaf })
                .collect(),
            ..wire::ChannelState::default()
        };
        self.keys.write(&mut state);
        state.encode_to_vec()
    }

    /// Reads a state from a footer.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let state = wire::ChannelState::decode(bytes).ok()?;
        let keys = Keys::read(&state)?;
        let draft = |open: &wire::OpenDraft| Some((open.draft_id.as_ref().try_into().ok()?, open.leaf));
        let drafts = state.open_drafts.iter().map(draft).collect::<Option<BTreeMap<[u8; 16], u64>>>()?;
        Some(Self {
            keys,
            drafts: Arc::new(drafts),
            restoring: state.restoring,
            size: state.size,
            epoch: state.epoch,
            last_recorded_at: state.last_recorded_at,
            sealed: decode_end(state.outbound?)?,
            acknowledged: state.acknowledged_sequence,
            consumed: decode_end(state.inbound?)?,
            consumed_peer_sequence_seen: state.inbound_peer_sequence_seen,
            peer_epoch: state.peer_epoch,
            peer_head: PeerHead { size: state.peer_size, root: Digest::from_slice(&state.peer_root)? },
            cursors: state
                .client_cursors
                .into_iter()
                .map(|cursor| (cursor.client, cursor.next_leaf))
                .collect(),
            cosigned: PeerHead { size: state.cosigned_size, root: Digest::from_slice(&state.cosigned_root)? },
            material_size: state.material_size,
            held: state.held,
            overdue: state.overdue_sequence,
            clock_skewed: state.clock_skewed,
            degraded_since: state.degraded_since,
            complaint_answered: state.complaint_answered,
            configuration: Digest::from_slice(&state.configuration)?,
        })
    }
}

fn encode_end(end: &ChainEnd) -> wire::ChainEnd {
    wire::ChainEnd { sequence: end.sequence, digest: end.digest.to_bytes(), signed_at: end.signed_at }
}

fn decode_end(end: wire::ChainEnd) -> Option<ChainEnd> {
    Some(ChainEnd {
        sequence: end.sequence,
        digest: Digest::from_slice(&end.digest)?,
        signed_at: end.signed_at,
    })
}
