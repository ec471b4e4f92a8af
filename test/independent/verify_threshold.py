"""Checks the transcript of a session that made or changed the shares of a key, with the standard library alone.

    verify_threshold.py TRANSCRIPT...

Written from docs/spec/threshold.md and docs/spec/party-message.md (and, for who signed, identity.md and statement.md), and
knows nothing of conclave's source. Proofs of openings are verified where they lie beside the transcript, by verify_trace.py. Of the identities' two signatures it checks the Ed25519 one: the standard library has no
ML-DSA. Ends with 0 when everything holds, and else with 1; a line for each says what is wrong.
"""
import base64
import hashlib
import json
import os
import re
import sys

import ed25519
import verify_trace
from groups import SUITES

sys.setrecursionlimit(10_000)


class Wrong(Exception):
    pass


def need(holds, what):
    if not holds:
        raise Wrong(what)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def u16(number):
    return number.to_bytes(2, "big")


# Canonical forms.


def once(pairs):
    need(len({name for name, _ in pairs}) == len(pairs), "a member of an object occurs twice")
    return dict(pairs)


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def parse_json(data, what):
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=once)
    except ValueError as error:
        raise Wrong(f"{what} is no JSON: {error}") from None
    need(canonical(value) + b"\n" == data, f"{what} is not in canonical form")
    return value


def exactly(value, names, what):
    need(isinstance(value, dict) and set(value) == set(names.split()), f"{what} has other members")
    return value


def unbase64(text, what):
    need(isinstance(text, str), f"{what} is no base64")
    data = base64.b64decode(text.encode(), validate=True)
    need(base64.b64encode(data).decode() == text, f"{what} is no canonical base64")
    return data


def unhex(text, length, what):
    need(isinstance(text, str) and re.fullmatch(f"[0-9a-f]{{{2 * length}}}", text), f"{what} is no {length} bytes")
    return bytes.fromhex(text)


class Cbor:
    """Deterministic CBOR: shortest heads, definite lengths, keys in order, no tags and no floats."""

    def __init__(self, data):
        self.data, self.at = data, 0

    @classmethod
    def read(cls, data, what):
        reader = cls(data)
        value = reader.item(what)
        need(reader.at == len(data), f"{what} goes on after its end")
        return value

    def take(self, count, what):
        need(self.at + count <= len(self.data), f"{what} is cut short")
        self.at += count
        return self.data[self.at - count : self.at]

    def head(self, what):
        first = self.take(1, what)[0]
        major, info = first >> 5, first & 31
        if info < 24:
            return major, info
        need(info < 28, f"{what} is no deterministic CBOR")
        value = int.from_bytes(self.take(1 << (info - 24), what), "big")
        need(value >= (24 if info == 24 else 1 << (8 << (info - 25))), f"{what} has a head longer than needed")
        return major, value

    def item(self, what):
        major, value = self.head(what)
        if major == 0:
            return value
        if major == 2:
            return self.take(value, what)
        if major == 3:
            return self.take(value, what).decode("utf-8")
        if major == 4:
            return [self.item(what) for _ in range(value)]
        if major == 5:
            found, last = {}, b""
            for _ in range(value):
                start = self.at
                key = self.item(what)
                encoded = self.data[start : self.at]
                need(encoded > last, f"{what} has keys out of order")
                last, found[key] = encoded, self.item(what)
            return found
        need((major, value) == (7, 22), f"{what} holds what it must not")
        return None


def write_cbor(value):
    def head(major, number):
        if number < 24:
            return bytes([major << 5 | number])
        size = next(size for size in (1, 2, 4, 8) if number < 1 << 8 * size)
        return bytes([major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[size]]) + number.to_bytes(size, "big")

    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(write_cbor, value))
    items = sorted((write_cbor(key), write_cbor(each)) for key, each in value.items())
    return head(5, len(items)) + b"".join(key + each for key, each in items)


# Who takes part, and under which keys.


