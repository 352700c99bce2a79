"""From the JSON documents in tests/fixtures to bodies.

The documents write enum values without their prefix ("OFFENCE" for GROUND_OFFENCE) and digests in hexadecimal; the
rest is the JSON mapping of protobuf.
"""

import base64

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor

# Keys that stand beside the content and belong to the envelope.
ENVELOPE_KEYS = {
    "kind",
    "agreement_id",
    "case_id",
    "sender_party",
    "recipient_party",
    "signed_at",
    "language",
    "in_reply_to",
}
# Test data only: the text of a document.
FIXTURE_CONTENT = "fixture_content"


def fill_body(body, document: dict) -> None:
    """Fills an article6.assistance.v1.Body; raises on a key or value the protos do not know."""
    member = document["kind"].lower()
    field = body.DESCRIPTOR.fields_by_name[member]
    content = {key: value for key, value in document.items() if key not in ENVELOPE_KEYS}
    json_format.ParseDict({member: _message(field.message_type, content)}, body)


def _message(descriptor, keys: dict) -> dict:
    known = {key: value for key, value in keys.items() if key != FIXTURE_CONTENT}
    return {key: _value(descriptor.fields_by_name[key], value) for key, value in known.items()}


def _value(field, value):
    if isinstance(value, list):
        return [_value(field, element) for element in value]
    if field.type == FieldDescriptor.TYPE_ENUM:
        return field.enum_type.values[0].name.removesuffix("UNSPECIFIED") + value
    if field.type == FieldDescriptor.TYPE_BYTES:
        return base64.b64encode(bytes.fromhex(value)).decode()
    if field.type == FieldDescriptor.TYPE_MESSAGE and isinstance(value, dict):
        return _message(field.message_type, value)
    return value
