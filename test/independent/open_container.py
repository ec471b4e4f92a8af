#!/usr/bin/env python3
"""Reads a conclave container as far as the standard library reaches, written from docs/spec/container.md alone.

Usage: open_container.py FILE [CONTENT-KEY-HEX]
Prints JSON: the header, the lengths of every part, and the digests that sealing is bound to. With the content key of a `stream`
container (32 bytes) it also recomputes the commitment and the payload key. It decrypts nothing: Python brings neither ML-KEM nor AES.
"""
import hashlib
import hmac
import json
import re
import sys

MAGIC = b"conclave container 1\n"
MEMBERS = {
    "type", "version", "body", "chunk", "content", "created", "environment", "epoch", "key", "recipients", "suite",
}
ENC = {0x647A: 1120, 0x0051: 1665, 0x0040: 768, 0x0041: 1088, 0x0042: 1568}


def canonical(value):
    """RFC 8785 for what a header holds: integers, strings, null, arrays, objects."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def no_duplicates(pairs):
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), "a member appears twice"
    return dict(pairs)


def hkdf(ikm, salt, info, length):
    prk = hmac.new(salt, ikm, hashlib.sha256).digest()
    out, block, counter = b"", b"", 1
    while len(out) < length:
        block = hmac.new(prk, block + info + bytes([counter]), hashlib.sha256).digest()
        out, counter = out + block, counter + 1
    return out[:length]


def main(path, content_key=None):
    data = open(path, "rb").read()
    assert data.startswith(MAGIC), "not a container of version 1"
    end = data.index(b"\n", len(MAGIC), len(MAGIC) + 65536)
    line, prefix, rest = data[len(MAGIC) : end], data[: end + 1], data[end + 1 :]
    header = json.loads(line, object_pairs_hook=no_duplicates)
    assert canonical(header) == line, "not canonical"
    assert set(header) == MEMBERS, "other members"
    assert header["type"] == "conclave/container" and header["version"] == 1
    assert header["suite"] == {"aead": 2, "kdf": 1}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", header["created"])
    assert (header["content"] == "key") == (header["key"] is not None)
    single, chunk = header["body"] == "single", header["chunk"]
    assert single == (chunk is None)
    parts, at = [], 0
    for recipient in header["recipients"]:
        extra = 0 if single else 48
        expected = ENC.get(recipient["kem"])
        assert expected is None or expected + extra == recipient["bytes"], "a recipient of another length"
        part = rest[at : at + recipient["bytes"]]
        assert len(part) == recipient["bytes"], "cut"
        parts.append(part)
        at += recipient["bytes"]
    result = {"header": header, "aad": hashlib.sha256(prefix).hexdigest(), "recipientBytes": at}
    if single:
        assert len(parts) == 1 and len(rest) - at >= 16, "cut"
        result["contentBytes"] = len(rest) - at - 16
    else:
        commitment, body = rest[at : at + 32], rest[at + 32 :]
        pieces = -(-len(body) // (chunk + 16))
        last = len(body) - (pieces - 1) * (chunk + 16) - 16
        assert pieces >= 1 and last >= 0 and (last > 0 or pieces == 1), "cut"
        result["chunks"], result["contentBytes"] = pieces, (pieces - 1) * chunk + last
        bound = hashlib.sha256(prefix + b"".join(parts)).digest()
        result["salt"], result["commitment"] = bound.hex(), commitment.hex()
        if content_key is not None:
            both = hkdf(bytes.fromhex(content_key), bound, b"conclave/container/v1/payload", 64)
            result["committed"] = both[32:] == commitment
            result["payloadKey"] = both[:32].hex()
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main(*sys.argv[1:])
