#!/usr/bin/env python3
"""Two back offices, written from the protos alone, on the two sides of one channel.

The sender submits a request; the receiver takes it over; both check everything that can be checked without the
daemons: commitment, signature, receipt. Ends with 0 if all of it holds.
"""

import argparse
import copy
import json
import pathlib
import uuid

import proofs
from documents import fill_body
from protos import compile_protos


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--protos", type=pathlib.Path, required=True, help="folder of the protos")
    parser.add_argument("--build", type=pathlib.Path, required=True, help="folder for what is made of them")
    parser.add_argument("--request", type=pathlib.Path, required=True, help="a request, as in tests/fixtures")
    parser.add_argument("--sender", nargs=3, required=True, metavar=("ADDRESS", "KEYS", "OFFICIAL"))
    parser.add_argument("--receiver", nargs=3, required=True, metavar=("ADDRESS", "KEYS", "OFFICIAL"))
    return parser.parse_args()


def submission_of(document: dict):
    from article6.backoffice.v1 import message_service_pb2 as api

    submission = api.Submission(
        case=f"cases/{document['case_id']}",
        language=document["language"],
        agreement_id=document["agreement_id"],
        sender=document["sender_party"],
        recipient=document["recipient_party"],
    )
    fill_body(submission.body, document)
    return submission


def the_door_is_served(office) -> None:
    from office import SERVICE

    serving = 1
    assert office.health("") == serving
    for service in (SERVICE, "article6.operations.v1.OperationsService", "article6.peer.v1.PeerService"):
        assert office.health(service) == serving, service
    services = office.services()
    assert {SERVICE, "grpc.health.v1.Health"} <= set(services), services


def bad_submissions_are_refused_with_reason_and_path(sender, document: dict) -> None:
    from office import refusal

    incomplete = copy.deepcopy(document)
    del incomplete["offences"]
    for call in (sender.validate, lambda submission: sender.submit("incomplete", submission)):
        refused = refusal(call, submission_of(incomplete))
        assert refused.code.name == "INVALID_ARGUMENT", refused
        assert (refused.info.domain, refused.info.reason) == ("article6", "BODY_INVALID"), refused
        expected = ("submission.body.assistance_request.offences", "OFFENCE_REQUIRED")
        assert expected in refused.fields(), refused.fields()

    misdirected = submission_of(document)
    misdirected.sender, misdirected.recipient = misdirected.recipient, misdirected.sender
    refused = refusal(sender.validate, misdirected)
    assert refused.code.name == "INVALID_ARGUMENT" and refused.info.reason == "WRONG_SENDER", refused


def submit_is_idempotent(sender, document: dict):
    from article6.backoffice.v1 import message_pb2 as messages
    from office import refusal

    request_id = str(uuid.uuid4())
    submission = submission_of(document)
    sender.validate(submission)
    message = sender.submit(request_id, submission)
    assert message.delivery.state == messages.DELIVERY_STATE_QUEUED, message.delivery
    assert message.case == submission.case
    assert sender.submit(request_id, submission) == message

    other = submission_of(document)
    other.body.assistance_request.object += " And the packaging."
    refused = refusal(sender.submit, request_id, other)
    assert refused.code.name == "ALREADY_EXISTS" and refused.info.reason == "REQUEST_ID_REUSED", refused
    return message


def the_receiver_takes_it_over(sender, receiver, message, document: dict):
    """Returns the cursor behind the message."""
    from article6.backoffice.v1 import message_pb2 as messages
    from article6.backoffice.v1 import message_service_pb2 as api
    from office import refusal

    # Content is read for a declared purpose only (Article 3.1).
    refused = refusal(receiver.watch, 1, view=messages.MESSAGE_VIEW_FULL)
    assert refused.info.reason == "PURPOSE_REQUIRED", refused

    (item,) = receiver.watch(1, view=messages.MESSAGE_VIEW_FULL, purpose=1, kinds=[api.FEED_KIND_RECEIVED])
    received = item.message
    assert item.kind == api.FEED_KIND_RECEIVED
    assert received.name == message.name
    assert received.direction == messages.DIRECTION_RECEIVED
    assert received.delivery.state == messages.DELIVERY_STATE_DELIVERED
    the_content_is_what_was_signed(sender, received, document)

    receiver.acknowledge(cursor=item.cursor)
    received = receiver.get(message.name)
    assert received.delivery.state == messages.DELIVERY_STATE_RETRIEVED, received.delivery
    assert not received.HasField("content")
    return item.cursor


