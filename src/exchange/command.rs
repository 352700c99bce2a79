//! What the deciding task may be asked for.

use super::acknowledge::Acknowledge;
use super::deliver::Consume;
use super::drafts::ChangeDraft;
use super::heads::Heads;
use super::local::{HandOver, Note};
use super::orders::OrderCommand;
use super::restore::Restore;
use super::submit::Submit;
use super::writer::{Desk, Fatal};

/// A command and where its answer goes.
pub(super) enum Command {
    Submit(Submit),
    Consume(Consume),
    Acknowledge(Acknowledge),
    HandOver(HandOver),
    Note(Note),
    Draft(Box<ChangeDraft>),
    Order(OrderCommand),
    Heads(Heads),
    Restore(Restore),
}

impl Command {
    /// Upper bound of the bytes its events take on disk.
    pub(super) fn bytes_max(&self) -> u64 {
        match self {
            Self::Submit(command) => command.bytes_max(),
            Self::Consume(command) => command.bytes_max(),
            Self::Acknowledge(command) => command.bytes_max(),
            Self::HandOver(command) => command.bytes_max(),
            Self::Note(command) => command.bytes_max(),
            Self::Draft(command) => command.bytes_max(),
            Self::Order(command) => command.bytes_max(),
            Self::Heads(command) => command.bytes_max(),
            Self::Restore(command) => command.bytes_max(),
        }
    }

    pub(super) fn decide(self, desk: &mut Desk) -> Result<(), Fatal> {
        match self {
            Self::Submit(command) => command.decide(desk),
            Self::Consume(command) => command.decide(desk),
            Self::Acknowledge(command) => command.decide(desk),
            Self::HandOver(command) => command.decide(desk),
            Self::Note(command) => command.decide(desk),
            Self::Draft(command) => command.decide(desk),
            Self::Order(command) => command.decide(desk),
            Self::Heads(command) => command.decide(desk),
            Self::Restore(command) => command.decide(desk),
        }
    }

    /// Answers that there is no space; nothing has changed.
    pub(super) fn refuse(self) {
        match self {
            Self::Submit(command) => command.refuse(),
            Self::Consume(command) => command.refuse(),
            Self::Acknowledge(command) => command.refuse(),
            Self::HandOver(command) => command.refuse(),
            Self::Note(command) => command.refuse(),
            Self::Draft(command) => command.refuse(),
            Self::Order(command) => command.refuse(),
            Self::Heads(command) => command.refuse(),
            Self::Restore(command) => command.refuse(),
        }
    }
}
