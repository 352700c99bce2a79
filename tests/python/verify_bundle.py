"""Verifies bundles of evidence from their written format alone: a second opinion, independent of the program.

The format `article6/bundle/1` is written in the documentation of the module that makes bundles; the numbers below are
those of its list of what is checked. C2SP signed-note, tlog-checkpoint, tlog-cosignature and tlog-proof for the texts,
RFC 6962 for the tree, RFC 5652 for the signature, which OpenSSL verifies.
"""

import argparse
import base64
import binascii
import dataclasses
import hashlib
import importlib
import json
import pathlib
import struct
import subprocess
import tempfile
import zlib
from collections.abc import Callable, Iterable
from typing import Any

import cms_shape
import proofs
import protos
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet
from proofs import sha256

FORMAT = "article6/bundle/1"
ALWAYS = {"MANIFEST", "SUMMARY", "bundle.json", "envelope.bin", "record.tlog-proof", "signature.p7s", "signer.pem"}
OPTIONAL = {"body.bin", "receipt.tlog-proof", "before.tlog-proof", "before.checkpoint", "revocation.crl"}
MOST_ARCHIVE, MOST_FILES, MOST_BYTES = 2 << 20, 16, 1 << 20
MOST_NOTE, MOST_LINES, MOST_NAME, MOST_LEAVES, MOST_EXTRA = 256 << 10, 32, 512, 1 << 56, 64 << 10
ED25519, COSIGNATURE = 1, 4

# Verifies a detached CMS signature over bytes by the certificate (DER), or raises Unsound.
Cms = Callable[[bytes, bytes, bytes], None]


class Unsound(Exception):
    """The first thing in a bundle that does not hold."""


def require(holds: bool, fault: str) -> None:
    if not holds:
        raise Unsound(fault)


@dataclasses.dataclass
class Claims:
    """What a sound bundle proves: each code with the fingerprint of the key it rests on, and the two times."""

    codes: list[tuple[str, str]]
    earliest: int | None
    latest: int | None
    introducers: dict[str, str]  # an introduced key, and the key of the same Party that introduced it
    parties: dict[str, str]  # each key, and the Party the bundle says it is of

    def trusted(self, fingerprint: str, known: Iterable[str]) -> bool:
        """A key named with a Party is trusted as that Party's alone; introductions lead back to it."""
        party = self.parties[fingerprint]
        while not {fingerprint, f"{party}={fingerprint}"} & set(known):
            if fingerprint not in self.introducers:
                return False
            fingerprint = self.introducers[fingerprint]
        return True


@dataclasses.dataclass(frozen=True)
class Key:
    party: str
    use: str
    key: bytes
    introduced: dict[str, str] | None = dataclasses.field(compare=False)

    @property
    def fingerprint(self) -> str:
        return "sha256:" + sha256(self.key).hex()


