#!/usr/bin/env python3
"""Verifies a cold-signing trace with nothing but Python's standard library, from docs/spec/cold-signing-trace.md alone.

usage: verify_trace.py --group G --request REQ --sig SIG TRACE
       verify_trace.py --opening [--group G] PROOF

Group record and request are the verifier's own copies. All repetitions are evaluated at once, one big integer a wire. For a key
in shares of a scalar this also checks the share equations, and with them the signature; for a key in shares of bytes the
signature itself is left to a program that knows its algorithm. Ends with 0 if the trace holds, 1 if not, 2 for wrong usage.
"""
import argparse
import base64
import hashlib
import json
import sys

REPETITIONS = 219
TAG = {name: b"conclave/trace-" + letter for name, letter in {
    "statement": b"h", "tape": b"t", "commitment": b"c", "challenge": b"f", "trits": b"e", "nonces": b"n", "nonce": b"p",
    "bind": b"b", "opening": b"o"}.items()}


class Refused(Exception):
    """The answer is no."""


def require(holds, why):
    if not holds:
        raise Refused(why)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def shake256(length, *parts):
    return hashlib.shake_256(b"".join(parts)).digest(length)


def u16(value):
    return value.to_bytes(2, "big")


def prefixed(data):
    return len(data).to_bytes(4, "big") + data


