//! Two Parties' statements of one period, held against each other.

use super::{Received, Sent, Statement};

impl Statement {
    /// Whether two statements are of the two Parties of one channel, about one period.
    pub fn is_about_what(&self, theirs: &Self) -> bool {
        (&self.party, &self.counterparty, &self.agreement, &self.environment)
            == (&theirs.counterparty, &theirs.party, &theirs.agreement, &theirs.environment)
            && (self.from, self.to) == (theirs.from, theirs.to)
    }

    /// In what two statements about one period differ, in sentences; empty where they agree. What is on its way is no
    /// difference.
    pub fn differences(&self, theirs: &Self) -> Vec<String> {
        let mut found = Vec::new();
        if !self.is_about_what(theirs) {
            found.push("The two statements are not about the same channel and period.".to_owned());
            return found;
        }
        let mut way = |sender: &str, sent: &Sent, recipient: &str, received: &Received| {
            if sent.receipted > received.count {
                found.push(format!(
                    "{sender} holds receipts for {} of its messages, {recipient} recorded {}: some were recorded at the edge of the period, or one ledger lacks them.",
                    sent.receipted, received.count
                ));
            }
            if received.last > sent.last && sent.last > 0 {
                found.push(format!(
                    "{recipient} recorded message {} of {sender}, which sealed up to {} in the period.",
                    received.last, sent.last
                ));
            }
            if sent.rejected != received.rejected {
                found.push(format!(
                    "{recipient} turned down {} messages of {sender}, which knows of {}: some stand at the edge of the period, or one ledger lacks them.",
                    received.rejected, sent.rejected
                ));
            }
        };
        way(&self.party, &self.sent, &theirs.party, &theirs.received);
        way(&theirs.party, &theirs.sent, &self.party, &self.received);
        for (whose, own, accepted) in [
            (&self.party, &self.ledger, &theirs.peer_ledger),
            (&theirs.party, &theirs.ledger, &self.peer_ledger),
        ] {
            if accepted.size > own.size || (accepted.size == own.size && accepted.root != own.root) {
                found.push(format!(
                    "The ledger of {whose} has {} events, and the other Party accepted {} of it: the statement was made before that, or the ledger is an older copy, or another. Make both statements anew while the daemons are stopped.",
                    own.size, accepted.size
                ));
            }
        }
        found
    }
}
