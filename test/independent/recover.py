#!/usr/bin/env python3
"""Rebuilds a secret from conclave's share files. Written from docs/spec/share.md alone; Python 3 standard library only.

    recover.py [--set set.json] [--passphrase-file F]... --out FILE SHARE...

SHARE is a share file (CBOR), a text file of SLIP-39 words, or the text of a card (docs/spec/share-card.md); FILE may be -. A key
comes back as its raw private form, a file as its bytes. Not here: shares sealed to an identity (they need X-Wing), shares sealed by
Argon2id (the standard library has none), and signatures of set.json (they need ML-DSA).

Exit codes: 0 done, 1 the shares are wrong, 65 malformed, 75 too few shares, 77 wrong passphrase.
This is a reader for an emergency. It is slow, it is not constant-time, and it does not wipe memory.
"""
import argparse
import base64
import hashlib
import hmac
import json
import os
import sys
import unicodedata

import share_card
from curves import CURVES, lagrange


class Problem(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


# --- GF(2^8), section 2 -------------------------------------------------------------------------------------------------


def gf_mul(a, b):
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 0x100:
            a ^= 0x11B
        b >>= 1
    return product


GF_INVERSE = [0] * 256
_power, _powers = 1, []
for _ in range(255):  # 3 generates the multiplicative group
    _powers.append(_power)
    _power = gf_mul(_power, 3)
for _i in range(255):
    GF_INVERSE[_powers[_i]] = _powers[-_i % 255]


def interpolate(points, at):
    """points: {x: bytes}; the value at `at`."""
    length = len(next(iter(points.values())))
    out = bytearray(length)
    for xk, y in points.items():
        factor = 1
        for xl in points:
            if xl != xk:
                factor = gf_mul(factor, gf_mul(at ^ xl, GF_INVERSE[xl ^ xk]))
        for i in range(length):
            out[i] ^= gf_mul(factor, y[i])
    return bytes(out)


# --- AES-256-GCM --------------------------------------------------------------------------------------------------------


def _make_sbox():
    box = []
    for value in range(256):
        b = GF_INVERSE[value]
        s = 0x63
        for shift in range(5):
            s ^= ((b << shift) | (b >> (8 - shift))) & 0xFF
        box.append(s)
    return box


SBOX = _make_sbox()


def aes256_schedule(key):
    words = [list(key[i : i + 4]) for i in range(0, 32, 4)]
    rcon = 1
    for i in range(8, 60):
        word = list(words[i - 1])
        if i % 8 == 0:
            word = [SBOX[b] for b in word[1:] + word[:1]]
            word[0] ^= rcon
            rcon = gf_mul(rcon, 2)
        elif i % 8 == 4:
            word = [SBOX[b] for b in word]
        words.append([a ^ b for a, b in zip(words[i - 8], word)])
    return [sum(words[i : i + 4], []) for i in range(0, 60, 4)]


def aes256_block(schedule, block):
    state = [a ^ b for a, b in zip(block, schedule[0])]
    for number in range(1, 15):
        state = [SBOX[b] for b in state]
        state = [state[(i + 4 * (i % 4)) % 16] for i in range(16)]
        if number < 14:
            mixed = []
            for c in range(0, 16, 4):
                col = state[c : c + 4]
                for i in range(4):
                    mixed.append(
                        gf_mul(col[i], 2)
                        ^ gf_mul(col[(i + 1) % 4], 3)
                        ^ col[(i + 2) % 4]
                        ^ col[(i + 3) % 4]
                    )
            state = mixed
        state = [a ^ b for a, b in zip(state, schedule[number])]
    return bytes(state)


def _ghash(h, data):
    y = 0
    for i in range(0, len(data), 16):
        y ^= int.from_bytes(data[i : i + 16], "big")
        z, v = 0, h
        for bit in range(127, -1, -1):
            if (y >> bit) & 1:
                z ^= v
            v = (v >> 1) ^ (0xE1 << 120 if v & 1 else 0)
        y = z
    return y


def _pad16(data):
    return data + bytes(-len(data) % 16)


def gcm_open(key, nonce, sealed, aad):
    """The plaintext, or None when the tag does not hold."""
    if len(sealed) < 16:
        return None
    body, tag = sealed[:-16], sealed[-16:]
    schedule = aes256_schedule(key)
    h = int.from_bytes(aes256_block(schedule, bytes(16)), "big")
    lengths = (8 * len(aad)).to_bytes(8, "big") + (8 * len(body)).to_bytes(8, "big")
    s = _ghash(h, _pad16(aad) + _pad16(body) + lengths)
    first = aes256_block(schedule, nonce + b"\0\0\0\1")
    expected = bytes(a ^ b for a, b in zip(s.to_bytes(16, "big"), first))
    if not hmac.compare_digest(expected, tag):
        return None
    out = bytearray()
    for i in range(0, len(body), 16):
        counter = (2 + i // 16).to_bytes(4, "big")
        stream = aes256_block(schedule, nonce + counter)
        out += bytes(a ^ b for a, b in zip(body[i : i + 16], stream))
    return bytes(out)


# --- deterministic CBOR -------------------------------------------------------------------------------------------------


def cbor_head(major, value):
    if value < 24:
        return bytes([major << 5 | value])
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if value < 1 << (8 * size):
            return bytes([major << 5 | info]) + value.to_bytes(size, "big")
    raise Problem(65, "a number too large")


def cbor_encode(value):
    if isinstance(value, int):
        return cbor_head(0, value)
    if isinstance(value, bytes):
        return cbor_head(2, len(value)) + value
    if isinstance(value, str):
        return cbor_head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return cbor_head(4, len(value)) + b"".join(map(cbor_encode, value))
    if isinstance(value, dict):
        items = sorted((cbor_encode(k), cbor_encode(v)) for k, v in value.items())
        return cbor_head(5, len(items)) + b"".join(k + v for k, v in items)
    raise Problem(65, "a value that shares do not have")


def cbor_decode(data, name):
    def item(at, depth):
        if at >= len(data) or depth > 4:
            raise Problem(65, f"{name} is not CBOR of a share")
        major, info = data[at] >> 5, data[at] & 31
        at += 1
        if info < 24:
            value = info
        elif info <= 27:
            size = 1 << (info - 24)
            value = int.from_bytes(data[at : at + size], "big")
            at += size
        else:
            raise Problem(65, f"{name} is not deterministic CBOR")
        if major == 0:
            return value, at
        if value > len(data) - at:
            raise Problem(65, f"{name} ends early")
        if major == 2:
            return data[at : at + value], at + value
        if major == 3:
            return data[at : at + value].decode(), at + value
        if major == 4:
            out = []
            for _ in range(value):
                element, at = item(at, depth + 1)
                out.append(element)
            return out, at
        if major == 5:
            out = {}
            for _ in range(value):
                key, at = item(at, depth + 1)
                out[key], at = item(at, depth + 1)
            return out, at
        raise Problem(65, f"{name} has a value that shares do not have")

    try:
        value, end = item(0, 0)
        canonical = cbor_encode(value) == data
    except (UnicodeDecodeError, TypeError):
        raise Problem(65, f"{name} is not CBOR of a share") from None
    if end != len(data) or not canonical:
        raise Problem(65, f"{name} is not deterministic CBOR")
    return value


# --- shares, section 5 --------------------------------------------------------------------------------------------------


class Share:
    def __init__(self, data, name):
        fields = cbor_decode(data, name)
        if not isinstance(fields, dict) or fields.get(0) != "conclave/share" or fields.get(1) not in (1, 2, 3):
            raise Problem(65, f"{name} is not a share of version 1, 2 or 3")
        checksum = fields.pop(11, None)
        if checksum != sha256(cbor_encode(fields))[:4]:
            raise Problem(1, f"{name} is damaged: its checksum does not match")
        try:
            self.name = name
            self.set_id, self.root = fields[2], fields[3]
            self.group, self.member, self.epoch = fields[4] if fields[1] > 1 else [*fields[4], 0]
            self.group_threshold, flat = fields[5]
            self.groups = [(flat[i], flat[i + 1]) for i in range(0, len(flat), 2)]
            self.environment = fields[6]
            self.seal = fields[7]
            self.package, self.origin = fields.get(8), self.root
            if fields[1] == 2 and self.package is not None:
                *self.package, self.origin = self.package
            self.scheme = None
            if fields[1] == 3:
                number, self.algorithm, self.key_id = self.package
                self.scheme, self.package = {1: "feldman", 2: "pedersen"}[number], None
                assert self.algorithm in CURVES and len(self.groups) == 1 and self.epoch == 0
            else:
                assert fields[1] == (2 if self.epoch > 0 or self.seal[0] == 3 else 1)
            self.body = fields[10]
            self.aad = cbor_encode({k: v for k, v in fields.items() if k <= 8})
            self.number = 256 * self.group + self.member
            assert set(fields) <= set(range(11)) and 1 <= self.member <= self.groups[self.group - 1][1]
        except (KeyError, ValueError, TypeError, IndexError, AssertionError):
            raise Problem(65, f"{name} is not a share: a field is wrong") from None

    def what(self):
        place = (self.set_id, self.root, self.epoch, self.group_threshold, tuple(self.groups))
        return (*place, self.environment, self.scheme)

    def open(self, passphrases):
        """share(32) and r(23); of a scalar, scalars and r(23)."""
        kind = self.seal[0]
        if kind == 0:
            opening = self.body
        elif kind == 1:
            _, log_n, r, p, salt, nonce, check = self.seal
            if not 10 <= log_n <= 17 or r != 8 or not 1 <= p <= 4:
                raise Problem(65, f"{self.name}: scrypt parameters out of bounds")
            opening = None
            for passphrase in passphrases:
                okm = passphrase_key(passphrase, salt, log_n, r, p)
                if hmac.compare_digest(okm[32:], check):
                    opening = gcm_open(okm[:32], nonce, self.body, self.aad)
                    if opening is None:
                        raise Problem(1, f"{self.name} was changed")
                    break
            if opening is None:
                raise Problem(77, f"no passphrase opens {self.name}")
        elif kind == 3:
            raise Problem(77, f"{self.name} is sealed by Argon2id, which Python has not; use conclave, or open it by hand")
        else:
            raise Problem(77, f"{self.name} is sealed to an identity; this reader opens passphrases only")
        length = 32
        if self.scheme:
            length = CURVES[self.algorithm].bytes * (2 if self.scheme == "pedersen" else 1)
        if len(opening) != length + 23:
            raise Problem(65, f"{self.name} has a share of the wrong length")
        return opening[:length], opening[length:]


def passphrase_key(passphrase, salt, log_n, r, p):
    n = 1 << log_n
    ikm = hashlib.scrypt(passphrase, salt=salt, n=n, r=r, p=p, dklen=32, maxmem=128 * r * (n + p + 2) + (1 << 20))
    prk = hmac.new(bytes(32), ikm, hashlib.sha256).digest()
    info = b"conclave/passphrase-box/v1"
    t1 = hmac.new(prk, info + b"\x01", hashlib.sha256).digest()
    t2 = hmac.new(prk, t1 + info + b"\x02", hashlib.sha256).digest()
    return (t1 + t2)[:40]


# --- set.json, sections 3 and 6 -----------------------------------------------------------------------------------------


class ShareSet:
    def __init__(self, data, name):
        try:
            outer = json.loads(data)
            self.fields = fields = outer["set"]
            if canonical(outer) + b"\n" != data:
                raise Problem(65, f"{name} is not canonical JSON")
            if fields["type"] != "conclave/share-set" or fields["version"] not in (1, 2, 3):
                raise Problem(65, f"{name} is not a share set of version 1, 2 or 3")
            rest = {k: v for k, v in fields.items() if k != "digest"}
            if sha256(canonical(rest)).hex() != fields["digest"]:
                raise Problem(1, f"{name} is damaged: its digest does not match")
            self.set_id = bytes.fromhex(fields["setId"])
            self.root = bytes.fromhex(fields["root"])
            self.suite = b"gf256-v1" if fields["scheme"] == "envelope" else b"slip39v1"
            self.scheme = fields["verifiable"]["scheme"] if fields["version"] == 3 else None
            if self.scheme:
                self.suite = {"feldman": b"feldman1", "pedersen": b"pedersen"}[self.scheme]
                self.points = [base64.b64decode(point) for point in fields["verifiable"]["commitments"]]
            self.groups = [(q["threshold"], q["shares"]) for q in fields["groups"]]
            self.commitments = {c["index"]: bytes.fromhex(c["commitment"]) for c in fields["commitments"]}
            self.k = None if fields["kekCommitment"] is None else bytes.fromhex(fields["kekCommitment"])
            self.public_key = base64.b64decode(fields["publicKey"] or "")
            # A changed set: its shares bear the root of their dealing, K and package are those of the first one.
            lineage = fields["lineage"] if fields["version"] == 2 else None
            self.epoch = lineage["epoch"] if lineage else 0
            self.dealing = bytes.fromhex(lineage["dealing"]) if lineage else self.root
            origin = lineage["origin"] if lineage else fields
            self.origin = bytes.fromhex(origin["root"])
            origin_groups = [(q["threshold"], q["shares"]) for q in origin["groups"]]
            self.secret_a = self.context(origin["groupThreshold"], origin_groups)
            self.a = self.context(fields["groupThreshold"], self.groups)
        except (KeyError, ValueError, TypeError):
            raise Problem(65, f"{name} is not a share set") from None
        ordered = [self.commitments[i] for i in sorted(self.commitments)]
        k = self.k or bytes(32)
        if self.scheme:
            k = sha256(b"conclave/share-v", self.a, bytes(2), self.suite, bytes(6), *self.points)
        if sha256(b"conclave/share-r", self.a, k, *ordered) != self.root:
            raise Problem(1, f"{name}: its root does not follow from its commitments")

    def context(self, group_threshold, groups):
        return sha256(
            b"conclave/share-a",
            self.suite,
            self.set_id,
            bytes([group_threshold, len(groups)]),
            bytes(v for quorum in groups for v in quorum),
            len(self.public_key).to_bytes(4, "big"),
            self.public_key,
        )

    def check_share(self, share, value, r):
        block = b"conclave/share-c" + self.a + share.number.to_bytes(2, "big") + self.suite + bytes(6)
        if sha256(block, value, r) != self.commitments.get(share.number):
            raise Problem(1, f"{share.name} does not open its commitment")
        if self.scheme:
            self.check_polynomial(share, value)

    def check_polynomial(self, share, value):
        curve = CURVES[share.algorithm]
        points = [curve.decode(point) for point in self.points]
        if None in points or len(points) != share.groups[0][0]:
            raise Problem(65, "a commitment to the polynomial is no point of the curve")
        if self.scheme == "feldman" and curve.uncompressed(points[0]) != self.public_key:
            raise Problem(1, "the first commitment is not the public key")
        scalars = [int.from_bytes(value[i : i + curve.bytes], "big") for i in range(0, len(value), curve.bytes)]
        own = curve.multiply(curve.base, scalars[0])
        if self.scheme == "pedersen":
            own = curve.add(own, curve.multiply(curve.second(), scalars[1]))
        expected = None
        for point in reversed(points):
            expected = curve.add(curve.multiply(expected, share.member) if expected else None, point)
        if max(scalars) >= curve.q or own != expected:
            raise Problem(1, f"{share.name} is not on the polynomial that the set commits to")

    def check_secret(self, secret):
        block = b"conclave/share-k" + self.secret_a + bytes(2) + self.suite + bytes(6)
        if sha256(block, secret, bytes(23)) != self.k:
            raise Problem(1, "what the shares recombine to is not what was committed")

    def package(self):
        package = self.fields["package"]
        return package and [base64.b64decode(package["nonce"]), base64.b64decode(package["sealed"])]


def canonical(value):
    # RFC 8785 for what set.json holds: ASCII member names, integers, strings, null.
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


# --- recombination, sections 2, 4 and 8 ---------------------------------------------------------------------------------


def open_package(package, secret, set_id, root):
    plain = gcm_open(secret, package[0], package[1], set_id + root)
    if plain is None:
        raise Problem(1, "the sealed package does not open: a share is wrong")
    content = cbor_decode(plain, "the package")
    if content[0] == 1 and len(content) == 4:
        return content[3], f"private key of {content[1]} {content[2]}".rstrip()
    if content[0] == 2 and len(content) == 2:
        return content[1], "file"
    raise Problem(65, "the package holds neither a key nor a file")


def choose(group_threshold, groups, numbers):
    """The first quorum among share numbers, as {group: [members]}."""
    have = {j: sorted(n & 255 for n in numbers if n >> 8 == j) for j in range(1, len(groups) + 1)}
    full = [j for j in have if len(have[j]) >= groups[j - 1][0]]
    if len(full) < group_threshold:
        state = ", ".join(f"group {j}: {len(have[j])} of {groups[j - 1][0]}" for j in have)
        raise Problem(75, f"too few shares ({state}; {group_threshold} groups are needed)")
    return {j: have[j][: groups[j - 1][0]] for j in full[:group_threshold]}


def recover_envelopes(shares, share_set, passphrases):
    kinds = [share.what() for share in shares]
    reference = max(kinds, key=kinds.count)
    if share_set is not None:
        f = share_set.fields
        environment = ["production", "rehearsal", "dev"].index(f["environment"])
        dealing = (share_set.set_id, share_set.dealing, share_set.epoch)
        reference = (*dealing, f["groupThreshold"], tuple(share_set.groups), environment, share_set.scheme)
    odd = [share for share in shares if share.what() != reference]
    if odd:
        names = ", ".join(share.name for share in odd)
        if all(share.set_id == reference[0] for share in odd):
            raise Problem(1, f"{names}: of another dealing of this set, epoch {odd[0].epoch} and not {reference[2]}")
        raise Problem(1, f"{names}: of another set")
    first = shares[0]
    quorum = choose(first.group_threshold, first.groups, {share.number for share in shares})
    values = {}
    for share in shares:
        value, r = share.open(passphrases)
        if share_set is not None:
            share_set.check_share(share, value, r)
        if values.setdefault(share.number, value) != value:
            raise Problem(1, f"{share.name} contradicts another share with its number")
    if first.scheme:
        return recover_scalar(first, {m: values[256 + m] for m in quorum[1]})
    group_values = {}
    for j, members in quorum.items():
        group_values[j] = interpolate({m: values[256 * j + m] for m in members}, 0)
    secret = interpolate(group_values, 0)
    package = first.package
    if share_set is not None:
        share_set.check_secret(secret)
        package = share_set.package()
    if package is None:
        raise Problem(65, "the sealed package is not in the shares: give --set set.json")
    return open_package(package, secret, first.set_id, first.origin if share_set is None else share_set.origin)


def recover_scalar(share, values):
    """Section 10: the key itself, if it is the one that the shares name."""
    curve = CURVES[share.algorithm]
    points = {x: int.from_bytes(value[: curve.bytes], "big") for x, value in values.items()}
    secret = lagrange(points, curve.q)
    public_key = curve.uncompressed(curve.multiply(curve.base, secret)) if secret else b""
    if sha256(b"conclave-key-v1\0", share.algorithm.encode(), b"\0\0", public_key) != share.key_id:
        raise Problem(1, "the shares do not give the key that they name: one of them is wrong")
    return secret.to_bytes(curve.bytes, "big"), f"private key of {share.algorithm}"


# --- SLIP-39, section 7 -------------------------------------------------------------------------------------------------


def slip39_words():
    """The word list: from CONCLAVE_SLIP39_WORDS, or from conclave's own source beside this file."""
    path = os.environ.get("CONCLAVE_SLIP39_WORDS") or os.path.join(
        os.path.dirname(os.path.abspath(__file__)), "../../src/protocols/sharing/slip39-words.ts"
    )
    with open(path, encoding="ascii") as file:
        text = file.read()
    words = (text.split("`")[1] if "`" in text else text).split()
    if len(words) != 1024:
        raise Problem(65, f"{path} does not hold the 1024 words")
    return {word: number for number, word in enumerate(words)}


def rs1024(values):
    generator = [0xE0E040, 0x1C1C080, 0x3838100, 0x7070200, 0xE0E0009, 0x1C0C2412, 0x38086C24, 0x3090FC48, 0x21B1F890, 0x3F3F120]
    checksum = 1
    for value in values:
        top = checksum >> 20
        checksum = (checksum & 0xFFFFF) << 10 ^ value
        for i in range(10):
            if top >> i & 1:
                checksum ^= generator[i]
    return checksum


class Mnemonic:
    def __init__(self, text, name, numbers):
        self.name = name
        words = " ".join(line for line in text.splitlines() if not line.startswith("#")).lower().split()
        if len(words) < 20 or any(word not in numbers for word in words):
            raise Problem(65, f"{name} is neither a share file nor SLIP-39 words")
        data = [numbers[word] for word in words]
        extendable = data[1] >> 4 & 1
        custom = b"shamir_extendable" if extendable else b"shamir"
        if rs1024(list(custom) + data) != 1:
            raise Problem(1, f"{name} is damaged: its checksum does not match")
        bits = 0
        for value in data[:-3]:
            bits = bits << 10 | value
        value_bits = 10 * (len(data) - 7)
        size = value_bits // 16 * 2
        header, value = bits >> value_bits, bits & ((1 << value_bits) - 1)
        if value >> (8 * size):
            raise Problem(65, f"{name} has padding that is not zero")
        self.value = value.to_bytes(size, "big")
        self.identifier, self.extendable = header >> 25, extendable
        self.exponent = header >> 20 & 15
        self.group, self.group_threshold = header >> 16 & 15, (header >> 12 & 15) + 1
        self.group_count, self.member = (header >> 8 & 15) + 1, header >> 4 & 15
        self.threshold = (header & 15) + 1

    def what(self):
        return (self.identifier, self.extendable, self.exponent, self.group_threshold, self.group_count, len(self.value))


def slip39_combine(points, threshold):
    if threshold == 1:
        return next(iter(points.values()))
    secret, digest = interpolate(points, 255), interpolate(points, 254)
    if hmac.new(digest[4:], secret, hashlib.sha256).digest()[:4] != digest[:4]:
        raise Problem(1, "these words do not recombine")
    return secret


def recover_words(mnemonics, share_set):
    kinds = [mnemonic.what() for mnemonic in mnemonics]
    odd = [m.name for m in mnemonics if m.what() != max(kinds, key=kinds.count)]
    if odd:
        raise Problem(1, f"{', '.join(odd)}: of another set")
    first = mnemonics[0]
    groups = [(255, 255)] * first.group_count
    for m in mnemonics:
        groups[m.group] = (m.threshold, 16)
    by_number = {256 * (m.group + 1) + m.member + 1: m for m in mnemonics}
    quorum = choose(first.group_threshold, groups, set(by_number))
    group_values = {}
    for j, members in quorum.items():
        points = {m - 1: by_number[256 * j + m].value for m in members}
        group_values[j - 1] = slip39_combine(points, groups[j - 1][0])
    encrypted = slip39_combine(group_values, first.group_threshold)
    half = len(encrypted) // 2
    left, right = encrypted[:half], encrypted[half:]
    salt = b"" if first.extendable else b"shamir" + first.identifier.to_bytes(2, "big")
    for number in (3, 2, 1, 0):
        key = hashlib.pbkdf2_hmac("sha256", bytes([number]), salt + right, 2500 << first.exponent, half)
        left, right = right, bytes(a ^ b for a, b in zip(left, key))
    secret = right + left
    if share_set is None:
        return secret, "secret of SLIP-39 words; without set.json it is not known what of"
    header = share_set.fields["slip39"] or {}
    if header.get("identifier") != first.identifier:
        raise Problem(1, "set.json is of another set")
    if share_set.fields["splits"] == "seed":
        return secret, share_set.fields["algorithm"] or "file"
    share_set.check_secret(secret)
    return open_package(share_set.package(), secret, share_set.set_id, share_set.root)


# --- command line -------------------------------------------------------------------------------------------------------


def read(path):
    with open(path, "rb") as file:
        return file.read(1 << 20)


def from_card(data, path):
    """The share file, or its words, and the sealed package, from the text of a card."""
    try:
        numbers = slip39_words()
        share, package = share_card.read_card(data.decode("utf-8", "replace"), sorted(numbers, key=numbers.get))
    except share_card.WrongLine as problem:
        raise Problem(1, f"{path}: {problem}") from problem
    except share_card.NoCard as problem:
        raise Problem(65, f"{path}: {problem}") from problem
    return share if isinstance(share, bytes) else share.encode(), package


def carried_package(blocks, share):
    for block in blocks:
        fields = cbor_decode(block, "the sealed package of a card")
        if [fields[key] for key in (0, 1, 2, 3)] == ["conclave/share-package", 1, share.set_id, share.root]:
            return tuple(fields[4])
    return None


def read_passphrase(path):
    text = read(path).decode()
    for end in ("\r\n", "\n"):
        if text.endswith(end):
            text = text[: -len(end)]
            break
    return unicodedata.normalize("NFKC", text).encode()


def main():
    parser = argparse.ArgumentParser(description="Rebuilds a secret from conclave's share files.")
    parser.add_argument("--set", help="set.json")
    parser.add_argument("--passphrase-file", action="append", default=[])
    parser.add_argument("--out", required=True)
    parser.add_argument("shares", nargs="+")
    options = parser.parse_args()
    try:
        share_set = None if options.set is None else ShareSet(read(options.set), options.set)
        passphrases = [read_passphrase(path) for path in options.passphrase_file]
        envelopes, texts, carried = [], [], []
        for path in options.shares:
            data = read(path)
            if share_card.is_card(data):
                data, package = from_card(data, path)
                carried += [package] if package else []
            (envelopes if data[:1] >= b"\x80" else texts).append((data, path))
        if envelopes and texts:
            raise Problem(1, "share files and words do not mix")
        if texts:
            numbers = slip39_words()
            mnemonics = [Mnemonic(data.decode("ascii", "replace"), path, numbers) for data, path in texts]
            secret, what = recover_words(mnemonics, share_set)
        else:
            shares = [Share(data, path) for data, path in envelopes]
            for share in shares:
                if share.package is None:
                    share.package = carried_package(carried, share)
            secret, what = recover_envelopes(shares, share_set, passphrases)
    except Problem as problem:
        print(f"recover.py: {problem}", file=sys.stderr)
        return problem.code
    print(f"recovered: {what}, {len(secret)} bytes", file=sys.stderr)
    if options.out == "-":
        sys.stdout.buffer.write(secret)
    else:
        with os.fdopen(os.open(options.out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secret)
    return 0


if __name__ == "__main__":
    sys.exit(main())