def the_content_is_what_was_signed(sender, received, document: dict) -> None:
    from article6.channel.v1 import envelope_pb2

    content = received.content
    assert content.body == submission_of(document).body
    envelope = envelope_pb2.Envelope.FromString(content.envelope)
    assert envelope.body_commitment == proofs.sha256(content.body_salt, content.body_bytes)
    assert received.envelope_digest == proofs.sha256(content.envelope)
    assert received.name == f"messages/{uuid.UUID(bytes=envelope.message_id)}"
    assert received.case == f"cases/{uuid.UUID(bytes=envelope.case_id)}"
    assert envelope.statement == "article6/envelope/1"
    assert (envelope.sender, envelope.recipient) == (document["sender_party"], document["recipient_party"])
    assert envelope.agreement_id == document["agreement_id"]
    assert envelope.acting_official == dict(sender.metadata)["article6-official"]
    proofs.verify_signature(
        content.envelope, content.signature, sender.own("signing.pem"), sender.own("signing-ca.pem")
    )


def the_sender_gets_a_receipt(sender, message, document: dict) -> None:
    from article6.backoffice.v1 import message_pb2 as messages
    from article6.backoffice.v1 import message_service_pb2 as api
    from article6.ledger.v1 import event_pb2

    full = {"view": messages.MESSAGE_VIEW_FULL, "purpose": 1}
    (item,) = sender.watch(1, kinds=[api.FEED_KIND_OUTCOME], **full)
    assert item.message.name == message.name
    sent = sender.get(message.name, **full)
    delivery = sent.delivery
    assert delivery.state == messages.DELIVERY_STATE_DELIVERED and delivery.is_terminal, delivery

    origin = f"article6/TEST/{document['agreement_id']}/{document['recipient_party']}/1"
    proofs.verify_receipt(delivery.receipt, sender.counterparty_ledger_key(), origin)
    event = event_pb2.Event.FromString(delivery.receipt.event)
    assert event.WhichOneof("fact") == "received"
    assert event.received.sequence == sent.sequence
    assert event.received.envelope_digest == proofs.sha256(sent.content.envelope) == message.envelope_digest
    assert event.received.signature_digest == proofs.sha256(sent.content.signature)
    assert event.recorded_at == delivery.delivered_at

    forged = copy.deepcopy(delivery.receipt)
    forged.event = forged.event[:-1] + bytes([forged.event[-1] ^ 1])
    try:
        proofs.verify_receipt(forged, sender.counterparty_ledger_key(), origin)
    except AssertionError:
        return
    raise SystemExit("a forged receipt verifies")


def the_feed_goes_on_from_a_cursor(sender, receiver, document: dict, cursor: str) -> None:
    from article6.backoffice.v1 import message_service_pb2 as api

    # A further question is a request of its own.
    second = sender.submit(str(uuid.uuid4()), submission_of({**document, "case_id": str(uuid.uuid4())}))
    received = [api.FEED_KIND_RECEIVED]
    (resumed,) = receiver.watch(1, cursor=cursor, kinds=received)
    (remembered,) = receiver.watch(1, kinds=received)
    assert resumed.message.name == remembered.message.name == second.name
    assert resumed.cursor == remembered.cursor
    receiver.acknowledge(names=[second.name])

    listed = [message.name for message in receiver.all(case=second.case, page_size=1)]
    assert listed[0] == second.name and len(listed) == len(set(listed)), listed
    assert second.name in [message.name for message in sender.all(case=second.case)]


def main() -> None:
    asked = arguments()
    proofs.self_check()
    compile_protos(asked.protos, asked.build)
    from office import Office

    document = json.loads(asked.request.read_text())
    ends = [Office(address, pathlib.Path(keys), official) for address, keys, official in (asked.sender, asked.receiver)]
    with ends[0] as sender, ends[1] as receiver:
        the_door_is_served(sender)
        the_door_is_served(receiver)
        bad_submissions_are_refused_with_reason_and_path(sender, document)
        message = submit_is_idempotent(sender, document)
        cursor = the_receiver_takes_it_over(sender, receiver, message, document)
        the_sender_gets_a_receipt(sender, message, document)
        the_feed_goes_on_from_a_cursor(sender, receiver, document, cursor)
    print("all of it holds")


if __name__ == "__main__":
    main()
