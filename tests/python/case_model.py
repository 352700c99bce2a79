"""The model of a case, against which the daemon's fold is compared.

R is the requesting side, D the requested one. A message is (sender, sequence, peer_seen, kind, argument): its sender
had seen the other side's messages up to peer_seen. The state is a fold over both chains merged causally, the
requesting side first where two messages are concurrent. A message that is not permitted at its place is crossed: it
moves no state, but a duty that follows from the bare fact (something was supplied or forwarded) still arises. A
message that its recipient rejected takes its number and is left out by both sides.

Run as a program: `case_model.py COUNT SEED` prints one play to a line, as JSON.
"""
import json
import random
import sys

OUTCOMES = {"ANSWERED", "NOT_EXECUTED", "WITHDRAWN"}
DESTROY = "RETURN_OR_DESTROY"


def other(side):
    return "D" if side == "R" else "R"


def ordered(messages):
    """Both chains, merged: what a message had seen comes before it; R first where neither saw the other."""
    r = sorted((m for m in messages if m[0] == "R"), key=lambda m: m[1])
    d = sorted((m for m in messages if m[0] == "D"), key=lambda m: m[1])
    i = j = 0
    while i < len(r) or j < len(d):
        take_r = j == len(d) or (i < len(r) and not r[i][2] >= d[j][1])
        yield r[i] if take_r else d[j]
        i, j = (i + 1, j) if take_r else (i, j + 1)


class Case:
    def __init__(self):
        self.state = None
        self.owed = {}  # obligation -> owner
        self.closes = set()
        self.crossed = []
        self.version = 0
        self.offered = ()  # names of the conditions of the current version that demand destruction
        self.bound = set()  # those accepted
        self.forwarded = False
        self.estimated = False
        self.stated = False
        self.originals = {}  # item -> "out" | "lost" | "done"
        self.consents = {}  # request -> [who asked, "open" | "granted" | "denied" | "withdrawn"]

    def open(self, obligation, owner):
        self.owed[obligation] = owner
        self.closes = set()

    def step(self, m):
        side, _, _, kind, arg = m
        if not getattr(self, "on_" + kind.lower())(side, arg):
            self.crossed.append(m)
            self.facts(side, kind)
        elif kind in ("INTERIM", "FINAL", "CORRECTION"):
            self.facts(side, kind)

    def facts(self, side, kind):
        """Duties of what was done, whether or not it still fitted."""
        if side == "D" and kind in ("INTERIM", "FINAL", "CORRECTION"):
            for name in sorted(self.bound):
                self.open((DESTROY, name), "R")
        if side == "D" and kind == "FORWARD" and self.state == "WITHDRAWN":
            self.open(("NOTIFY_AGENCY",), "D")

    def move(self, allowed, to):
        if self.state not in allowed:
            return False
        self.state = to
        return True

    def on_request(self, side, arg):
        if side != "R":
            return False
        if self.state is None:
            self.state = "SUBMITTED"
            return True
        return arg == "confirms" and self.owed.pop(("ORAL_CONFIRMATION",), None) is not None

    def on_oral(self, side, arg):
        if self.state is None:
            self.state = "SUBMITTED"
            self.open(("ORAL_CONFIRMATION",), "R")
        return True

    def on_clarify(self, side, arg):
        return side == "D" and self.move({"SUBMITTED", "EXECUTING"}, "CLARIFYING")

    def on_clarify_reply(self, side, arg):
        return side == "R" and self.move({"CLARIFYING"}, "SUBMITTED")

    def on_conditions(self, side, arg):
        version, names = arg
        if side != "D" or version != self.version + 1:
            return False
        if not self.move({"SUBMITTED", "EXECUTING", "CONDITIONED"}, "CONDITIONED"):
            return False
        self.version, self.offered = version, tuple(names)
        return True

    def on_cond_accept(self, side, arg):
        if side != "R" or arg != self.version or not self.move({"CONDITIONED"}, "EXECUTING"):
            return False
        self.bound |= set(self.offered)
        return True

    def on_cond_decline(self, side, arg):
        return side == "R" and arg == self.version and self.move({"CONDITIONED"}, "NOT_EXECUTED")

    def on_cond_counter(self, side, arg):
        return side == "R" and arg == self.version and self.move({"CONDITIONED"}, "SUBMITTED")

    def on_accept(self, side, arg):
        return side == "D" and self.move({"SUBMITTED"}, "EXECUTING")

    def on_forward(self, side, arg):
        if side != "D" or not self.move({"SUBMITTED", "EXECUTING"}, "EXECUTING"):
            return False
        self.forwarded = True
        return True

    def on_progress(self, side, arg):
        told = side == "D" and arg == "told" and self.owed.pop(("NOTIFY_AGENCY",), None) is not None
        return told or (side == "D" and self.state == "EXECUTING")

    def on_advice(self, side, arg):
        return side == "D" and self.state == "EXECUTING"

    on_interim = on_advice

    def on_correction(self, side, arg):
        return side == "D" and self.state is not None

    def on_final(self, side, arg):
        return side == "D" and self.move({"SUBMITTED", "EXECUTING"}, "ANSWERED")

    def on_nonexec(self, side, arg):
        return side == "D" and self.move({"SUBMITTED", "CLARIFYING", "CONDITIONED", "EXECUTING"}, "NOT_EXECUTED")

    def on_withdraw(self, side, arg):
        if side != "R" or self.state is None or self.state in OUTCOMES:
            return False
        self.state = "WITHDRAWN"
        if self.forwarded:
            self.open(("NOTIFY_AGENCY",), "D")
        return True

    def on_custody(self, side, arg):
        event, item = arg
        if self.state is None:
            return False
        if event == "DESTROYED_CERTIFIED":  # a receiver may certify what it was not bound to
            if self.owed.get((DESTROY, item)) == side:
                del self.owed[(DESTROY, item)]
            return True
        if event == "SENT":
            if side != "D" or item in self.originals:
                return False
            self.originals[item] = "out"
            self.open(("ORIGINAL_RETURN", item), "R")
            return True
        where = self.originals.get(item)
        if where is None:
            return False
        if event in ("RECEIVED", "RETURN_SENT"):
            return side == "R"
        if event == "LOST_OR_DAMAGED":  # once it is back or given up, a report opens nothing
            self.originals[item] = "lost" if where == "out" else where
            return True
        if side != "D" or (event == "LOSS_ACKNOWLEDGED" and where == "out"):
            return False
        self.originals[item] = "done"
        self.owed.pop(("ORIGINAL_RETURN", item), None)
        return True

    def on_cost(self, side, arg):
        due = ("COST_SETTLEMENT",)
        if self.state is None:
            return False
        if arg == "ESTIMATE":
            self.estimated |= side == "D"
            return side == "D"
        if arg in ("APPROVED", "DECLINED"):
            return side == "R" and self.estimated
        if arg == "STATEMENT":
            if side == "D":
                self.stated = True
                self.open(due, "R")
            return side == "D"
        if arg == "DISPUTED" or side != "D" or not self.stated:
            return arg == "DISPUTED" and side == "R" and self.stated
        self.owed.pop(due, None)  # SETTLED
        return True

    def on_consent_request(self, side, arg):
        if arg in self.consents:
            return False
        self.consents[arg] = [side, "open"]
        self.open(("CONSENT_DECISION", arg), other(side))
        return True

    def on_consent_decision(self, side, arg):
        decision, request = arg
        asked, where = self.consents.get(request, (None, None))
        if asked is None or side == asked:
            return False
        if decision == "WITHDRAWN":
            if where != "granted":
                return False
            self.consents[request][1] = "withdrawn"
            return True
        self.consents[request][1] = "denied" if decision == "DENIED" else "granted"  # the supplier may decide anew
        self.owed.pop(("CONSENT_DECISION", request), None)
        return True

    def on_item(self, side, arg):
        """Confidentiality notices, consultations, accords, designations, information without a request."""
        return True

    def on_outcome(self, side, arg):
        return self.state is not None

    def on_close(self, side, arg):
        if self.state not in OUTCOMES or self.owed:
            return False
        self.closes.add(side)
        return True

    @property
    def closed(self):
        return self.state in OUTCOMES and not self.owed and self.closes == {"R", "D"}

    def summary(self):
        return {
            "state": self.state,
            "closed": self.closed,
            "owed": sorted([*obligation, owner] for obligation, owner in self.owed.items()),
            "crossed": sorted([m[0], m[1]] for m in self.crossed),
        }


