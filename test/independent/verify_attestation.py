#!/usr/bin/env python3
"""Checks conclave's attestations. Written from docs/spec/attestation.md, statement.md, identity.md and audit-chain.md alone;
Python 3 standard library only.

    verify_attestation.py --signer IDENTITY.pub... [--log audit.jsonl] ATTESTATION...

Of an operator's two signatures the Ed25519 one is verified; the ML-DSA-65 one must be there and have its length (verifying it
takes a library). With --log, each attestation must be named by the entry that follows the one it names.

Exit codes: 0 all hold, 1 one does not, 65 malformed.
"""
import argparse
import base64
import hashlib
import json
import os
import re
import sys

import ed25519


class Problem(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def sha256(data):
    return hashlib.sha256(data).digest()


# --- JSON: strict, and canonical where the documents ask for it -------------------------------------------------------------


def no_duplicates(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise Problem(65, "a member occurs twice")
    return dict(pairs)


def no_fraction(text):
    raise Problem(65, "a number that is no integer: " + text[:20])


def read_json(data, what):
    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=no_duplicates,
            parse_float=no_fraction,
            parse_constant=no_fraction,
        )
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Problem(65, f"{what}: {error}")


def canonical(value):
    def ordered(value):
        if isinstance(value, dict):
            names = sorted(value, key=lambda name: name.encode("utf-16-be"))
            return {name: ordered(value[name]) for name in names}
        return [ordered(item) for item in value] if isinstance(value, list) else value

    return json.dumps(ordered(value), separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def members(value, names, what):
    if not isinstance(value, dict) or set(value) != set(names):
        raise Problem(65, f"{what} does not have exactly the members {', '.join(names)}")
    return value


def base64_bytes(text, what):
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, TypeError):
        raise Problem(65, f"{what} is not base64")
    if base64.b64encode(data).decode() != text:
        raise Problem(65, f"{what} is not canonical base64")
    return data


# --- identities -----------------------------------------------------------------------------------------------------------


def key_id(name, key):
    return sha256(b"conclave-key-v1\0" + name + b"\0\0" + key).hex()


def read_identity(path):
    with open(path, "rb") as file:
        data = file.read(16 * 1024 + 1)
    names = ["type", "version", "id", "name", "created", "environment", "ed25519", "mlDsa65", "xWing"]
    it = members(read_json(data, path), names, path)
    if data != canonical(it) + b"\n" or it["type"] != "conclave/identity" or it["version"] != 1:
        raise Problem(65, f"{path} is no identity")
    keys = {}
    for member, name, length in (("ed25519", b"ed25519", 32), ("mlDsa65", b"ml-dsa-65", 1952), ("xWing", b"x-wing", 1216)):
        raw = base64_bytes(it[member], f"{path}: {member}")
        if len(raw) != length:
            raise Problem(65, f"{path}: {member} has another length")
        keys[member] = (key_id(name, raw), raw)
    text = b"".join(ident.encode() + b"\0" for ident, _ in keys.values())
    if sha256(b"conclave-identity-v1\0" + text).hex() != it["id"]:
        raise Problem(1, f"{path}: the id is not that of the keys")
    return {"id": it["id"], "name": it["name"], **keys}


# --- the statement ----------------------------------------------------------------------------------------------------------

TYPE = "https://conclave.dev/attestation/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
OPERATIONS = "generate sign encrypt decrypt derive wrap unwrap import export destroy".split()
HEX32 = re.compile(r"[0-9a-f]{64}\Z")


def files(value, what):
    if not isinstance(value, list) or len(value) > 64:
        raise Problem(65, f"{what} is no list of files")
    for file in value:
        members(file, ["name", "sha256"], what)
        if not isinstance(file["name"], str) or not HEX32.match(str(file["sha256"])):
            raise Problem(65, f"{what} names no file")
    return value


def check_predicate(it):
    members(it, "operation key operator time inputs outputs device evidence note previous tool".split(), "the predicate")
    key = members(it["key"], "id name algorithm profile environment policy".split(), "key")
    operator = members(it["operator"], ["id", "name"], "operator")
    tool = members(it["tool"], ["name", "version"], "tool")
    if it["operation"] not in OPERATIONS or tool["name"] != "conclave":
        raise Problem(65, "an operation or a tool that version 1 does not know")
    if not HEX32.match(str(key["id"])) or not HEX32.match(str(operator["id"])):
        raise Problem(65, "an id that is none")
    if not re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z", str(it["time"])):
        raise Problem(65, "a time that is none")
    if it["device"] is not None:
        device = members(it["device"], "kind manufacturer model serial label firmware hardware attributes".split(), "device")
        said = members(
            device["attributes"],
            "local sensitive alwaysSensitive extractable neverExtractable keyGenMechanism".split(),
            "attributes",
        )
        for name, value in said.items():
            if value is not None and isinstance(value, bool) == (name == "keyGenMechanism"):
                raise Problem(65, f"attribute {name} has another type")
    if it["previous"] is not None:
        members(it["previous"], ["seq", "hash"], "previous")
    subjects = [{"name": key["name"] if key["name"] is not None else key["id"][:16], "digest": {"conclave-key-v1": key["id"]}}]
    for member in ("inputs", "outputs", "evidence"):
        for file in files(it[member], member):
            subjects.append({"name": file["name"], "digest": {"sha256": file["sha256"]}})
    return subjects


def check(path, signers, log):
    with open(path, "rb") as file:
        data = file.read(1024 * 1024)
    envelope = members(read_json(data, path), ["payload", "payloadType", "signatures"], path)
    if envelope["payloadType"] != PAYLOAD_TYPE:
        raise Problem(65, f"{path} is no statement")
    payload = base64_bytes(envelope["payload"], f"{path}: payload")
    statement = members(read_json(payload, path), ["_type", "subject", "predicateType", "predicate"], path)
    if canonical(statement) != payload:
        raise Problem(65, f"{path}: the payload is not canonical")
    if statement["_type"] != "https://in-toto.io/Statement/v1" or statement["predicateType"] != TYPE:
        raise Problem(65, f"{path} is no attestation")
    it = statement["predicate"]
    if check_predicate(it) != statement["subject"]:
        raise Problem(65, f"{path}: the subjects do not follow from the predicate")

    message = b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)
    found = {}
    for signature in envelope["signatures"]:
        members(signature, ["keyid", "sig"], f"{path}: signature")
        if signature["keyid"] in found:
            raise Problem(1, f"{path}: two signatures name one key")
        found[signature["keyid"]] = base64_bytes(signature["sig"], f"{path}: signature")
    signed = []
    for who in signers:
        (first, key), (second, _) = who["ed25519"], who["mlDsa65"]
        if first not in found and second not in found:
            continue
        if first not in found or len(found.get(second, b"")) != 3309:
            raise Problem(1, f"{path}: {who['name']} signed with one key only")
        if not ed25519.verify(key, message, found[first]):
            raise Problem(1, f"{path}: the signature of {who['name']} does not verify")
        signed.append(who["id"])
    if it["operator"]["id"] not in signed:
        raise Problem(1, f"{path}: the operator did not sign it")

    if log is not None:
        previous = it["previous"]
        at = 0 if previous is None else previous["seq"] + 1
        if previous is not None and (at > len(log) or log[previous["seq"]]["hash"] != previous["hash"]):
            raise Problem(1, f"{path}: entry {previous['seq']} of the log is another one")
        entry = log[at]["entry"] if at < len(log) else {"type": "nothing", "data": {}}
        if entry["type"] != "attestation.made" or entry["data"].get("sha256") != sha256(data).hex():
            raise Problem(1, f"{path}: entry {at} of the log does not name it")
    print(f"ok {path}: {it['operator']['name']}: {it['operation']} with key {it['key']['id'][:16]} at {it['time']}")


# --- the log ------------------------------------------------------------------------------------------------------------------


def read_log(path):
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")[:-1]
    previous, out = "0" * 64, []
    for number, line in enumerate(lines):
        what = f"{path}: entry {number}"
        entry = members(read_json(line, what), ["seq", "time", "type", "data", "prev"], what)
        if canonical(entry) != line:
            raise Problem(65, f"{what} is not canonical")
        if entry["seq"] != number or entry["prev"] != previous:
            raise Problem(1, f"{what} does not follow the one before")
        previous = sha256(b"conclave-chain-v1\0" + line).hex()
        out.append({"entry": entry, "hash": previous})
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--signer", action="append", required=True)
    parser.add_argument("--log")
    parser.add_argument("attestation", nargs="+")
    given = parser.parse_args()
    try:
        signers = [read_identity(path) for path in given.signer]
        log = read_log(given.log) if given.log else None
        for path in given.attestation:
            check(path, signers, log)
    except Problem as problem:
        print(f"{os.path.basename(sys.argv[0])}: {problem}", file=sys.stderr)
        return problem.code
    return 0


sys.exit(main())
