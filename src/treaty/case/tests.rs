//! What holds of a case whatever a hostile but certified peer sends into it.

use super::{Act, Case, Entry, Party, Side, State};
use crate::crypto::Digest;
use crate::treaty::effect;
use crate::treaty::examples::all;
use crate::wire::assistance::v1::effect::Detail;
use crate::wire::assistance::v1::{
    Body, CostEffect, CostStage, CustodyEffect, CustodyEvent, Effect, ItemsEffect, Kind, ProgressEffect,
    RequestEffect,
};
use bytes::Bytes;
use proptest::prelude::*;

const PARTIES: [&str; 2] = ["US", "KZ"];

/// A message of either Party with any effect, in any order. What each says it has seen may be any number that the channel
/// lets through: none that falls, and none that was not sent.
fn anything() -> impl Strategy<Value = Vec<Entry>> {
    let kinds: Vec<Effect> =
        all().into_iter().map(|content| effect(&Body { content: Some(content) })).collect();
    let any = (any::<bool>(), 0..kinds.len(), 0u64..30, any::<u8>());
    proptest::collection::vec(any, 0..30).prop_map(move |messages| {
        let (mut sequences, mut seen_so_far) = ([0, 0], [0, 0]);
        let entry = |(ours, kind, seen, twist): (bool, usize, u64, u8)| {
            let side = usize::from(!ours);
            sequences[side] += 1;
            seen_so_far[side] = seen.min(sequences[1 - side]).max(seen_so_far[side]);
            let mut effect = kinds[kind].clone();
            twisted(&mut effect, twist);
            entry_of(side, sequences[side], seen_so_far[side], effect)
        };
        messages.into_iter().map(entry).collect()
    })
}

/// Other members of the lists, other names, and numbers that no list has.
fn twisted(effect: &mut Effect, twist: u8) {
    let number = i32::from(twist % 9);
    match &mut effect.detail {
        Some(Detail::Custody(it)) => {
            it.event = number;
            it.item = Bytes::copy_from_slice(&[twist % 3]);
        }
        Some(Detail::Cost(it)) => it.stage = number,
        Some(Detail::Response(it)) => it.r#type = number % 5,
        Some(Detail::ConditionsReply(it)) => (it.version, it.reply) = (u32::from(twist % 3), number % 5),
        Some(Detail::Conditions(it)) => it.version = u32::from(twist % 4),
        Some(Detail::Items(it)) => (it.decision, it.request_id) = (number % 6, (twist % 3).to_string()),
        Some(Detail::Request(it)) => {
            it.confirms_oral = twist.is_multiple_of(2);
            it.requesting_party = ["US", "KZ", "XX", ""][usize::from(twist % 4)].to_owned();
        }
        _ if twist > 250 => effect.kind = i32::from(twist),
        _ => {}
    }
}

fn entry_of(side: usize, sequence: u64, seen: u64, effect: Effect) -> Entry {
    let [sender, recipient] = [PARTIES[side], PARTIES[1 - side]].map(|code| Party::from_code(code).unwrap());
    let envelope = Digest::of(format!("{side} {sequence}").as_bytes());
    Entry { sender, recipient, sequence, peer_sequence_seen: seen, envelope, effect }
}