def unpack(archive: bytes) -> dict[str, bytes]:
    """The files of the archive. One reading only: no gaps, no second headers, no sizes taken on trust."""
    end = len(archive) - 93  # the end record has 22 bytes, its comment 71
    require(0 <= end and len(archive) <= MOST_ARCHIVE, "too short or too long to be a bundle")
    mark, disk, first, here, count, size, start, comment = struct.unpack("<4s4H2LH", archive[end : end + 22])
    require((mark, disk, first, comment) == (b"PK\5\6", 0, 0, 71), "no end record with a seal")
    seal = f"sha256:{sha256(archive[:-73]).hex()}".encode()
    require(archive[-71:] == seal, "the seal is broken")
    require(here == count <= MOST_FILES and start + size == end, "the directory is out of place")
    files: dict[str, bytes] = {}
    entry, place = start, 0
    for _ in range(count):
        require(entry + 46 <= end, "the directory is cut off")
        (mark, _, need, *common, name_size, extra, remark, disk, _, _, offset) = struct.unpack(
            "<4s6H3L5H2L", archive[entry : entry + 46]
        )
        flags, method, _, _, crc, packed, plain = common
        name = archive[entry + 46 : entry + 46 + name_size]
        require((mark, extra, remark, disk, offset) == (b"PK\1\2", 0, 0, 0, place), "an entry is out of place")
        local = struct.pack("<4s5H3L2H", b"PK\3\4", need, *common, name_size, 0) + name
        require(archive[place : place + len(local)] == local, "the two headers of a file differ")
        plainly = need <= 20 and flags in (0, 0x800) and method in (0, 8) and plain <= MOST_BYTES
        require(plainly, "a file is packed in another way")
        place += len(local)
        data = archive[place : place + packed]
        require(place + packed <= start, "a file reaches into the directory")
        if method == 8:
            inflate = zlib.decompressobj(-15)
            try:
                data = inflate.decompress(data, MOST_BYTES + 1)
            except zlib.error as error:
                raise Unsound("a file cannot be unpacked") from error
            require(inflate.eof and not inflate.unused_data, "a file is not all of its packed bytes")
        require(len(data) == plain and zlib.crc32(data) == crc, "a file has another size or checksum")
        text = name.decode("ascii", "replace")
        require(text in ALWAYS | OPTIONAL and text not in files, f"{text}: unknown file, or there twice")
        files[text] = data
        entry, place = entry + 46 + name_size, place + packed
    require((entry, place) == (end, start), "bytes that belong to no file")
    require(files.keys() >= ALWAYS, f"missing: {sorted(ALWAYS - files.keys())}")
    return files


def exact_base64(text: Any, size: int | None = None) -> bytes:
    """Strict: one text for the same bytes, no other alphabet, no bits behind the end."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise Unsound("not base64") from error
    require(base64.b64encode(data).decode() == text, "not the canonical base64")
    require(size is None or len(data) == size, f"not {size} bytes")
    return data


def number(text: str) -> int:
    require(text.isascii() and text.isdigit() and len(text) <= 20 and str(int(text)) == text, "not a number")
    require(int(text) < 1 << 64, "too large a number")
    return int(text)


def epoch_of(name: str, base: str) -> int:
    """The epoch that stands behind `base` in the name of a ledger; 0 where it is another ledger's name."""
    digits = name.removeprefix(base)
    plain = digits != name and digits.isascii() and digits.isdigit() and len(digits) <= 10 and digits[0] != "0"
    return int(digits) if plain and int(digits) < 1 << 32 else 0