def fold(messages, rejected=frozenset()):
    case = Case()
    for m in ordered(messages):
        if (m[0], m[1]) not in rejected:
            case.step(m)
    return case


def choices(r, case, side, n, requested):
    """What an official of this side might do, mostly what his state permits; now and then what it does not."""
    state, out = case.state, []
    if state is None:
        out += [("REQUEST", "")] * 3 + [("ORAL", "")] if side == "R" else [("ORAL", "")]
    elif side == "R":
        if ("ORAL_CONFIRMATION",) in case.owed:
            out += [("REQUEST", "confirms")] * 2
        if state == "CLARIFYING":
            out += [("CLARIFY_REPLY", "")] * 3
        if state == "CONDITIONED":
            out += [(k, case.version) for k in ("COND_ACCEPT", "COND_ACCEPT", "COND_DECLINE", "COND_COUNTER")]
        if state not in OUTCOMES and r.random() < 0.25:
            out.append(("WITHDRAW", ""))
        if case.estimated:
            out.append(("COST", r.choice(["APPROVED", "DECLINED"])))
        if ("COST_SETTLEMENT",) in case.owed:
            out.append(("COST", "DISPUTED"))
        if r.random() < 0.2:
            out.append(("OUTCOME", ""))
    else:
        if state == "SUBMITTED":
            out += [("ACCEPT", ""), ("CLARIFY", ""), ("FORWARD", ""), ("NONEXEC", ""), ("FINAL", "")]
        if state == "EXECUTING":
            out += [("PROGRESS", ""), ("ADVICE", ""), ("INTERIM", ""), ("FINAL", ""), ("FORWARD", "")]
            out += [("CLARIFY", ""), ("NONEXEC", "")]
        if state in ("CLARIFYING", "CONDITIONED"):
            out.append(("NONEXEC", ""))
        if state in ("SUBMITTED", "EXECUTING", "CONDITIONED"):
            out.append(("CONDITIONS", [case.version + 1, [f"c{n}"] if r.random() < 0.6 else []]))
        if ("NOTIFY_AGENCY",) in case.owed:
            out += [("PROGRESS", "told")] * 2
        if state in ("EXECUTING", "ANSWERED"):
            out += [("CUSTODY", ["SENT", f"i{n}"]), ("COST", "ESTIMATE"), ("COST", "STATEMENT")]
        if state in OUTCOMES and r.random() < 0.2:
            out.append(("CORRECTION", ""))
        if ("COST_SETTLEMENT",) in case.owed:
            out += [("COST", "SETTLED")] * 2
    for obligation, owner in case.owed.items():
        if obligation[0] == DESTROY and owner == side:
            out += [("CUSTODY", ["DESTROYED_CERTIFIED", obligation[1]])] * 2
        if obligation[0] == "CONSENT_DECISION" and owner == side:
            out += [("CONSENT_DECISION", [d, obligation[1]]) for d in ("GRANTED", "GRANTED", "DENIED")]
    for item, where in case.originals.items():
        if where == "done":
            continue
        if side == "D":
            out.append(("CUSTODY", ["LOSS_ACKNOWLEDGED" if where == "lost" else "RETURN_RECEIVED", item]))
        else:
            out += [("CUSTODY", [e, item]) for e in ("RECEIVED", "RETURN_SENT", "LOST_OR_DAMAGED")]
    for request, (asked, where) in case.consents.items():
        if where != "open" and asked != side:
            out.append(("CONSENT_DECISION", [r.choice(["WITHDRAWN", "GRANTED", "DENIED"]), request]))
    if r.random() < 0.06:
        out.append(("CONSENT_REQUEST", f"q{n}"))
    if r.random() < 0.1:
        out.append(("ITEM", ""))
    if state in OUTCOMES and not case.owed and (side not in case.closes or r.random() < 0.1):
        out += [("CLOSE", "")] * 4
    if r.random() < 0.06:
        out = [(k, "") for k in ("FINAL", "WITHDRAW", "CLOSE", "ACCEPT", "OUTCOME", "ADVICE")]
        # Who requests where no one has requested yet is the requesting side: the model knows the sides beforehand.
        out += [("REQUEST", "")] if requested or side == "R" else []
        out += [("COND_ACCEPT", max(case.version - 1, 0)), ("CONDITIONS", [case.version, []]), ("COST", "SETTLED")]
        out += [("CUSTODY", ["RETURN_RECEIVED", "none"]), ("CONSENT_DECISION", ["GRANTED", "none"])]
    return out