def key_id(name, public):
    return hashlib.sha256(b"conclave-key-v1\0" + name.encode() + b"\0\0" + public).hexdigest()


def identity_of(value):
    exactly(value, "type version id name created environment ed25519 mlDsa65 xWing", "an identity")
    need((value["type"], value["version"]) == ("conclave/identity", 1), "an identity is of another type")
    keys = [unbase64(value[name], "a key") for name in ("ed25519", "mlDsa65", "xWing")]
    need([len(key) for key in keys] == [32, 1952, 1216], "a key has another length")
    ids = [key_id(name, key) for name, key in zip(("ed25519", "ml-dsa-65", "x-wing"), keys)]
    whole = b"conclave-identity-v1\0" + b"".join(each.encode() + b"\0" for each in ids)
    need(hashlib.sha256(whole).hexdigest() == value["id"], "an identity's id is not that of its keys")
    return ids, keys


def session_keys(acceptance, start, terms, party):
    """The Ed25519 and X-Wing keys that a party's identity certified for this session."""
    what = f"the acceptance of party {party['number']}"
    read = exactly(parse_json(acceptance, what), "type version terms identity certificate", what)
    need((read["type"], read["version"]) == ("conclave/threshold-acceptance", 1), f"{what} is of another type")
    need(unhex(read["terms"], 32, what) == terms, f"{what} is for other terms")
    ids, keys = identity_of(read["identity"])
    need(read["identity"]["id"] == party["identity"], f"{what} is by somebody else")
    return certified(unbase64(read["certificate"], what), ids, keys, what, {
        "identity": party["identity"], "number": party["number"],
        "purpose": f"{start['suite']}/{start['operation']}", "session": start["session"],
    })


def certified(certificate, ids, keys, what, expected):
    """The Ed25519 and X-Wing keys that an identity certified for the purpose that is expected."""
    try:
        envelope = json.loads(certificate, object_pairs_hook=once)
    except ValueError:
        raise Wrong(f"{what} holds no certificate") from None
    exactly(envelope, "payload payloadType signatures", what)
    payload, kind = unbase64(envelope["payload"], what), envelope["payloadType"]
    need(kind == "application/vnd.in-toto+json", f"{what} holds no statement")
    signed = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
    by_key = {exactly(each, "keyid sig", what)["keyid"]: each["sig"] for each in envelope["signatures"]}
    need(len(by_key) == len(envelope["signatures"]), f"{what} is signed twice under one key")
    need(set(ids[:2]) <= set(by_key), f"{what} is not signed by both keys of the identity")
    need(ed25519.verify(keys[0], signed, unbase64(by_key[ids[0]], what)), f"{what} is not signed by its identity")
    statement = exactly(json.loads(payload, object_pairs_hook=once), "_type subject predicateType predicate", what)
    need(canonical(statement) == payload, f"{what} holds a statement that is not canonical")
    need(statement["_type"] == "https://in-toto.io/Statement/v1", f"{what} holds no statement")
    need(statement["predicateType"] == "https://conclave.dev/session-keys/v1", f"{what} certifies no session keys")
    said = exactly(statement["predicate"], "ed25519 identity number purpose session xWing", what)
    signing, sealing = unbase64(said["ed25519"], what), unbase64(said["xWing"], what)
    need((len(signing), len(sealing)) == (32, 1216), f"{what} certifies keys of another length")
    digest = hashlib.sha256(signing + sealing).hexdigest()
    subject = [{"digest": {"sha256": digest}, "name": f"session-keys/{expected['number']}"}]
    need(statement["subject"] == subject, f"{what} has another subject")
    for name, value in expected.items():
        need(said[name] == value, f"{what} certifies keys for another {name}")
    return signing, sealing