def utf8(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Unsound("not UTF-8") from error


@dataclasses.dataclass(frozen=True)
class Note:
    """A signed note, not yet believed: its text, and name, key identifier and signature of each line."""

    text: str
    signatures: list[tuple[str, bytes, bytes]]

    @classmethod
    def read(cls, raw: str) -> "Note":
        require(all(" " <= char or char == "\n" for char in raw), "control characters in a note")
        require(len(raw.encode()) <= MOST_NOTE, "too long a note")
        text, blank, lines = raw.rpartition("\n\n")
        require(bool(blank) and lines.endswith("\n"), "not a signed note")
        signatures = []
        for line in lines[:-1].split("\n"):
            dash, name, value, *more = [*line.split(" "), "", ""]
            require(dash == "\u2014" and more == ["", ""], "not a signature line")
            require(is_key_name(name), "not the name of a key")
            data = exact_base64(value)
            require(len(data) > 4, "a signature without a signature")
            signatures.append((name, data[:4], data[4:]))
        require(len(signatures) <= MOST_LINES, "too many signature lines")
        return cls(text + "\n", signatures)

    def check_lines(self, ledgers: list[tuple[str, list[Key]]]) -> None:
        """6: whatever stands under the name and key identifier of a listed key verifies, whoever's ledger this is."""
        for base, keys in ledgers:
            one_each(self.signed(base, keys, ED25519))
            self.signed(base, keys, COSIGNATURE)

    def signed(self, base: str, keys: list[Key], kind: int) -> list[tuple[Key, str, int]]:
        """Signatures of these keys in their order, each with the name it stands under, `base` and an epoch, and the
        time of a cosignature. Lines of other keys are passed over, as signed-note asks; one of a known key must verify:
        a note that somebody has tampered with is not worth reading."""
        found = []
        for name, key_id, signature in self.signatures:
            if epoch_of(name, base) == 0:
                continue
            for key in keys:
                if sha256(name.encode(), bytes([10, kind]), key.key)[:4] != key_id:
                    continue
                signed, time = self.text.encode(), 0
                if kind == COSIGNATURE:
                    require(len(signature) == 72, "a cosignature of another length")
                    time, signature = int.from_bytes(signature[:8], "big"), signature[8:]
                    signed = f"cosignature/v1\ntime {time}\n".encode() + signed
                try:
                    Ed25519PublicKey.from_public_bytes(key.key).verify(signature, signed)
                except (InvalidSignature, ValueError) as error:
                    raise Unsound(f"a signature of {name} is wrong") from error
                found.append((key, name, time))
        return sorted(found, key=lambda one: keys.index(one[0]))


def is_key_name(name: str) -> bool:
    plain = "+" not in name and "\x7f" not in name and not any(map(str.isspace, name))
    return 0 < len(name.encode()) <= MOST_NAME and plain


def one_each(found: list[tuple[Key, str, int]]) -> list[Key]:
    """The keys that signed, each once under each name: no honest ledger signs one text twice."""
    require(len({(key, name) for key, name, _ in found}) == len(found), "signed twice by the same key")
    return [key for key, _, _ in found]


def read_checkpoint(raw: str, base: str, keys: list[Key]) -> tuple[int, bytes, Key, Note]:
    """Size, root, signer and note of a checkpoint whose origin is its signer's name."""
    note = Note.read(raw)
    lines = note.text.split("\n")
    require(len(lines) == 4, "not a checkpoint of three lines")
    signers = one_each([one for one in note.signed(base, keys, ED25519) if one[1] == lines[0]])
    require(bool(signers), f"not signed by a ledger key of {base}")
    require(number(lines[1]) <= MOST_LEAVES, "too large a ledger")
    return number(lines[1]), exact_base64(lines[2], 32), signers[0], note


def read_proof(raw: str) -> tuple[int, list[bytes], str]:
    """Index, path and checkpoint of a tlog-proof; what it carries as extra is for others."""
    head, _, note = raw.partition("\n\n")
    mark, index, *path = [*head.split("\n"), ""]
    if index.startswith("extra "):
        require(0 < len(exact_base64(index[6:])) <= MOST_EXTRA, "nothing extra, or too much")
        index, *path = path
    require(mark == "c2sp.org/tlog-proof@v1" and index.startswith("index "), "not a tlog-proof")
    return number(index[6:]), [exact_base64(line, 32) for line in path[:-1]], note


def members(value: Any, always: str, optional: str = "") -> dict[str, Any]:
    """The members of a JSON object: all that must be there, none that is not known."""
    needed, known = set(always.split()), set(f"{always} {optional}".split())
    require(isinstance(value, dict) and needed <= value.keys() <= known, f"not the members of {always}")
    return value


def read_json(data: bytes) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        require(len(dict(pairs)) == len(pairs), "a member is there twice")
        return dict(pairs)

    try:
        facts = json.loads(utf8(data), object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise Unsound("bundle.json is not JSON") from error
    always = "format exporter counterparty environment agreement record keys"
    members(facts, always, "body_salt receipt before")
    require(all(isinstance(facts[name], str) for name in always.split()[:5]), "not a text")
    return facts


def read_keys(listed: Any) -> list[Key]:
    require(isinstance(listed, list), "the keys are no list")
    keys = []
    for entry in listed:
        members(entry, "party use key", "introduced")
        require(isinstance(entry["party"], str) and entry["use"] in ("signing", "ledger"), "a key of no known use")
        if "introduced" in entry:
            members(entry["introduced"], "envelope signature certificate body salt")
        key = exact_base64(entry["key"], 32 if entry["use"] == "ledger" else None)
        keys.append(Key(entry["party"], entry["use"], key, entry.get("introduced")))
    require(len({key.key for key in keys}) == len(keys), "a key is listed twice, or as both Parties'")
    return keys


def decode(name: str, data: bytes) -> Any:
    """A message of a compiled proto, such as `ledger.v1.event.Event`."""
    package, message = name.rsplit(".", 1)
    value = getattr(importlib.import_module(f"article6.{package}_pb2"), message)()
    try:
        value.ParseFromString(data)
    except DecodeError as error:
        raise Unsound(f"not a {message}") from error
    require(not is_misread(value), f"a {message} with a known field of another type")
    return value


def is_misread(message: Any) -> bool:
    """Whether a field of a known number came in another wire type: some decoders refuse it, some pass over it, and what
    two readers may understand differently proves nothing. Fields of unknown numbers are a later version's."""
    known = message.DESCRIPTOR.fields_by_number
    parts = [value for field, value in message.ListFields() if field.message_type]
    parts = [one for value in parts for one in ([value] if hasattr(value, "DESCRIPTOR") else value)]
    return any(field.field_number in known for field in UnknownFieldSet(message)) or any(map(is_misread, parts))


class Bundle:
    """The files of a bundle and what they prove."""

    def __init__(self, files: dict[str, bytes], cms: Cms) -> None:
        self.files, self.cms = files, cms
        self.facts = read_json(files["bundle.json"])
        require(self.facts["format"] == FORMAT, "bundle.json is of another format")
        self.parties = [self.facts["exporter"], self.facts["counterparty"]]
        for party in self.parties:
            require(len(party) == 2 and party.isascii() and party.isalpha() and party.isupper(), "not a Party")
        require(self.parties[0] != self.parties[1], "a Party cannot be its own counterparty")
        self.keys = read_keys(self.facts["keys"])
        require(all(key.party in self.parties for key in self.keys), "a key of a third Party")
        held = [("body_salt", "body.bin"), ("receipt", "receipt.tlog-proof")]
        for member, file in [*held, ("before", "before.tlog-proof"), ("before", "before.checkpoint")]:
            require((member in self.facts) == (file in files), f"one of {member} and {file} is missing")

    def ledger(self, party: str) -> tuple[str, list[Key]]:
        """The origin of a Party's ledger, up to the epoch, and its keys."""
        base = f"article6/{self.facts['environment']}/{self.facts['agreement']}/{party}/"
        return base, [key for key in self.keys if (key.party, key.use) == (party, "ledger")]

    def check_lines(self, note: Note) -> None:
        note.check_lines([self.ledger(party) for party in self.parties])

    def check_manifest(self) -> None:
        note = Note.read(utf8(self.files["MANIFEST"]))
        lines = [f"{base64.b64encode(sha256(data)).decode()} {name}\n" for name, data in sorted(self.files.items())
                 if name != "MANIFEST"]
        require(note.text == "".join([f"{FORMAT}\n", *lines]), "the manifest is of other files")
        self.check_lines(note)
        signers = note.signed(*self.ledger(self.parties[0]), ED25519)
        require(bool(signers), "no ledger key signed the manifest")
        utf8(self.files["SUMMARY"])

    def check_envelope(self, raw: bytes, signature: bytes, certificate: bytes) -> tuple[Any, Key]:
        """2: an envelope between the two Parties, and the key of its sender's that signed it."""
        envelope = decode("channel.v1.envelope.Envelope", raw)
        require(envelope.statement == "article6/envelope/1", "the envelope is of another format")
        require(sorted([envelope.sender, envelope.recipient]) == sorted(self.parties), "an envelope of other Parties")
        stated = {"PRODUCTION": 1, "TEST": 2}.get(self.facts["environment"])
        require(envelope.environment == stated, "the envelope is of another environment")
        require(envelope.agreement_id == self.facts["agreement"], "the envelope is of another agreement")
        signers = [key for key in self.keys if (key.party, key.use) == (envelope.sender, "signing")
                   and sha256(key.key) == envelope.signing_key_id]
        require(len(signers) == 1, "the envelope names no listed key of its sender")
        try:
            public = x509.load_der_x509_certificate(certificate).public_key()
            named = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        except Exception as error:  # the library documents no closed list
            raise Unsound("not a certificate of a key") from error
        require(named == signers[0].key and named in certificate, "the certificate is of another key")
        curve = getattr(getattr(public, "curve", None), "name", None)
        require(curve in ("secp256r1", "secp384r1"), "messages are signed with ECDSA P-256 or P-384")
        self.cms(raw, signature, certificate)
        return envelope, signers[0]

    def check_event(self, member: str, party: str) -> tuple[Any, int, str, Key, Note]:
        """4: an event of the Party's ledger, with its index, its checkpoint as text and as note, and the signer."""
        held = members(self.facts[member], "event salt")
        raw = exact_base64(held["event"])
        index, path, checkpoint = read_proof(utf8(self.files[f"{member}.tlog-proof"]))
        size, root, signer, note = read_checkpoint(checkpoint, *self.ledger(party))
        self.check_lines(note)
        leaf = sha256(b"\0", sha256(exact_base64(held["salt"], 32), raw))
        try:
            proven = proofs.root_of(leaf, index, size, path)
        except AssertionError as error:
            raise Unsound(f"{member}: the path does not fit the tree") from error
        require(proven == root, f"{member}: not in the ledger")
        event = decode("ledger.v1.event.Event", raw)
        require(event.HasField("recorded_at"), f"{member}: without a time")
        origin = note.text.partition("\n")[0]
        require(event.epoch <= epoch_of(origin, self.ledger(party)[0]), f"{member}: of a later epoch than its ledger")
        return event, index, checkpoint, signer, note

    def check_introductions(self, message_key: Key, message_sequence: int) -> dict[str, str]:
        """8: who introduced whom; and nothing that a key signed stands before its introduction."""
        introducers, places = {}, {}
        for key in self.keys:
            if key.introduced is None:
                continue
            part = {name: exact_base64(text) for name, text in key.introduced.items()}
            envelope, signer = self.check_envelope(part["envelope"], part["signature"], part["certificate"])
            require((envelope.sender, envelope.statement_type, envelope.kind) == (key.party, 2, 1), "no introduction")
            require(len(part["salt"]) == 32 and sha256(part["salt"], part["body"]) == envelope.body_commitment,
                    "the introduction is not what was signed")
            named = decode("channel.v1.service.KeyIntroduction", part["body"])
            use = {"signing": 1, "ledger": 2}[key.use]
            require((named.use, named.key) == (use, key.key), "another key was introduced")
            introducers[key.fingerprint] = signer.fingerprint
            places[key.fingerprint] = envelope.sequence
        for key, by in introducers.items():
            require(places.get(by, -1) < places[key], "a key introduced another before it was introduced itself")
        require(places.get(message_key.fingerprint, -1) < message_sequence, "the key was introduced after the message")
        return introducers

    def check(self) -> Claims:
        """2 to 8."""
        raw, signature = self.files["envelope.bin"], self.files["signature.p7s"]
        envelope, signer = self.check_envelope(raw, signature, certificate_of(self.files["signer.pem"]))
        codes = [("SIGNED", signer.fingerprint)]
        if "body.bin" in self.files:
            salt = exact_base64(self.facts["body_salt"], 32)
            require(sha256(salt, self.files["body.bin"]) == envelope.body_commitment, "the body is not what was signed")
        content = "CONTENT" if "body.bin" in self.files else "CONTENT_UNAVAILABLE"
        codes.append((content, signer.fingerprint))

        def names(member: str, party: str, *kinds: str) -> tuple[str, int, str, Key, Note]:
            event, *proof = self.check_event(member, party)
            kind = event.WhichOneof("fact")
            require(kind in kinds, f"{member}: not an event of this kind")
            fact = getattr(event, kind)
            named = (fact.sequence, fact.envelope_digest, fact.signature_digest)
            require(named == (envelope.sequence, sha256(raw), sha256(signature)), f"{member}: of another message")
            return kind.upper(), *proof

        exporter, counterparty = self.parties
        kinds = ("sealed",) if exporter == envelope.sender else ("received", "rejected")
        code, index, checkpoint, ledger_key, note = names("record", exporter, *kinds)
        require(code != "SEALED" or index == envelope.sealed_leaf_index, "sealed at another index than the envelope's")
        if code == "SEALED" or "receipt" not in self.facts:
            codes.append((code, ledger_key.fingerprint))
        if "receipt" in self.facts:  # 5
            own = code != "SEALED"
            code, at, _, ledger_key, _ = names("receipt", envelope.recipient, "received", "rejected")
            same = self.facts["receipt"] == self.facts["record"] and at == index
            require(same or not own, "the exporter's own receipt is not the record")
            codes.append((code, ledger_key.fingerprint))

        earliest = None
        if "before" in self.facts:  # 6
            event, at, same, _, _ = self.check_event("before", exporter)
            require(event.WhichOneof("fact") == "cosigned", "the event before is of another kind")
            require(at < index and same == checkpoint, "the event before is not before, or in another tree")
            text = utf8(self.files["before.checkpoint"])
            size, root, _, old = read_checkpoint(text, *self.ledger(exporter))
            self.check_lines(old)
            require((size, root) == (event.cosigned.size, event.cosigned.root), "the event before is of another head")
            require(size <= at, "the event before is in the head that was cosigned before it")
            earliest = event.cosigned.cosigned_at
            by = [key for key, _, time in old.signed(*self.ledger(counterparty), COSIGNATURE) if time == earliest]
            require(bool(by), "before.checkpoint is not cosigned at the time its event names")
            codes.append(("RECORDED_AFTER", by[0].fingerprint))
        latest = None
        later = note.signed(*self.ledger(counterparty), COSIGNATURE)  # 7
        if later:
            key, _, latest = min(later, key=lambda one: one[2])
            require(earliest is None or earliest <= latest, "cosigned before what stands before it")
            codes.append(("RECORDED_BEFORE", key.fingerprint))
        introducers = self.check_introductions(signer, envelope.sequence)
        return Claims(codes, earliest, latest, introducers, {key.fingerprint: key.party for key in self.keys})


def certificate_of(pem: bytes) -> bytes:
    """The one certificate of a PEM text that holds nothing else, in DER."""
    try:
        certificates = x509.load_pem_x509_certificates(pem)
    except Exception as error:  # the library documents no closed list
        raise Unsound("signer.pem holds no certificate") from error
    require(len(certificates) == 1, "signer.pem holds more than one certificate")
    require(certificates[0].public_bytes(Encoding.PEM) == pem, "signer.pem is not just a certificate")
    return certificates[0].public_bytes(Encoding.DER)


def openssl_cms(content: bytes, signature: bytes, certificate: bytes) -> None:
    """OpenSSL's verdict. The certificate is its own anchor, at any time: whose it is, fingerprints tell. OpenSSL must
    have verified with this certificate and no other that the signature may bring along."""
    try:
        cms_shape.check(signature, certificate)
    except ValueError as error:
        raise Unsound("not a detached CAdES-BES signature of the one form") from error
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "content").write_bytes(content)
        (folder / "signature").write_bytes(signature)
        pem = x509.load_der_x509_certificate(certificate).public_bytes(Encoding.PEM)
        (folder / "signer").write_bytes(pem)
        command = "openssl cms -verify -cades -binary -inform DER -purpose any -partial_chain -no_check_time".split()
        command += "-in signature -content content -certfile signer -CAfile signer -no-CApath -no-CAstore".split()
        done = subprocess.run([*command, "-signer", "by", "-out", "out"], cwd=folder, capture_output=True, text=True)
        require(done.returncode == 0, f"openssl: {done.stderr.strip()}")
        require(certificate_of((folder / "by").read_bytes()) == certificate, "another certificate signed")


def verify(archive: bytes, cms: Cms = openssl_cms) -> Claims:
    """What the bundle proves; raises Unsound at the first thing that does not hold."""
    bundle = Bundle(unpack(archive), cms)
    bundle.check_manifest()
    return bundle.check()


def pack(files: dict[str, bytes]) -> bytes:
    """An archive of these files, sealed: what anybody can make without a key."""
    body, directory = b"", b""
    for name, data in sorted(files.items()):
        common = struct.pack("<5H3L2H", 20, 0, 0, 0, 33, zlib.crc32(data), len(data), len(data), len(name), 0)
        directory += b"PK\1\2\x14\0" + common + struct.pack("<3H2L", 0, 0, 0, 0, len(body)) + name.encode()
        body += b"PK\3\4" + common + name.encode() + data
    end = struct.pack("<4s4H2L", b"PK\5\6", 0, 0, len(files), len(files), len(directory), len(body))
    sealed = body + directory + end
    return sealed + struct.pack("<H", 71) + f"sha256:{sha256(sealed).hex()}".encode()


def with_manifest_text(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files with the text of a manifest that fits them, above the signature that stood there."""
    if "MANIFEST" not in files:
        return files
    signature = files["MANIFEST"].rpartition(b"\n\n")[2]
    lines = [f"{base64.b64encode(sha256(data)).decode()} {name}" for name, data in sorted(files.items())
             if name != "MANIFEST"]
    return files | {"MANIFEST": "\n".join([FORMAT, *lines, "\n"]).encode() + signature}


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]


def self_check(archive: bytes, step: int) -> dict[str, int]:
    """A check that cannot fail proves nothing: alters a sound bundle in every way and counts. Each file is altered as
    anybody could, and as the exporter could, whose manifest would fit: then everything behind it must notice."""
    counts = {"controls": 0, "bytes flipped": 0, "files altered": 0, "files altered behind the manifest": 0}

    def refused(what: str, count: str, check: Callable[[], object]) -> None:
        counts[count] += 1
        try:
            check()
        except Unsound:
            return
        raise SystemExit(f"ACCEPTED: {what}")

    files = unpack(archive)
    for control in (archive, pack(files), pack(with_manifest_text(files))):
        verify(control)
        Bundle(unpack(control), openssl_cms).check()
        counts["controls"] += 1
    for at in range(0, len(archive), step):
        refused(f"byte {at} flipped", "bytes flipped", lambda: verify(flipped(archive, at)))
    for name, data in files.items():
        variants = [(f"without {name}", {other: files[other] for other in files if other != name})]
        for at in sorted({len(data) * part // 8 for part in range(8)}):
            variants.append((f"{name} with byte {at} flipped", files | {name: flipped(data, at)}))
        for what, variant in variants:
            refused(what, "files altered", lambda: verify(pack(variant)))
            if name != "MANIFEST":
                fitting = pack(with_manifest_text(variant))
                refused(f"{what}, manifest fits", "files altered", lambda: verify(fitting))
            if name not in ("MANIFEST", "SUMMARY", "revocation.crl"):  # these prove nothing themselves
                behind = "files altered behind the manifest"
                refused(what, behind, lambda: Bundle(unpack(pack(variant)), openssl_cms).check())
    return counts


def report(file: pathlib.Path, known: list[str]) -> dict[str, Any]:
    """The verdict on one file as it is printed."""
    answer = {"file": str(file), "sound": False, "fault": None, "codes": [], "earliest": None, "latest": None}
    try:
        claims = verify(file.read_bytes())
    except Unsound as fault:
        return answer | {"fault": str(fault)}
    codes = [[code, claims.trusted(key, known)] for code, key in claims.codes]
    return answer | {"sound": True, "codes": codes, "earliest": claims.earliest, "latest": claims.latest}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--build", required=True, type=pathlib.Path, help="folder for the compiled protos")
    parser.add_argument("--protos", required=True, type=pathlib.Path, help="folder of the protos")
    whose = "PARTY=sha256:HEX of a key whose holder is known; without PARTY= the bundle is believed about that"
    parser.add_argument("--trust", action="append", default=[], help=whose)
    parser.add_argument("--self-check", type=pathlib.Path, metavar="FILE", help="alter this sound bundle instead")
    parser.add_argument("--step", type=int, default=1, help="flip every so manieth byte in the self-check")
    arguments = parser.parse_args()
    if not __debug__:
        parser.error("asserts are needed: run without -O")
    protos.compile_protos(arguments.protos, arguments.build)
    if arguments.self_check:
        print(json.dumps(self_check(arguments.self_check.read_bytes(), arguments.step)))
        return 0
    reports = [report(file, arguments.trust) for file in arguments.files]
    for line in reports:
        print(json.dumps(line))
    return 0 if all(line["sound"] for line in reports) else 1


if __name__ == "__main__":
    raise SystemExit(main())