def play(seed):
    """Two officials act on what each has seen, messages and rejections arriving with any delay."""
    r = random.Random(seed)
    seen = {"R": [], "D": []}
    rejected_known = {"R": set(), "D": set()}
    under_way = {"R": [], "D": []}  # to this side: messages and rejections, in order
    sequence = {"R": 0, "D": 0}
    n = 0

    def arrive(side):
        what, content = under_way[side].pop(0)
        if what == "rejection":
            rejected_known[side].add(content)
            return
        if r.random() < 0.04:
            key = (content[0], content[1])
            rejected_known[side].add(key)
            under_way[other(side)].append(("rejection", key))
        seen[side].append(content)

    for _ in range(r.randint(3, 60)):
        side = r.choice("RD")
        if under_way[side] and r.random() < 0.45:
            arrive(side)
            continue
        valid = [m for m in seen[side] if (m[0], m[1]) not in rejected_known[side]]
        requested = any(m[0] == "R" and m[3] in ("REQUEST", "ORAL") for m in valid)
        options = choices(r, fold(valid), side, n, requested)
        if not options:
            continue
        kind, arg = r.choice(options)
        n += 1
        sequence[side] += 1
        peer_seen = max((m[1] for m in seen[side] if m[0] != side), default=0)
        m = (side, sequence[side], peer_seen, kind, arg)
        seen[side].append(m)
        under_way[other(side)].append(("message", m))
    while under_way["R"] or under_way["D"]:
        arrive("R" if under_way["R"] else "D")
    ours, theirs = (fold(seen[s], rejected_known[s]) for s in "RD")
    shuffled = seen["R"][:]
    r.shuffle(shuffled)
    rejected = rejected_known["R"]
    assert rejected == rejected_known["D"], seed
    assert ours.summary() == theirs.summary() == fold(shuffled, rejected).summary(), seed
    assert not (ours.closed and ours.owed), seed
    return {
        "seed": seed,
        "messages": [list(m) for m in shuffled],
        "rejected": sorted(rejected),
        "expected": ours.summary(),
    }


if __name__ == "__main__":
    count, first = int(sys.argv[1]), int(sys.argv[2])
    for at in range(count):
        print(json.dumps(play(first + at), separators=(",", ":")))
