"""The one form of CMS signature (RFC 5652) that a bundle may hold, field by field.

OpenSSL verifies the signature; but it also accepts one without signed attributes, with embedded certificates or with
unsigned bytes. What it leaves open is closed here.
"""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

PKCS9 = "2a864886f70d0109"
SIGNED_DATA, DATA = "2a864886f70d010702", "2a864886f70d010701"
CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME = PKCS9 + "03", PKCS9 + "04", PKCS9 + "05"
SIGNING_CERTIFICATE = PKCS9 + "10022f"
SHA256, SHA384, SHA512 = (f"60864801650304020{last}" for last in "123")
ECDSA_SHA256, ECDSA_SHA384 = "2a8648ce3d040302", "2a8648ce3d040303"
SCHEMES = {
    "secp256r1": {(SHA256, ECDSA_SHA256)},
    "secp384r1": {(SHA384, ECDSA_SHA384), (SHA256, ECDSA_SHA256)},
}
MOST_BYTES = 4096


class Misshaped(ValueError):
    """The signature has another form."""


def need(holds: bool) -> None:
    if not holds:
        raise Misshaped


def fields(data: bytes) -> list[tuple[int, bytes]]:
    """Tag and value of each field; lengths are minimal, as DER has them."""
    found = []
    while data:
        need(len(data) >= 2)
        size, at = data[1], 2
        if size > 127:
            count = size - 128
            need(1 <= count <= 4 and len(data) >= 2 + count)
            at, size = 2 + count, int.from_bytes(data[2 : 2 + count], "big")
            need(size > 127 and size.bit_length() > 8 * (count - 1))
        need(len(data) >= at + size)
        found.append((data[0], data[at : at + size]))
        data = data[at + size :]
    return found


def inside(data: bytes, *tags: int) -> list[bytes]:
    """The values of fields with exactly these tags."""
    found = fields(data)
    need([tag for tag, _ in found] == list(tags))
    return [value for _, value in found]


def algorithm(value: bytes, null_allowed: bool) -> str:
    """The identifier of an algorithm without parameters."""
    (tag, name), *parameters = fields(value)
    need(tag == 6 and (not parameters or null_allowed and parameters == [(5, b"")]))
    return name.hex()


def issuer_and_serial(certificate: bytes) -> tuple[bytes, bytes]:
    """Values of the two fields, as the certificate has them."""
    whole = fields(inside(certificate, 0x30)[0])
    tbs = [field for field in fields(whole[0][1]) if field[0] != 0xA0]
    return tbs[2][1], tbs[0][1]


def check(signature: bytes, certificate: bytes) -> None:
    """Raises Misshaped where the signature has another form, or names another certificate than this (DER)."""
    need(len(signature) <= MOST_BYTES)
    public = x509.load_der_x509_certificate(certificate).public_key()
    need(isinstance(public, EllipticCurvePublicKey))
    name, explicit = inside(inside(signature, 0x30)[0], 6, 0xA0)
    need(name.hex() == SIGNED_DATA)
    version, digests, content, signers = inside(inside(explicit, 0x30)[0], 2, 0x31, 0x30, 0x31)
    need(version == b"\1" and inside(content, 6)[0].hex() == DATA)
    version, named, digest, attributes, signing, _ = inside(inside(signers, 0x30)[0], 2, 0x30, 0x30, 0xA0, 0x30, 4)
    issuer, serial = issuer_and_serial(certificate)
    need(version == b"\1" and inside(named, 0x30, 2) == [issuer, serial])
    need(inside(digests, 0x30)[0] == digest)
    scheme = (algorithm(digest, null_allowed=True), algorithm(signing, null_allowed=False))
    need(scheme in SCHEMES.get(public.curve.name, set()))
    check_attributes(attributes, issuer, serial)


def check_attributes(data: bytes, issuer: bytes, serial: bytes) -> None:
    """Exactly four, in DER order, each with one value."""
    attributes = [value for tag, value in fields(data) if tag == 0x30]
    need(len(attributes) == len(fields(data)) == 4)
    need(attributes == sorted(attributes, key=lambda one: (len(one), one)))
    values = {}
    for attribute in attributes:
        name, value = inside(attribute, 6, 0x31)
        need(len(fields(value)) == 1)
        values[name.hex()] = fields(value)[0]
    need(values.keys() == {CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME, SIGNING_CERTIFICATE})
    need(values[CONTENT_TYPE] == (6, bytes.fromhex(DATA)) and values[MESSAGE_DIGEST][0] == 4)
    check_time(*values[SIGNING_TIME])
    tag, certificates = values[SIGNING_CERTIFICATE]
    need(tag == 0x30)
    named = fields(inside(inside(certificates, 0x30)[0], 0x30)[0])
    if named and named[0][0] == 0x30:
        need(algorithm(named.pop(0)[1], null_allowed=True) in (SHA256, SHA384, SHA512))
    need(bool(named) and named.pop(0)[0] == 4)
    if named:
        (tag, repeated), = named
        general, number = inside(repeated, 0x30, 2)
        need(tag == 0x30 and number == serial and inside(inside(general, 0xA4)[0], 0x30)[0] == issuer)


def check_time(tag: int, value: bytes) -> None:
    """The one spelling of a second: two digits of the year up to 2049, four after that."""
    text = value.decode("ascii", "replace")
    form = {0x17: "%y%m%d%H%M%SZ", 0x18: "%Y%m%d%H%M%SZ"}.get(tag)
    need(form is not None and len(text) == len({0x17: "yymmddhhmmssZ", 0x18: "yyyymmddhhmmssZ"}[tag]))
    if tag == 0x17:
        need(text[:2].isdigit() and not 50 <= int(text[:2]) < 70)
        text, form = ("19" if int(text[:2]) >= 70 else "20") + text, "%Y%m%d%H%M%SZ"
        limits = (1970, 2049)
    else:
        limits = (2050, 9999)
    try:
        at = datetime.datetime.strptime(text, form)
    except ValueError as error:
        raise Misshaped from error
    need(at.strftime(form) == text and limits[0] <= at.year <= limits[1])