class Reader:
    """Takes a byte string from front to back."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, length):
        require(self.at + length <= len(self.data), "cut short")
        self.at += length
        return self.data[self.at - length:self.at]

    def number(self, length):
        return int.from_bytes(self.take(length), "big")

    def end(self):
        require(self.at == len(self.data), "bytes after the end")


# ---------------------------------------------------------------- the request: deterministic CBOR

def cbor(reader):
    first = reader.number(1)
    major, info = first >> 5, first & 31
    if major == 7:
        require(info in (20, 21), "a value that requests do not have")
        return info == 21
    require(info < 28, "an indefinite length")
    size = 0 if info < 24 else 1 << (info - 24)
    value = info if size == 0 else reader.number(size)
    require(size == 0 or value >= (24 if size == 1 else 1 << (4 * size)), "a head that is not the shortest")
    if major == 0:
        return value
    if major == 2:
        return reader.take(value)
    if major == 3:
        return reader.take(value).decode("ascii")
    if major == 4:
        return [cbor(reader) for _ in range(value)]
    require(major == 5, "a value that requests do not have")
    pairs, last = {}, -1
    for _ in range(value):
        key = cbor(reader)
        require(isinstance(key, int) and key > last, "keys out of order")
        last = key
        pairs[key] = cbor(reader)
    return pairs


def read_request(data):
    reader = Reader(data)
    request = cbor(reader)
    reader.end()
    require(request[0] == "conclave/trace-request" and request[1] == 1, "not a request of version 1")
    require(set(request) <= set(range(11)) and {2, 3, 4, 5, 6, 8, 9} <= set(request), "members of the request")
    require(all(len(request[key]) == 32 for key in (2, 4, 5, 9)), "lengths in the request")
    require(request[4] == sha256(request[3]), "the request's digest is not that of its message")
    return request


def allow_digest(digest):
    """SHA-256 of the policy to sign exactly one content."""
    policy = {"type": "conclave/policy", "version": 1, "kind": "allow-digest", "digest": "sha256:" + digest.hex()}
    return sha256(json.dumps(policy, sort_keys=True, separators=(",", ":")).encode() + b"\n")


# ---------------------------------------------------------------- the trace

#        suite: (bytes of a point, bytes of a scalar)
SUITES = {b"gf256-v1": (0, 0), b"ed25519\0": (32, 32), b"ed448\0\0\0": (57, 57), b"p256\0\0\0\0": (33, 32),
          b"secp256k": (33, 32), b"taproot\0": (33, 32), b"ristr255": (32, 32)}


def read_trace(data):
    reader = Reader(data)
    require(reader.take(14) == b"conclave/trace" and reader.number(2) == 1, "not a trace of version 1")
    trace = {"system": reader.number(1), "repetitions": reader.number(2), "circuit": reader.number(2),
             "level": reader.number(1), "suite": reader.take(8)}
    require(trace["suite"] in SUITES, "unknown suite")
    count = reader.number(2)
    trace["quorum"] = [reader.number(2) for _ in range(count)]
    require(count > 0 and all(a < b for a, b in zip([0] + trace["quorum"], trace["quorum"])), "the quorum is not ascending")
    trace["signature"] = reader.take(reader.number(4))
    point, scalar = SUITES[trace["suite"]]
    trace["shares"] = []
    if point:
        for _ in range(count):
            fields = [reader.take(point)]
            if trace["level"] != 3:
                fields.append(reader.take(point))
            trace["shares"].append(fields + [reader.take(scalar)])
    trace["proof"] = data[reader.at:]
    return trace


def parameters(repetitions, circuit):
    return bytes([1, 1 if circuit else 0]) + u16(repetitions) + u16(circuit)


def statement_hash(trace, group, request):
    fields = [field for share in trace["shares"] for field in share]
    quorum = trace["quorum"]
    return sha256(TAG["statement"], parameters(trace["repetitions"], trace["circuit"]), bytes([trace["level"]]),
                  prefixed(group), prefixed(request), u16(len(quorum)), *map(u16, quorum), prefixed(trace["signature"]),
                  *map(prefixed, fields))


# ---------------------------------------------------------------- the circuit, evaluated as it is described

def primes(count):
    found, candidate = [], 2
    while len(found) < count:
        if all(candidate % prime for prime in found):
            found.append(candidate)
        candidate += 1
    return found


def root_fraction(prime, root):
    target, low, high = prime << (32 * root), 0, 1 << 40
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle ** root <= target else (low, middle)
    return low & 0xffffffff


K = [root_fraction(prime, 3) for prime in primes(64)]
IV = [root_fraction(prime, 2) for prime in primes(8)]


def rotr(word, by):
    return ((word >> by) | (word << (32 - by))) & 0xffffffff


def compress_clear(state, block):
    w = [int.from_bytes(block[i:i + 4], "big") for i in range(0, 64, 4)]
    for t in range(16, 64):
        s0 = rotr(w[t - 15], 7) ^ rotr(w[t - 15], 18) ^ (w[t - 15] >> 3)
        s1 = rotr(w[t - 2], 17) ^ rotr(w[t - 2], 19) ^ (w[t - 2] >> 10)
        w.append((w[t - 16] + s0 + w[t - 7] + s1) & 0xffffffff)
    a, b, c, d, e, f, g, h = state
    for t in range(64):
        t1 = h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + ((e & f) ^ (~e & g)) + K[t] + w[t]
        t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))
        a, b, c, d, e, f, g, h = (t1 + t2) & 0xffffffff, a, b, c, (d + t1) & 0xffffffff, e, f, g
    return [(x + y) & 0xffffffff for x, y in zip(state, (a, b, c, d, e, f, g, h))]


class Pair:
    """Two opened participants of all repetitions: a wire is one integer, P's lanes low and Q's above them."""

    def __init__(self, lanes, masks, view_q, one):
        self.lanes, self.low = lanes, (1 << lanes) - 1
        self.masks, self.view_q, self.one = masks, view_q, one
        self.view_p = []

    def and_(self, x, y):
        gate, low, lanes = len(self.view_p), self.low, self.lanes
        xp, yp, xq, yq = x & low, y & low, x >> lanes, y >> lanes
        zp = (xp & (yp ^ yq)) ^ (xq & yp) ^ self.masks[gate]
        self.view_p.append(zp)
        return zp | (self.view_q[gate] << lanes)

    def add(self, a, b):
        carry, out, last = 0, [], len(a) - 1
        for i, (ai, bi) in enumerate(zip(a, b)):
            left = ai ^ carry
            out.append(left ^ bi)
            if i < last:
                carry ^= self.and_(left, bi ^ carry)
        return out

    def word(self, value):
        return [self.one if (value >> i) & 1 else 0 for i in range(32)]

    def compress(self, state, block):
        rot = lambda w, by: [w[(i + by) % 32] for i in range(32)]
        shr = lambda w, by: [w[i + by] if i + by < 32 else 0 for i in range(32)]
        xor3 = lambda a, b, c: [x ^ y ^ z for x, y, z in zip(a, b, c)]
        w = list(block)
        for t in range(16, 64):
            left = self.add(w[t - 16], xor3(rot(w[t - 15], 7), rot(w[t - 15], 18), shr(w[t - 15], 3)))
            right = self.add(w[t - 7], xor3(rot(w[t - 2], 17), rot(w[t - 2], 19), shr(w[t - 2], 10)))
            w.append(self.add(left, right))
        a, b, c, d, e, f, g, h = state
        for t in range(64):
            sigma = xor3(rot(e, 6), rot(e, 11), rot(e, 25))
            ch = [z ^ self.and_(x, y ^ z) for x, y, z in zip(e, f, g)]
            t1 = self.add(self.add(self.add(self.add(h, sigma), ch), self.word(K[t])), w[t])
            maj = [x ^ self.and_(x ^ y, x ^ z) for x, y, z in zip(a, b, c)]
            t2 = self.add(xor3(rot(a, 2), rot(a, 13), rot(a, 22)), maj)
            h, g, f = g, f, e
            e = self.add(d, t1)
            d, c, b = c, b, a
            a = self.add(t1, t2)
        return [self.add(x, y) for x, y in zip(state, (a, b, c, d, e, f, g, h))]

    def hash_after(self, first_block, message):
        """SHA-256 of one public block and then these wires (eight a byte), padding included; 256 wires."""
        state = [self.word(value) for value in compress_clear(IV, first_block)]
        length = 64 + len(message) // 8
        total = -(-(length + 9) // 64) * 64
        padding = bytearray(total - length)
        padding[0] = 0x80
        padding[-8:] = (8 * length).to_bytes(8, "big")
        bits = message + [self.one if (byte >> bit) & 1 else 0 for byte in padding for bit in range(8)]
        for at in range(0, len(bits), 512):
            words = [[bits[at + 32 * word + 8 * (3 - j // 8) + j % 8] for j in range(32)] for word in range(16)]
            state = self.compress(state, words)
        return [state[j // 32][8 * (3 - j % 32 // 8) + j % 8] for j in range(256)]


def gf_multiply(a, b):
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = (a << 1) ^ (0x11b if a & 0x80 else 0)
        b >>= 1
    return product


def gf_lagrange(xs):
    """Factors at 0."""
    factors = []
    for x in xs:
        numerator = denominator = 1
        for other in xs:
            if other != x:
                numerator = gf_multiply(numerator, other)
                denominator = gf_multiply(denominator, x ^ other)
        inverse = next(i for i in range(1, 256) if gf_multiply(i, denominator) == 1)
        factors.append(gf_multiply(numerator, inverse))
    return factors


# ---------------------------------------------------------------- statements

class ByteStatement:
    """A quorum's commitments, whose shares interpolate to the secret committed as K."""

    def __init__(self, group_bytes, trace):
        described = json.loads(group_bytes)["set"]
        require(described["scheme"] == "envelope" and described["kind"] == "key", "no set of shares of a key")
        structure = (described["groupThreshold"], described["groups"])
        origin = described.get("lineage", {}).get("origin", described)
        public_key = base64.b64decode(described["publicKey"])

        def context(threshold, groups):
            shape = b"".join(bytes([group["threshold"], group["shares"]]) for group in groups)
            return sha256(b"conclave/share-a", b"gf256-v1", bytes.fromhex(described["setId"]),
                          bytes([threshold, len(groups)]), shape, prefixed(public_key))

        block = lambda tag, a, number: tag + a + u16(number) + b"gf256-v1" + bytes(6)
        own = context(*structure)
        commitments = {each["index"]: bytes.fromhex(each["commitment"]) for each in described["commitments"]}
        self.quorum = trace["quorum"]
        require(all(number in commitments for number in self.quorum), "a share that the set does not have")
        by_group = {}
        for number in self.quorum:
            by_group.setdefault(number >> 8, []).append(number & 255)
        require(len(by_group) == structure[0] and all(
            len(members) == structure[1][group - 1]["threshold"] for group, members in by_group.items()), "not exactly a quorum")
        of_groups = dict(zip(by_group, gf_lagrange(list(by_group))))
        of_members = {group: dict(zip(members, gf_lagrange(members))) for group, members in by_group.items()}
        self.factors = [gf_multiply(of_groups[n >> 8], of_members[n >> 8][n & 255]) for n in self.quorum]
        self.blocks = [block(b"conclave/share-c", own, number) for number in self.quorum]
        self.secret_block = block(b"conclave/share-k", context(origin["groupThreshold"], origin["groups"]), 0)
        self.expected = b"".join(commitments[n] for n in self.quorum) + bytes.fromhex(described["kekCommitment"])
        self.expected_bits = 8 * len(self.expected)
        #            owner of each field (0: all three share it), and its bytes
        self.fields = [(0, 32), (0, 23)] * len(self.quorum)
        self.ands = 22696 * (len(self.quorum) + 1)
        self.circuit, self.level = 1, 2

    def run(self, pair, fields):
        outputs, secret = [], [0] * 256
        for i, factor in enumerate(self.factors):
            share, r = fields[2 * i], fields[2 * i + 1]
            outputs += pair.hash_after(self.blocks[i], share + r)
            for bit in range(8):
                image = gf_multiply(factor, 1 << bit)
                for to in range(8):
                    if (image >> to) & 1:
                        for byte in range(0, 256, 8):
                            secret[byte + to] ^= share[byte + bit]
        return outputs + pair.hash_after(self.secret_block, secret + [0] * (8 * 23))

    def points(self, _first, _second):
        return b"", b"", b""


