"""Verifies receipts and signatures from the published formats alone.

RFC 6962 for the tree, C2SP tlog-proof, tlog-checkpoint and signed-note for the texts, CMS (RFC 5652) for envelopes.
"""

import base64
import hashlib
import pathlib
import subprocess
import tempfile

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def verify_signature(envelope: bytes, signature: bytes, certificate: pathlib.Path, authority: pathlib.Path) -> None:
    """OpenSSL's verdict on the detached CMS signature over the envelope's bytes, and on other bytes."""
    verdict = _openssl_verdict(envelope, signature, certificate, authority)
    assert verdict.returncode == 0, verdict.stderr
    other = bytes([envelope[0] ^ 1]) + envelope[1:]
    assert _openssl_verdict(other, signature, certificate, authority).returncode != 0


def _openssl_verdict(content: bytes, signature: bytes, certificate: pathlib.Path, authority: pathlib.Path):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "content").write_bytes(content)
        (folder / "signature").write_bytes(signature)
        command = ["openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-purpose", "any"]
        command += ["-in", folder / "signature", "-content", folder / "content", "-out", folder / "out"]
        command += ["-certfile", certificate, "-CAfile", authority]
        return subprocess.run(command, capture_output=True, text=True)


def verify_receipt(receipt, ledger_key: bytes, origin: str) -> int:
    """Checks that the ledger of this key and origin contains the receipt's event; returns the leaf's index."""
    index, path, note = read_tlog_proof(receipt.tlog_proof)
    size, root = read_checkpoint(note, ledger_key, origin)
    # The leaf's entry is the commitment to the event; RFC 6962, section 2.1, hashes it behind a zero byte.
    leaf = sha256(b"\0", sha256(receipt.salt, receipt.event))
    assert root_of(leaf, index, size, path) == root, "the inclusion proof leads to another root"
    return index


def read_tlog_proof(text: str) -> tuple[int, list[bytes], str]:
    """Index, inclusion proof and signed checkpoint of a C2SP tlog-proof."""
    head, note = text.split("\n\n", 1)
    header, *lines = head.split("\n")
    assert header == "c2sp.org/tlog-proof@v1", header
    if lines[0].startswith("extra "):
        lines = lines[1:]
    name, index = lines[0].split(" ")
    assert name == "index", name
    return int(index), [base64.b64decode(line, validate=True) for line in lines[1:]], note


def read_checkpoint(note: str, key: bytes, origin: str) -> tuple[int, bytes]:
    """Size and root of a C2SP tlog-checkpoint, after its Ed25519 signature has been verified."""
    text, signatures = note.rsplit("\n\n", 1)
    text += "\n"
    named, size, root = text.splitlines()
    assert named == origin, f"{named} is not {origin}"
    key_id = sha256(origin.encode(), b"\n\x01", key)[:4]
    verified = 0
    for line in signatures.splitlines():
        dash, name, value = line.split(" ")
        value = base64.b64decode(value, validate=True)
        if (dash, name, value[:4]) == ("\u2014", origin, key_id):
            Ed25519PublicKey.from_public_bytes(key).verify(value[4:], text.encode())
            verified += 1
    assert verified == 1, f"{verified} signatures of the ledger's key"
    return int(size), base64.b64decode(root, validate=True)


def root_of(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that an inclusion proof leads to (RFC 9162, section 2.1.3.2)."""
    assert 0 <= index < size
    at, last, node = index, size - 1, leaf
    for sibling in path:
        assert last > 0, "the proof is too long"
        if at & 1 or at == last:
            node = sha256(b"\1", sibling, node)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            node = sha256(b"\1", node, sibling)
        at, last = at >> 1, last >> 1
    assert last == 0, "the proof is too short"
    return node


def self_check() -> None:
    """A check that cannot fail proves nothing: trees of up to 20 leaves, and each proof altered."""
    for size in range(1, 21):
        leaves = [sha256(b"\0", bytes([at])) for at in range(size)]
        root = _tree(leaves)
        for at in range(size):
            path = _path(leaves, at)
            assert root_of(leaves[at], at, size, path) == root
            assert root_of(sha256(b"other"), at, size, path) != root
            if path:
                assert root_of(leaves[at], at, size, [sha256(path[0]), *path[1:]]) != root


def _split(size: int) -> int:
    """The largest power of two below the size."""
    return 1 << ((size - 1).bit_length() - 1)


def _tree(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    split = _split(len(leaves))
    return sha256(b"\1", _tree(leaves[:split]), _tree(leaves[split:]))


def _path(leaves: list[bytes], at: int) -> list[bytes]:
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if at < split:
        return [*_path(leaves[:split], at), _tree(leaves[split:])]
    return [*_path(leaves[split:], at - split), _tree(leaves[:split])]