def read_message(data, what, roster, session, keys):
    """A broadcast: its slot, its body, its digest."""
    read = Cbor.read(data, what)
    need(isinstance(read, dict), f"{what} is no message")
    need(read.get(4, 0) is None, f"{what} is not for everybody")
    need(set(read) == {0, 1, 2, 3, 4, 5, 6, 7, 10} and read[0] == 1, f"{what} has another form")
    need(read[1] == session and read[5] == roster, f"{what} is of another session")
    need(isinstance(read[2], int) and 1 <= read[2] <= 255, f"{what} has no round")
    need(re.fullmatch("[a-z][a-z0-9-]{0,31}", read[6]), f"{what} has no type")
    need(read[3] in keys, f"{what} is from nobody who takes part")
    signed = b"conclave-message-v1\0" + write_cbor({key: each for key, each in read.items() if key != 10})
    need(ed25519.verify(keys[read[3]], signed, read[10]), f"{what} is not signed by party {read[3]}")
    return (read[2], read[6], read[3]), Cbor.read(read[7], what), sha256(signed)


# What was dealt.


def factors(numbers, q, at=0):
    """Lagrange factors of the numbers at a number."""
    found = {}
    for i in numbers:
        over = under = 1
        for j in numbers:
            if j != i:
                over, under = over * (at - j) % q, under * (i - j) % q
        found[i] = over * pow(under, -1, q) % q
    return found


def combined(group, points, weights):
    total = group.identity
    for number, weight in weights.items():
        total = group.add(total, group.multiply(points[number], weight))
    return total


def decoded(group, data, what):
    point = group.decode(data) if isinstance(data, bytes) else None
    need(point is not None, f"{what} is no point of the group")
    return point


def dealing(group, start, terms, old, dealer, body):
    """Commitments to a dealer's coefficients, checked by what everybody knows of the constant."""
    what, t, operation = f"what party {dealer} deals", start["threshold"], start["operation"]
    need(isinstance(body, list) and len(body) == 2 and isinstance(body[0], list), f"{what} has another form")
    sent, proof = body
    points = [decoded(group, each, what) for each in sent]
    if operation == "refresh":
        need(len(points) == t - 1 and proof is None, f"{what} has another form")
        return [group.identity] + points
    need(len(points) == t, f"{what} is of another degree")
    if operation == "reshare":
        owed = group.multiply(old[dealer], factors(start["contributors"], group.q)[dealer])
        need(proof is None and group.same(owed, points[0]), f"{what} is not its weighted share")
        return points
    length = len(sent[0]) - (1 if group.even_y else 0)
    need(isinstance(proof, bytes) and len(proof) == length + group.scalar_bytes, f"{what} has no proof")
    r = (b"\x02" if group.even_y else b"") + proof[:length]
    answer = group.scalar(proof[length:])
    need(answer is not None, f"{what} has no proof")
    c = group.challenge(group.write(dealer) + sent[0] + r + terms)
    right = group.add(decoded(group, r, what), group.multiply(points[0], c))
    need(group.same(group.multiply(group.base, answer), right), f"the proof of party {dealer} does not hold")
    return points


def at_number(group, coefficients, number):
    total = group.identity
    for point in reversed(coefficients):
        total = group.add(group.multiply(total, number), point)
    return total


def tweaked(group, key, shares):
    """BIP 341 for a key without scripts: everything by the parity of the key, then the tweak added."""
    x = group.encode(key)[1:]
    tag = sha256(b"TapTweak")
    tweak = int.from_bytes(sha256(tag, tag, x), "big")
    odd = group.encode(key)[0] == 3
    add = group.multiply(group.base, tweak)
    change = lambda point: group.add(group.negate(point) if odd else point, add)  # noqa: E731
    return change(key), {number: change(point) for number, point in shares.items()}


