"""Checks a signing session with prepared nonces, and puts its signature together, with the standard library alone.

    verify_prepared.py FOLDER...

A folder holds what travelled: a start message of version 3, the batches that it names, the signature shares. Written from
docs/spec/threshold.md and RFC 9591, and knows nothing of conclave's source. A line for each folder says what is wrong, or the
signature in hex. Sessions of frost-ed25519.
"""
import hashlib
import os
import re
import sys

from groups import SUITES
from verify_threshold import (
    Cbor, Wrong, canonical, certified, decoded, exactly, factors, identity_of, need, parse_json, read_message, sha256, unbase64,
    unhex, write_cbor,
)

CONTEXT = b"FROST-ED25519-SHA512-v1"
FORM = "type version session operation suite created environment threshold parties contributors receivers policy group message prepared"


def batch_of(data, what):
    """A batch: its parts, its id, the Ed25519 and X-Wing keys that are certified for it."""
    need(len(data) <= 64 * 1024, f"{what} is too long")
    read = Cbor.read(data, what)
    need(isinstance(read, list) and len(read) == 12, f"{what} is no batch")
    kind, version, suite, key, a, epoch, number, signing, sealing, pairs, person, certificate = read
    need((kind, version) == ("conclave/threshold-batch", 1), f"{what} is no batch")
    need([len(each) for each in (key, a, signing, sealing)] == [32, 32, 32, 1216], f"{what} has a member of another length")
    need(1 <= len(pairs) <= 100 and {len(each) for each in pairs} == {64}, f"{what} has other pairs")
    identity = parse_json(person, what)
    ids, keys = identity_of(identity)
    said = [suite, key, a, epoch, number, bytes.fromhex(identity["id"]), signing, sealing, pairs]
    named = sha256(b"conclave-threshold-batch-v1\0", write_cbor(said)).hex()
    expected = {"identity": identity["id"], "number": number, "purpose": f"{suite}/batch", "session": named}
    need(certified(certificate, ids, keys, what, expected) == (signing, sealing), f"{what} is certified with other keys")
    return {"id": named, "suite": suite, "key": key.hex(), "a": a, "number": number, "identity": identity["id"],
            "keys": (signing, sealing), "pairs": pairs}


def context_of(group, record):
    """A of the group's share commitments."""
    members = record["members"]
    return sha256(
        b"conclave/frost-a", group.code, record["threshold"].to_bytes(2, "big"), len(members).to_bytes(2, "big"),
        bytes.fromhex(record["publicKey"]),
        *(each["number"].to_bytes(2, "big") + bytes.fromhex(each["publicShare"]) for each in members),
        bytes.fromhex(record["ceremony"]),
    )


def reduced(group, *parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % group.q


def signature(group, key, public, commitments, message, shares):
    """RFC 9591, sections 4.4 to 5.3."""
    listed = b"".join(group.write(i) + d + e for i, (d, e) in commitments.items())
    both = hashlib.sha512(CONTEXT + b"msg" + message).digest() + hashlib.sha512(CONTEXT + b"com" + listed).digest()
    rho = {i: reduced(group, CONTEXT, b"rho", key, both, group.write(i)) for i in commitments}
    points = {i: [decoded(group, each, f"a commitment of party {i}") for each in pair] for i, pair in commitments.items()}
    nonce = {i: group.add(d, group.multiply(e, rho[i])) for i, (d, e) in points.items()}
    total = group.identity
    for each in nonce.values():
        total = group.add(total, each)
    r = group.encode(total)
    c = reduced(group, r, key, message)
    weights = factors(list(commitments), group.q)
    z = 0
    for i, share in shares.items():
        value = group.scalar(share)
        need(value is not None, f"the share of party {i} is no scalar")
        right = group.add(nonce[i], group.multiply(public[i], c * weights[i] % group.q))
        need(group.same(group.multiply(group.base, value), right), f"the share of party {i} is wrong")
        z = (z + value) % group.q
    return r + group.write(z)


def check(folder):
    files = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            files[name] = file.read(4 << 20)
    starts = [data for name, data in files.items() if name.endswith("-start.json")]
    need(len(starts) == 1, "it has not one start message")
    start = exactly(parse_json(starts[0], "the start message"), FORM, "the start message")
    need((start["type"], start["version"]) == ("conclave/threshold-start", 3), "it has no start message of version 3")
    need((start["operation"], start["suite"]) == ("sign", "frost-ed25519"), "this reader knows no such session")
    group, record = SUITES[start["suite"]], start["group"]
    terms = sha256(b"conclave-threshold-terms-v1\0", canonical(start), b"\n")
    session = unhex(start["session"], 32, "the session")
    signers = start["contributors"]
    need(signers == sorted(set(signers)) and len(signers) >= record["threshold"], "the quorum is none")
    need([each["number"] for each in start["parties"]] == signers and start["receivers"] == [], "a party has no part in it")
    need([each["number"] for each in start["prepared"]] == signers, "it does not name a pair for each signer")
    batches = {}
    for name, data in files.items():
        if re.search(r"-batch-(?:from|of)-[0-9]+\.cbor$", name):
            batch = batch_of(data, name)
            batches[batch["id"]] = batch
    keys, commitments = {}, {}
    for party, pair in zip(start["parties"], start["prepared"]):
        exactly(pair, "number batch index hiding binding", "a pair")
        need(pair["batch"] in batches, f"the batch of party {party['number']} is not there")
        batch = batches[pair["batch"]]
        theirs = (batch["number"], batch["identity"], batch["suite"], batch["key"], batch["a"])
        owed = (party["number"], party["identity"], start["suite"], record["key"], context_of(group, record))
        need(theirs == owed, f"the batch of party {party['number']} is for something else")
        d, e = unhex(pair["hiding"], 32, "a commitment"), unhex(pair["binding"], 32, "a commitment")
        need(0 <= pair["index"] < len(batch["pairs"]) and batch["pairs"][pair["index"]] == d + e, "a pair is not that of its batch")
        keys[party["number"]], commitments[party["number"]] = batch["keys"], (d, e)
    rows = [[each["number"], bytes.fromhex(each["identity"]), *keys[each["number"]]] for each in start["parties"]]
    named = {0: 1, 1: session, 2: "frost-ed25519/sign", 3: terms, 4: rows}
    roster = sha256(b"conclave-roster-v1\0", write_cbor(named))
    shares = {}
    for name, data in files.items():
        if not name.endswith(".msg"):
            continue
        slot, body, _ = read_message(data, name, roster, session, {i: each[0] for i, each in keys.items()})
        need(slot[:2] == (1, "signature-share") and slot[2] not in shares, f"{name} has no place in the session")
        shares[slot[2]] = body
    need(sorted(shares) == signers, "not every signer has answered")
    public = {each["number"]: decoded(group, bytes.fromhex(each["publicShare"]), "a public share") for each in record["members"]}
    message = unbase64(start["message"], "the message")
    return signature(group, bytes.fromhex(record["publicKey"]), public, commitments, message, shares).hex()


def main():
    holds = len(sys.argv) > 1
    for folder in sys.argv[1:]:
        try:
            print(f"ok  {folder}: {check(folder)}")
        except (Wrong, KeyError, TypeError, ValueError, AttributeError, IndexError) as problem:
            holds = False
            print(f"WRONG  {folder}: {problem!r}")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