/// What an honest official of a side says next to bring a case to its end.
fn next(case: &Case, side: Side) -> Option<Effect> {
    let of = |kind: Kind, detail| Effect { kind: kind.into(), detail, ..Effect::default() };
    if let Some(owed) = case.owed().next() {
        use super::Obligation as O;
        let custody = |item: &Bytes, event: CustodyEvent| {
            of(
                Kind::CustodyNotice,
                Some(Detail::Custody(CustodyEffect { item: item.clone(), event: event.into() })),
            )
        };
        let (by, effect) = match owed.what {
            O::OralConfirmation => {
                let confirms = RequestEffect { confirms_oral: true, ..RequestEffect::default() };
                (Side::Requesting, of(Kind::AssistanceRequest, Some(Detail::Request(confirms))))
            }
            O::OriginalReturn(item) => (Side::Requested, custody(item, CustodyEvent::ReturnReceived)),
            O::CostSettlement => {
                let settled = CostEffect { stage: CostStage::Settled.into() };
                (Side::Requested, of(Kind::CostNotice, Some(Detail::Cost(settled))))
            }
            O::ConsentDecision(request) => {
                let denied =
                    ItemsEffect { request_id: request.clone(), decision: 3, ..ItemsEffect::default() };
                (owed.owner, of(Kind::OtherUseConsentDecision, Some(Detail::Items(denied))))
            }
            O::NotifyAgency => {
                let told =
                    ProgressEffect { agency_notified_of_withdrawal: true, ..ProgressEffect::default() };
                (Side::Requested, of(Kind::ProgressNotice, Some(Detail::Progress(told))))
            }
            O::ReturnOrDestroy(item) => (owed.owner, custody(item, CustodyEvent::DestroyedCertified)),
        };
        return (by == side).then_some(effect);
    }
    match case.state()? {
        state if state.is_outcome() => Some(of(Kind::CaseClose, None)),
        _ if side == Side::Requesting => Some(of(Kind::WithdrawalNotice, None)),
        _ => None,
    }
}

proptest! {
    /// Requirements section 2 and rule 8: whatever arrives is kept, in whatever order it arrives the case is the same, and no
    /// case is stuck: officials who say what their side owes bring it to its end.
    #[test]
    fn whatever_arrives_both_sides_agree_and_no_case_is_stuck(entries in anything(), turn in any::<u64>()) {
        let case = Case::fold(&entries);
        let mut turned = entries.clone();
        turned.rotate_left(usize::try_from(turn).unwrap_or(0) % entries.len().max(1));
        turned.extend(entries.first().cloned());
        let other = Case::fold(&turned);
        prop_assert_eq!(case.state(), other.state());
        prop_assert_eq!(case.owed().map(|it| it.what.clone()).collect::<Vec<_>>(), other.owed().map(|it| it.what.clone()).collect::<Vec<_>>());
        prop_assert_eq!(case.steps().len(), entries.len());
        prop_assert!(!(case.is_closed() && case.owed().next().is_some()));
        if case.state().is_none() {
            return Ok(());
        }
        let mut entries = entries;
        for _ in 0..80 {
            let case = Case::fold(&entries);
            if case.is_closed() {
                return Ok(());
            }
            for (side, code) in PARTIES.into_iter().enumerate() {
                let case = Case::fold(&entries);
                let role = case.side(Party::from_code(code).unwrap());
                if let Some(effect) = next(&case, role) {
                    let party = Party::from_code(code).unwrap();
                    let last = |ours: bool| {
                        let of = entries.iter().filter(|it| (it.sender == party) == ours);
                        of.map(|it| it.sequence).max().unwrap_or(0)
                    };
                    let (own, seen) = (last(true), last(false));
                    entries.push(entry_of(side, own + 1, seen, effect));
                }
            }
        }
        prop_assert!(false, "stuck in {:?}, owed {:?}", Case::fold(&entries).state(), Case::fold(&entries).owed().map(|it| it.what.name()).collect::<Vec<_>>());
    }

    /// No clock is asked and no act is unknown to the rules: each has its name once.
    #[test]
    fn each_act_is_named_once(at in 0..Act::ALL.len()) {
        let name = Act::ALL[at].name();
        prop_assert_eq!(Act::ALL.iter().filter(|act| act.name() == name).count(), 1);
    }
}

/// States from which there is no way back stay what they are.
#[test]
fn outcomes_are_final() {
    for state in State::ALL {
        let final_ones = [State::Answered, State::NotExecuted, State::Withdrawn];
        assert_eq!(state.is_outcome(), final_ones.contains(&state));
    }
}