def computed(group, start, terms, before, said):
    """The key and everybody's public share after the session."""
    operation, dealers, receivers = start["operation"], start["contributors"], start["receivers"]
    old = {each["number"]: decoded(group, bytes.fromhex(each["publicShare"]), "a public share") for each in before["members"]} if before else {}
    if operation in ("repair", "enrol"):
        key, shares = decoded(group, bytes.fromhex(before["publicKey"]), "the key"), dict(old)
        target = receivers[0] if operation == "repair" else next(i for i in receivers if i not in old)
        owed = factors(dealers, group.q, target)
        for helper in dealers:
            body = said(1, "summands", helper)
            need(isinstance(body, list) and len(body) == len(dealers), f"what party {helper} splits has another form")
            total = group.identity
            for each in body:
                total = group.add(total, decoded(group, each, f"what party {helper} splits"))
            need(group.same(total, group.multiply(old[helper], owed[helper])), f"party {helper} splits something else")
        shares[target] = combined(group, old, owed)
        return key, shares
    t = start["threshold"]
    dealt = [dealing(group, start, terms, old, dealer, said(1, "commitments", dealer)) for dealer in dealers]
    total = [group.identity] * t
    for each in dealt:
        total = [group.add(a, b) for a, b in zip(total, each)]
    shares = {i: at_number(group, total, i) for i in receivers}
    if operation == "refresh":
        key = decoded(group, bytes.fromhex(before["publicKey"]), "the key")
        return key, {i: group.add(old[i], share) for i, share in shares.items()}
    if operation == "keygen" and group.even_y:
        return tweaked(group, total[0], shares)
    return total[0], shares


def proven(record, folder):
    """How many members' commitments are proven by files in a folder, of all members."""
    found = 0
    for member in record["members"]:
        path = os.path.join(folder, f"opening-of-{member['number']}.proof")
        if member.get("proof") is None or not os.path.exists(path):
            continue
        with open(path, "rb") as file:
            try:
                verify_trace.verify_opening(file.read(4 << 20), canonical(record) + b"\n")
            except verify_trace.Refused as problem:
                raise Wrong(f"{path}: {problem}") from None
        found += 1
    return f"{found} of {len(record['members'])} commitments proven"