# ---------------------------------------------------------------- groups of prime order

class Edwards:
    """a·x² + y² = 1 + d·x²·y², extended coordinates."""

    def __init__(self, p, a, d, order, base, size):
        self.p, self.a, self.d, self.order, self.size = p, a % p, d % p, order, size
        self.zero = (0, 1, 1, 0)
        self.base = (base[0], base[1], 1, base[0] * base[1] % p)

    def add(self, one, two):
        p = self.p
        x1, y1, z1, t1 = one
        x2, y2, z2, t2 = two
        a, b = x1 * x2 % p, y1 * y2 % p
        c, d = t1 * self.d * t2 % p, z1 * z2 % p
        e, f, g, h = (x1 + y1) * (x2 + y2) - a - b, d - c, d + c, b - self.a * a
        return e * f % p, g * h % p, f * g % p, e * h % p

    def negate(self, point):
        x, y, z, t = point
        return -x % self.p, y, z, -t % self.p

    def affine(self, point):
        inverse = pow(point[2], -1, self.p)
        return point[0] * inverse % self.p, point[1] * inverse % self.p

    def is_zero(self, point):
        return point[0] % self.p == 0 and (point[1] - point[2]) % self.p == 0

    def encode(self, point):
        x, y = self.affine(point)
        return (y | (x & 1) << (8 * self.size - 1)).to_bytes(self.size, "little")

    def decode(self, data):
        value, p = int.from_bytes(data, "little"), self.p
        sign, y = value >> (8 * self.size - 1), value & ((1 << (8 * self.size - 1)) - 1)
        require(y < p, "a point that is not canonical")
        square = (1 - y * y) * pow(self.a - self.d * y * y, -1, p) % p
        x = pow(square, (p + 3) // 8, p) if p % 8 == 5 else pow(square, (p + 1) // 4, p)
        if p % 8 == 5 and (x * x - square) % p:
            x = x * pow(2, (p - 1) // 4, p) % p
        require((x * x - square) % p == 0 and not (x == 0 and sign), "no point")
        if x & 1 != sign:
            x = p - x
        return x, y, 1, x * y % p


class Ristretto(Edwards):
    """ristretto255 over edwards25519 (RFC 9496): points are alike that differ by torsion."""

    def is_zero(self, point):
        return point[0] % self.p == 0 or point[1] % self.p == 0

    def root_ratio(self, u, v):
        """(whether u/v is a square, its root or that of i·u/v), never negative."""
        p = self.p
        i = pow(2, (p - 1) // 4, p)
        r = u * v ** 3 * pow(u * v ** 7, (p - 5) // 8, p) % p
        check = v * r * r % p
        square = check == u % p
        if check == -u % p or check == -u * i % p:
            r = r * i % p
        return square or check == -u % p, p - r if r & 1 else r

    def encode(self, point):
        p = self.p
        x, y, z, t = point
        i = pow(2, (p - 1) // 4, p)
        u1, u2 = (z + y) * (z - y) % p, x * y % p
        inverse = self.root_ratio(1, u1 * u2 * u2 % p)[1]
        den1, den2 = inverse * u1 % p, inverse * u2 % p
        z_inverse = den1 * den2 * t % p
        den = den2
        if t * z_inverse % p & 1:
            enchanted = 54469307008909316920995813868745141605393597292927456921205312896311721017578
            x, y, den = y * i % p, x * i % p, den1 * enchanted % p
        if x * z_inverse % p & 1:
            y = -y
        s = den * (z - y) % p
        return (p - s if s & 1 else s).to_bytes(32, "little")

    def decode(self, data):
        p, s = self.p, int.from_bytes(data, "little")
        require(s < p and not s & 1, "a point that is not canonical")
        u1, u2 = (1 - s * s) % p, (1 + s * s) % p
        v = (-self.d * u1 * u1 - u2 * u2) % p
        square, inverse = self.root_ratio(1, v * u2 * u2 % p)
        den = inverse * u2 % p
        x = 2 * s * den % p
        x, y = p - x if x & 1 else x, u1 * inverse * den * v % p
        require(square and not x * y % p & 1 and y != 0, "no point")
        return x, y, 1, x * y % p


class Weierstrass:
    """y² = x³ + a·x + b, Jacobian coordinates."""

    def __init__(self, p, a, b, order, base):
        self.p, self.a, self.b, self.order, self.size = p, a % p, b, order, 33
        self.zero = (1, 1, 0)
        self.base = (base[0], base[1], 1)

    def double(self, point):
        p, (x, y, z) = self.p, point
        if z == 0 or y == 0:
            return self.zero
        s, m = 4 * x * y * y % p, (3 * x * x + self.a * pow(z, 4, p)) % p
        x3 = (m * m - 2 * s) % p
        return x3, (m * (s - x3) - 8 * pow(y, 4, p)) % p, 2 * y * z % p

    def add(self, one, two):
        p = self.p
        if one[2] == 0:
            return two
        if two[2] == 0:
            return one
        (x1, y1, z1), (x2, y2, z2) = one, two
        zz1, zz2 = z1 * z1 % p, z2 * z2 % p
        u1, u2, s1, s2 = x1 * zz2 % p, x2 * zz1 % p, y1 * zz2 * z2 % p, y2 * zz1 * z1 % p
        h, r = (u2 - u1) % p, (s2 - s1) % p
        if h == 0:
            return self.double(one) if r == 0 else self.zero
        hh = h * h % p
        hhh, v = h * hh % p, u1 * hh % p
        x3 = (r * r - hhh - 2 * v) % p
        return x3, (r * (v - x3) - s1 * hhh) % p, z1 * z2 * h % p

    def negate(self, point):
        return point[0], -point[1] % self.p, point[2]

    def affine(self, point):
        inverse = pow(point[2], -1, self.p)
        return point[0] * inverse ** 2 % self.p, point[1] * inverse ** 3 % self.p

    def is_zero(self, point):
        return point[2] == 0

    def encode(self, point):
        x, y = self.affine(point)
        return bytes([2 + (y & 1)]) + x.to_bytes(32, "big")

    def decode(self, data):
        x, p = int.from_bytes(data[1:], "big"), self.p
        require(data[0] in (2, 3) and x < p, "a point that is not canonical")
        square = (x ** 3 + self.a * x + self.b) % p
        y = pow(square, (p + 1) // 4, p)
        require((y * y - square) % p == 0, "no point")
        return x, (p - y if y & 1 != data[0] & 1 else y), 1


def multiply(curve, point, scalar):
    total = curve.zero
    for bit in bin(scalar)[2:] if scalar else "":
        total = curve.add(total, total)
        if bit == "1":
            total = curve.add(total, point)
    return total


class BaseTable:
    """Multiples of the base, eight bits at a time."""

    def __init__(self, curve):
        self.curve, self.rows, step = curve, [], curve.base
        for _ in range((curve.order.bit_length() + 7) // 8):
            row = [curve.zero]
            for _ in range(255):
                row.append(curve.add(row[-1], step))
            self.rows.append(row)
            step = curve.add(row[-1], step)

    def times(self, scalar):
        scalar, total = scalar % self.curve.order, self.curve.zero
        for row in self.rows:
            total = self.curve.add(total, row[scalar & 255])
            scalar >>= 8
        return total


P25519, P448 = 2 ** 255 - 19, 2 ** 448 - 2 ** 224 - 1
PK1 = 2 ** 256 - 2 ** 32 - 977
P256 = 2 ** 256 - 2 ** 224 + 2 ** 192 + 2 ** 96 - 1
L25519 = 2 ** 252 + 27742317777372353535851937790883648493
ED25519 = lambda: Edwards(P25519, -1, -121665 * pow(121666, -1, P25519), L25519, (
    15112221349535400772501151409588531511454012693041857206046113283949847762202,
    46316835694926478169428394003475163141307993866256225615783033603165251855960), 32)
RISTRETTO = lambda: Ristretto(P25519, -1, -121665 * pow(121666, -1, P25519), L25519, ED25519().base[:2], 32)
ED448 = lambda: Edwards(P448, 1, -39081, 2 ** 446 - 0x8335dc163bb124b65129c96fde933d8d723a70aadc873d6d54a7bb0d, (
    224580040295924300187604334099896036246789641632564134246125461686950415467406032909029192869357953282578032075146446173674602635247710,
    298819210078481492676017930443930673437544040154080242095928241372331506189835876003536878655418784733982303233503462500531545062832660), 57)
SECP256K1 = lambda: Weierstrass(PK1, 0, 7, 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141, (
    0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798,
    0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8))
NIST_P256 = lambda: Weierstrass(P256, -3, 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b,
                                0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551, (
    0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
    0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5))


# ---------------------------------------------------------------- FROST's hashes (RFC 9591 section 6)

def expand(message, domain, length):
    """expand_message_xmd of RFC 9380 with SHA-256."""
    suffix = domain + bytes([len(domain)])
    first = sha256(bytes(64), message, u16(length), b"\0", suffix)
    block, out = sha256(first, b"\1", suffix), b""
    for i in range(2, 8):
        out += block
        block = sha256(bytes(a ^ b for a, b in zip(first, block)), bytes([i]), suffix)
    return out[:length]


def tagged(tag, *parts):
    name = sha256(tag)
    return sha256(name, name, *parts)


class Suite:
    """What RFC 9591 fixes for one curve."""

    def __init__(self, curve, context, wide, little, even=False, challenge_prefix=None, xmd=False):
        self.curve, self.context, self.wide, self.little, self.even = curve, context, wide, little, even
        self.challenge_prefix, self.xmd = challenge_prefix, xmd
        self.order = curve.order
        self.scalar_bytes = 57 if curve.size == 57 else 32

    def to_scalar(self, purpose, *parts):
        message = b"".join(parts)
        if self.xmd:
            return int.from_bytes(expand(message, self.context + purpose, 48), "big") % self.order
        prefix = self.context + purpose
        if purpose == b"chal" and self.challenge_prefix is not None:
            prefix = self.challenge_prefix
        return int.from_bytes(self.wide(prefix + message), "little" if self.little else "big") % self.order

    def hash(self, purpose, *parts):
        return self.wide(self.context + purpose + b"".join(parts))

    def encode_scalar(self, scalar):
        return scalar.to_bytes(self.scalar_bytes, "little" if self.little else "big")

    def challenge(self, nonce, key, message):
        r, y = self.curve.encode(nonce), self.curve.encode(key)
        if self.even:
            return int.from_bytes(tagged(b"BIP0340/challenge", r[1:], y[1:], message), "big") % self.order
        return self.to_scalar(b"chal", r, y, message)


sha512 = lambda data: hashlib.sha512(data).digest()
shake114 = lambda data: hashlib.shake_256(data).digest(114)
short = lambda data: hashlib.sha256(data).digest()
FROST = {
    b"ed25519\0": lambda: Suite(ED25519(), b"FROST-ED25519-SHA512-v1", sha512, True, challenge_prefix=b""),
    b"ed448\0\0\0": lambda: Suite(ED448(), b"FROST-ED448-SHAKE256-v1", shake114, True, challenge_prefix=b"SigEd448\0\0"),
    b"p256\0\0\0\0": lambda: Suite(NIST_P256(), b"FROST-P256-SHA256-v1", short, False, xmd=True),
    b"secp256k": lambda: Suite(SECP256K1(), b"FROST-secp256k1-SHA256-v1", short, False, xmd=True),
    b"ristr255": lambda: Suite(RISTRETTO(), b"FROST-RISTRETTO255-SHA512-v1", sha512, True),
    b"taproot\0": lambda: Suite(SECP256K1(), b"FROST-secp256k1-SHA256-TR-v1", short, False, even=True, xmd=True),
}
NAMES = {"frost-ed25519": b"ed25519\0", "frost-ed448": b"ed448\0\0\0", "frost-p256": b"p256\0\0\0\0",
         "frost-secp256k1": b"secp256k", "frost-taproot": b"taproot\0",
         "frost-ristretto255": b"ristr255"}


class ScalarStatement:
    """A quorum's commitments, each to the logarithm of its public share; at level 3 the nonces too."""

    def __init__(self, group_bytes, request_bytes, request, trace):
        record = json.loads(group_bytes)
        code = trace["suite"]
        require(NAMES.get(record["suite"]) == code, "another suite than the group record's, or one that this reader lacks")
        require(record["policy"] in (None, "sha256:" + request[9].hex()), "the key is bound to a policy that does not allow this")
        self.suite = suite = FROST[code]()
        self.curve = curve = suite.curve
        self.table = BaseTable(curve)
        members = {member["number"]: member for member in record["members"]}
        self.quorum = trace["quorum"]
        require(len(self.quorum) == record["threshold"] and all(n in members for n in self.quorum), "not exactly a quorum")
        point = lambda text: self.point(bytes.fromhex(text))
        key = point(record["publicKey"])
        shares = [point(members[number]["publicShare"]) for number in self.quorum]
        lagrange = []
        for i in self.quorum:
            value = 1
            for j in self.quorum:
                if i != j:
                    value = value * j * pow(j - i, -1, suite.order) % suite.order
            lagrange.append(value)
        total = curve.zero
        for factor, share in zip(lagrange, shares):
            total = curve.add(total, multiply(curve, share, factor))
        require(self.same(total, key), "the public shares do not give the key")
        self.level = trace["level"]
        context = group_context(record)
        signs = suite.even and curve.affine(key)[1] & 1
        signing = curve.negate(key) if signs else key
        message = request[3]
        nonces = self.equations(trace, signing, bool(signs), shares, lagrange, message)
        commitments = [bytes.fromhex(members[number]["commitment"]) for number in self.quorum]
        n0 = sha256(TAG["nonces"], b"\1", code, b"\3", prefixed(group_bytes), prefixed(request_bytes),
                    u16(len(self.quorum)), *map(u16, self.quorum), curve.encode(signing), prefixed(message))
        self.lay_out(code, context, shares, commitments, nonces, n0)

    def lay_out(self, code, context, shares, commitments, nonces=(), n0=b""):
        """The circuit's inputs, hashes and outputs for these openings."""
        suite = self.suite
        bits = suite.order.bit_length()
        r_bytes, hashes = (23, 2) if suite.scalar_bytes == 32 else (32, 3)
        self.bits, self.hashes = bits, hashes
        widths = [self.width(bits)] + ([self.width(256 * hashes)] if self.level == 3 else [])
        self.widths, self.targets, self.fields, self.blocks, expected = widths, [], [], [], []
        for i, number in enumerate(self.quorum):
            end = u16(number) + code
            self.blocks.append([b"conclave/frost-c" + context + end + bytes(6)])
            self.targets.append(shares[i])
            integer = lambda width: [(1, width[0] // 8), (2, width[0] // 8), (3, width[1] // 8)]
            self.fields += integer(widths[0]) + [(0, r_bytes)]
            expected += [byte >> bit & 1 for byte in commitments[i] for bit in range(8)] + [0] * (widths[0][1] - bits)
            if self.level == 3:
                self.blocks[-1] += [TAG["nonce"] + n0 + end + bytes([purpose + 1]) + bytes(5) for purpose in range(hashes)]
                self.targets.append(nonces[i])
                self.fields += integer(widths[1])
                expected += [0] * widths[1][1]
        self.expected_bits = len(expected)
        packed = sum(bit << at for at, bit in enumerate(expected))
        self.expected = packed.to_bytes((len(expected) + 7) // 8, "little")
        blocks = 1 if suite.scalar_bytes == 32 else 2
        own = 2 * (widths[0][1] - 1) + 22696 * blocks
        if self.level == 3:
            own += 2 * (widths[1][1] - 1) + 22696 * blocks * hashes
        self.ands = own * len(self.quorum)
        self.circuit = {253: 2, 256: 4, 446: 6}[bits] + (1 if self.level == 3 else 0)

    @staticmethod
    def width(bits):
        part = -(-(bits + 144) // 8) * 8
        return part, part + 8

    def same(self, one, two):
        return self.curve.is_zero(self.curve.add(one, self.curve.negate(two)))

    def point(self, data):
        """Canonical, in the group of prime order, not the identity."""
        point = self.curve.decode(data)
        require(self.curve.encode(point) == data and not self.curve.is_zero(point), "a point that is not canonical")
        require(self.curve.is_zero(multiply(self.curve, point, self.suite.order)), "a point outside the group")
        return point

    def equations(self, trace, key, negated, shares, lagrange, message):
        suite, curve = self.suite, self.curve
        points = [[self.point(field) for field in share[:-1]] for share in trace["shares"]]
        scalars = [int.from_bytes(share[-1], "big") for share in trace["shares"]]
        require(all(z < suite.order for z in scalars), "a scalar that is not reduced")
        if trace["level"] == 3:
            own = [each[0] for each in points]
        else:
            listed = b"".join(suite.encode_scalar(n) + share[0] + share[1] for n, share in zip(self.quorum, trace["shares"]))
            prefix = curve.encode(key) + suite.hash(b"msg", message) + suite.hash(b"com", listed)
            own = [curve.add(d, multiply(curve, e, suite.to_scalar(b"rho", prefix, suite.encode_scalar(n))))
                   for n, (d, e) in zip(self.quorum, points)]
        nonce = curve.zero
        for each in own:
            nonce = curve.add(nonce, each)
        require(not curve.is_zero(nonce), "the nonces add up to the identity")
        flip = suite.even and curve.affine(nonce)[1] & 1
        challenge = suite.challenge(nonce, key, message) * (-1 if negated else 1)
        for each, share, factor, z in zip(own, shares, lagrange, scalars):
            right = curve.add(curve.negate(each) if flip else each, multiply(curve, share, factor * challenge % suite.order))
            require(self.same(self.table.times(z), right), "the equation of a share")
        r = curve.encode(nonce)
        require((r[1:] if suite.even else r) + suite.encode_scalar(sum(scalars) % suite.order) == trace["signature"],
                "the signature is not the sum of its shares")
        return [each[0] for each in points]

    def binding(self, wanted, proof, h0):
        """Level 1: each signer's Schnorr proof over h0 where the request asks for it, and otherwise nothing."""
        reader = Reader(proof)
        for number, share in zip(self.quorum, self.targets) if wanted else ():
            written = reader.take(len(self.curve.encode(share)))
            point, s = self.point(written), reader.number(self.suite.scalar_bytes)
            require(s < self.suite.order, "a scalar that is not reduced")
            e = int.from_bytes(sha256(TAG["bind"], h0, u16(number), self.curve.encode(share), written), "big")
            right = self.curve.add(point, multiply(self.curve, share, e % self.suite.order))
            require(self.same(self.table.times(s), right), "the binding of a share")
        reader.end()

    def run(self, pair, fields):
        outputs, per = [], len(self.fields) // len(self.quorum)
        for i in range(len(self.quorum)):
            own = fields[i * per:(i + 1) * per]

            def integer(parts, width):
                wide = [part + [0] * (width[1] - len(part)) for part in parts]
                return pair.add(pair.add(wide[0], wide[1]), wide[2])

            x = integer(own[:3], self.widths[0])
            size = self.suite.scalar_bytes
            places = [8 * (size - 1 - j // 8) + j % 8 for j in range(8 * size)]
            message = [x[place] if place < self.bits else 0 for place in places] + own[3]
            outputs += pair.hash_after(self.blocks[i][0], message) + x[self.bits:]
            if self.level == 3:
                n = integer(own[4:7], self.widths[1])
                digests = [wire for block in self.blocks[i][1:] for wire in pair.hash_after(block, message)]
                length = len(digests)
                outputs += [digests[8 * (length // 8 - 1 - j // 8) + j % 8] ^ n[j] for j in range(length)] + n[length:]
        return outputs

    def points(self, first, second):
        curve, out = self.curve, [b"", b"", b""]
        for target, field in zip(self.targets, (f for f in range(len(self.fields)) if self.fields[f][0] == 1)):
            parts = []
            for party in (first, second):
                data = party["fields"][field + party["k"] - 1]
                parts.append(self.table.times(int.from_bytes(data, "little", signed=party["k"] == 3)))
            parts.append(curve.add(target, curve.negate(curve.add(*parts))))
            require(not any(curve.is_zero(part) for part in parts), "a part of a point is the identity")
            out = [before + curve.encode(part) for before, part in zip(out, parts)]
        return out



class OpeningStatement(ScalarStatement):
    """One commitment of a group record that comes with a proof of its own: what it opens to is the logarithm of its public share."""

    def __init__(self, opening):
        code = opening["suite"]
        require(code in FROST, "a suite that this reader lacks")
        self.suite = FROST[code]()
        self.curve = self.suite.curve
        self.table = BaseTable(self.curve)
        self.level, self.quorum = 2, [opening["number"]]
        self.lay_out(code, opening["context"], [self.point(opening["share"])], [opening["commitment"]])


def read_opening(data):
    reader = Reader(data)
    require(reader.take(16) == b"conclave/opening" and reader.number(2) == 1, "not a proof of an opening of version 1")
    opening = {"system": reader.number(1), "repetitions": reader.number(2), "circuit": reader.number(2), "suite": reader.take(8)}
    require(SUITES.get(opening["suite"], (0, 0))[0] > 0, "an unknown suite")
    opening["context"], opening["number"] = reader.take(32), reader.number(2)
    require(opening["number"] > 0, "share 0")
    opening["share"], opening["commitment"] = reader.take(SUITES[opening["suite"]][0]), reader.take(32)
    opening["proof"] = data[reader.at:]
    return opening


def opening_hash(opening):
    return sha256(TAG["opening"], parameters(opening["repetitions"], opening["circuit"]), opening["context"],
                  u16(opening["number"]), opening["suite"], prefixed(opening["share"]), prefixed(opening["commitment"]))


def group_context(record):
    members = record["members"]
    return sha256(b"conclave/frost-a", NAMES[record["suite"]], u16(record["threshold"]), u16(len(members)),
                  bytes.fromhex(record["publicKey"]),
                  *(u16(each["number"]) + bytes.fromhex(each["publicShare"]) for each in members),
                  bytes.fromhex(record["ceremony"]))


# ---------------------------------------------------------------- the proof

def trits_of(challenge, count):
    stream = shake256(4 * count, TAG["trits"], challenge)
    pairs = ((byte >> shift) & 3 for byte in stream for shift in (0, 2, 4, 6))
    trits = [pair for pair in pairs if pair != 3][:count]
    require(len(trits) == count, "challenge")
    return trits


def to_columns(strings, bits):
    """Bit j of every string as one integer, string i in lane i."""
    size = (bits + 7) // 8
    digits = (format(int.from_bytes(string[:size], "little"), f"0{8 * size}b")[::-1] for string in reversed(strings))
    rows = "".join(digits)
    return [int(rows[j::8 * size], 2) for j in range(bits)]


def from_columns(columns, lanes):
    length = (len(columns) + 7) // 8
    if not columns:
        return [b""] * lanes
    rows = "".join(format(column, f"0{lanes}b") for column in reversed(columns))
    return [int(rows[lanes - 1 - i::lanes], 2).to_bytes(length, "little") for i in range(lanes)]


def verify_proof(statement, trace, h0):
    lanes = trace["repetitions"]
    reader = Reader(trace["proof"])
    salt, challenge = reader.take(32), reader.take(32)
    trits = trits_of(challenge, lanes)
    view_bytes = (statement.ands + 7) // 8
    sizes = {k: sum(size for owner, size in statement.fields if owner in (0, k)) for k in (1, 2, 3)}
    opened = []
    for repetition, trit in enumerate(trits):
        first, second = trit + 1, (trit + 1) % 3 + 1
        seeds = [reader.take(32), reader.take(32)]
        view = reader.take(view_bytes)
        require(statement.ands % 8 == 0 or view[-1] >> (statement.ands % 8) == 0, "a view is not padded with zeros")
        auxiliary = reader.take(sizes[3] if 3 in (first, second) else 0)
        parties = []
        for k, seed in zip((first, second), seeds):
            length = view_bytes + (0 if k == 3 else sizes[k])
            tape = shake256(length, TAG["tape"], salt, u16(repetition), bytes([k]), seed)
            inputs = auxiliary if k == 3 else tape[view_bytes:]
            fields, at = [], 0
            for owner, size in statement.fields:
                if owner in (0, k):
                    fields.append(inputs[at:at + size])
                    at += size
                else:
                    fields.append(bytes(size))
            parties.append({"k": k, "seed": seed, "tape": tape, "fields": fields})
        opened.append((parties, view, auxiliary, reader.take(32)))
    reader.end()

    masks = [a ^ b for a, b in zip(*(to_columns([o[0][side]["tape"] for o in opened], statement.ands) for side in (0, 1)))]
    view_q = to_columns([o[1] for o in opened], statement.ands)
    one = sum(1 << (side * lanes + lane) for lane, o in enumerate(opened) for side in (0, 1) if o[0][side]["k"] == 1)
    pair = Pair(lanes, masks, view_q, one)
    fields = []
    for at, (_, size) in enumerate(statement.fields):
        columns = [to_columns([o[0][side]["fields"][at] for o in opened], 8 * size) for side in (0, 1)]
        fields.append([p | (q << lanes) for p, q in zip(*columns)])
    outputs = statement.run(pair, fields)
    require(len(pair.view_p) == statement.ands and len(outputs) == statement.expected_bits, "the circuit's shape")
    view_p = from_columns(pair.view_p, lanes)
    output_p = from_columns([wire & pair.low for wire in outputs], lanes)
    output_q = from_columns([wire >> lanes for wire in outputs], lanes)

    first_message = []
    for repetition, (parties, view, auxiliary, commitment) in enumerate(opened):
        points = statement.points(parties[0], parties[1])
        shares = [output_p[repetition], output_q[repetition]]
        messages = {}
        for side, own_view in ((0, view_p[repetition]), (1, view)):
            k, seed = parties[side]["k"], parties[side]["seed"]
            com = sha256(TAG["commitment"], salt, u16(repetition), bytes([k]), seed, auxiliary if k == 3 else b"", own_view,
                         points[side])
            messages[k] = com + shares[side] + points[side]
        third = bytes(a ^ b ^ c for a, b, c in zip(statement.expected, *shares))
        messages[6 - sum(party["k"] for party in parties)] = commitment + third + points[2]
        first_message += [messages[1], messages[2], messages[3]]
    again = sha256(TAG["challenge"], h0, salt, parameters(lanes, trace["circuit"]), *first_message)
    require(again == challenge, "the challenge is not the hash of what is opened")


def verify(group, request_bytes, signature, trace_bytes):
    request, trace = read_request(request_bytes), read_trace(trace_bytes)
    require(request[5] == sha256(group), "the request is for another group record")
    require(trace["level"] == request[6], "another level than the request's")
    require(7 not in request or request[7] == trace["quorum"], "another quorum than the request's")
    require(request[9] == allow_digest(request[4]), "the request is under another policy than to sign its message")
    require(trace["signature"] == signature, "the signature file is not the signature of the trace")
    if trace["suite"] == b"gf256-v1":
        statement = ByteStatement(group, trace)
    else:
        require(trace["level"] in (1, 2, 3), "unknown level")
        statement = ScalarStatement(group, request_bytes, request, trace)
        if trace["level"] == 1:
            require((trace["system"], trace["repetitions"], trace["circuit"]) == (0, 0, 0), "a proof at level 1")
            statement.binding(request[8], trace["proof"], statement_hash(trace, group, request_bytes))
            return
    require((trace["system"], trace["repetitions"], trace["circuit"], trace["level"]) ==
            (1, REPETITIONS, statement.circuit, statement.level), "parameters of the proof")
    verify_proof(statement, trace, statement_hash(trace, group, request_bytes))


def verify_opening(data, group):
    """A proof of one commitment; where a group record is given, the very proof that it names."""
    opening = read_opening(data)
    if group is not None:
        record = json.loads(group)
        members = {member["number"]: member for member in record["members"]}
        require(record["version"] == 2 and opening["number"] in members, "the record names no such proof")
        member = members[opening["number"]]
        require(member["proof"] == hashlib.sha256(data).hexdigest(), "not the proof that the record names")
        require(opening["suite"] == NAMES.get(record["suite"]), "another suite than the group record's")
        require(opening["context"] == group_context(record), "another group or other public shares")
        require(opening["share"].hex() == member["publicShare"], "another public share")
        require(opening["commitment"].hex() == member["commitment"], "another commitment")
    statement = OpeningStatement(opening)
    require((opening["system"], opening["repetitions"], opening["circuit"]) == (1, REPETITIONS, statement.circuit),
            "parameters of the proof")
    verify_proof(statement, opening, opening_hash(opening))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for option in ("group", "request", "sig"):
        parser.add_argument("--" + option)
    parser.add_argument("--opening", action="store_true", help="FILE is a proof of one commitment; --group is optional")
    parser.add_argument("file")
    asked = parser.parse_args()
    if not asked.opening and None in (asked.group, asked.request, asked.sig):
        parser.error("a trace needs --group, --request and --sig")
    read = lambda path: None if path is None else open(path, "rb").read()
    try:
        if asked.opening:
            verify_opening(read(asked.file), read(asked.group))
        else:
            verify(read(asked.group), read(asked.request), read(asked.sig), read(asked.file))
    except Refused as why:
        print(f"NO: {why}")
        return 1
    print(f"yes: the {'proof' if asked.opening else 'trace'} holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