def check(data, folder):
    whole = exactly(parse_json(data, "the transcript"), "type version start acceptances messages group", "the transcript")
    need((whole["type"], whole["version"]) == ("conclave/threshold-transcript", 1), "this is no transcript")
    start, record = whole["start"], whole["group"]
    names = "type version session operation suite created environment threshold parties contributors receivers policy group message"
    need((start["type"], start["version"]) in (("conclave/threshold-start", 1), ("conclave/threshold-start", 2)), "it has no start message")
    prove = start["version"] == 2
    exactly(start, names + " openings" * prove, "the start message")
    need(not prove or (start["openings"] == "proven" and start["suite"] != "bls12-381"), "it asks for proofs that there are not")
    need(start["operation"] in ("keygen", "refresh", "reshare", "repair", "enrol"), "this session makes no shares")
    need(start["suite"] in SUITES, "its suite is not known")
    group, before = SUITES[start["suite"]], start["group"]
    need((before is None) == (start["operation"] == "keygen"), "a group is there, or is not, against its operation")
    session = unhex(start["session"], 32, "the session")
    terms = sha256(b"conclave-threshold-terms-v1\0", canonical(start), b"\n")

    # The roster.
    parties = {each["number"]: each for each in start["parties"]}
    numbers = [each["number"] for each in start["parties"]]
    need(numbers == sorted(set(numbers)), "its parties are not ascending")
    need(set(numbers) == {*start["contributors"], *start["receivers"]}, "a party has no part in it")
    accepted = {each["number"]: unbase64(each["acceptance"], "an acceptance") for each in whole["acceptances"]}
    need([each["number"] for each in whole["acceptances"]] == numbers, "not every party accepted")
    keys = {i: session_keys(accepted[i], start, terms, parties[i]) for i in numbers}
    rows = [[i, bytes.fromhex(parties[i]["identity"]), *keys[i]] for i in numbers]
    purpose = f"{start['suite']}/{start['operation']}"
    roster = sha256(b"conclave-roster-v1\0", write_cbor({0: 1, 1: session, 2: purpose, 3: terms, 4: rows}))

    # The messages, each in a slot of its own.
    heard = {}
    for i, text in enumerate(whole["messages"], 1):
        what = f"message {i}"
        signing = {number: each[0] for number, each in keys.items()}
        slot, body, digest = read_message(unbase64(text, what), what, roster, session, signing)
        need(slot not in heard, f"{what} has no place of its own")
        heard[slot] = body, digest

    def find(*slot):
        need(slot in heard, f"what party {slot[2]} said in round {slot[0]} is not there")
        return heard[slot]

    # Key, public shares, and the record.
    key, shares = computed(group, start, terms, before, lambda *slot: find(*slot)[0])
    y = group.encode(key)
    members = sorted(shares)
    ceremony = before["ceremony"] if before else start["session"]
    a = sha256(
        b"conclave/frost-a", group.code, u16(start["threshold"]), u16(len(members)), y,
        *(u16(i) + group.encode(shares[i]) for i in members), bytes.fromhex(ceremony),
    )
    identities = {each["number"]: each["identity"] for each in (before["members"] if before else [])}
    identities.update({i: parties[i]["identity"] for i in numbers})
    commitments = {each["number"]: each["commitment"] for each in (before["members"] if before else [])}
    proofs = {each["number"]: each.get("proof") for each in (before["members"] if before else [])}
    for i in start["receivers"]:
        body = find(3, "confirm", i)[0]
        need(isinstance(body, list) and [len(each) for each in body] == [32] * (3 if prove else 2), f"party {i} confirms in another form")
        need(body[0] == a, f"party {i} confirms another key or other public shares")
        commitments[i] = body[1].hex()
        proofs[i] = body[2].hex() if prove else None
    some = any(proofs.get(i) for i in members)
    first = "summands" if start["operation"] in ("repair", "enrol") else "commitments"
    said = [(1, first, i) for i in start["contributors"]] + [(3, "confirm", i) for i in start["receivers"]]
    head = sha256(
        b"conclave-threshold-head-v1\0", roster, *(bytes([slot[0]]) + u16(slot[2]) + find(*slot)[1] for slot in said)
    )
    expected = {
        "type": "conclave/group", "version": 2 if some else 1, "suite": start["suite"],
        "key": key_id(group.algorithm, group.public_key(key)), "environment": start["environment"],
        "threshold": start["threshold"], "ceremony": ceremony, "epoch": (before["epoch"] if before else 0) + 1,
        "policy": start["policy"], "publicKey": y.hex(), "head": head.hex(),
        "members": [
            {"number": i, "identity": identities[i], "publicShare": group.encode(shares[i]).hex(), "commitment": commitments[i],
             **({"proof": proofs[i]} if some else {})}
            for i in members
        ],
    }
    other = [name for name in expected if record.get(name) != expected[name]]
    need(not other and set(record) == set(expected), f"the record does not follow from what was said: {', '.join(other)}")
    digest = sha256(canonical(record), b"\n")
    for i in numbers:
        need(find(4, "acknowledge", i)[0] == digest, f"party {i} did not acknowledge this record")
    says = f"{start['operation']} of {record['suite']} {record['key'][:16]}: any {record['threshold']} of {len(members)}, acknowledged by {len(numbers)}"
    return f"{says}, {proven(record, folder)}" if some else says


def verdict(path):
    try:
        with open(path, "rb") as file:
            return True, check(file.read(16 << 20), os.path.dirname(path))
    except Wrong as problem:
        return False, str(problem)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, StopIteration) as error:
        return False, f"malformed: {error!r}"


def main():
    verdicts = [(path, *verdict(path)) for path in sys.argv[1:]]
    for path, holds, says in verdicts:
        print(f"{'ok' if holds else 'WRONG'}  {path}: {says}")
    return 0 if verdicts and all(holds for _, holds, _ in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
