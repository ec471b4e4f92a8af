"""The groups of threshold keys (docs/spec/threshold.md) and their hash to a scalar: points are whatever a group makes of them.

Not constant-time, and slow. RFC 8032, RFC 9380, RFC 9496, RFC 9591; BLS12-381: draft-irtf-cfrg-pairing-friendly-curves.
"""
import hashlib

import ed25519
from curves import CURVES, Curve


def expand(message, tag, length):
    """expand_message_xmd of RFC 9380 with SHA-256."""
    tag += bytes([len(tag)])
    block = hashlib.sha256(bytes(64) + message + length.to_bytes(2, "big") + b"\0" + tag).digest()
    out, last = b"", bytes(32)
    for i in range(1, -(-length // 32) + 1):
        last = hashlib.sha256(bytes(x ^ y for x, y in zip(block, last)) + bytes([i]) + tag).digest()
        out += last
    return out[:length]


class Group:
    """What the reader asks of a group. `decode` gives None for whatever is not in the prime-order group, and for the identity."""

    scalar_bytes, order_of_bytes, even_y = 32, "big", False

    def scalar(self, data):
        value = int.from_bytes(data, self.order_of_bytes)
        return value if len(data) == self.scalar_bytes and value < self.q else None

    def write(self, value):
        return value.to_bytes(self.scalar_bytes, self.order_of_bytes)

    def reduced(self, digest):
        return int.from_bytes(digest, self.order_of_bytes) % self.q

    def same(self, a, b):
        return self.encode(a) == self.encode(b)

    def public_key(self, point):
        return self.encode(point)


class Weierstrass(Group):
    def __init__(self, name, algorithm, code, context, even_y=False):
        self.curve = CURVES[name]
        self.q, self.base, self.identity = self.curve.q, self.curve.base, None
        self.algorithm, self.code, self.context, self.even_y = algorithm, code, context, even_y

    def add(self, a, b):
        return self.curve.add(a, b)

    def negate(self, a):
        return a and (a[0], -a[1] % self.curve.p)

    def multiply(self, a, k):
        return self.curve.multiply(a, k % self.q)

    def decode(self, data):
        return self.curve.decode(data)

    def encode(self, a):
        return bytes([2 + (a[1] & 1)]) + a[0].to_bytes(32, "big") if a else b"\0"

    def challenge(self, data):
        return int.from_bytes(expand(data, self.context + b"dkg", 48), "big") % self.q

    def public_key(self, point):
        return self.encode(point)[1:] if self.even_y else self.encode(point)


class Edwards25519(Group):
    order_of_bytes, algorithm, code = "little", "ed25519", b"ed25519\0"
    q, base, identity = ed25519.Q, ed25519.BASE, (0, 1, 1, 0)
    context = b"FROST-ED25519-SHA512-v1"

    def add(self, a, b):
        return ed25519.add(a, b)

    def negate(self, a):
        return -a[0] % ed25519.P, a[1], a[2], -a[3] % ed25519.P

    def multiply(self, a, k):
        return ed25519.multiply(k % self.q, a)

    def encode(self, a):
        inverse = pow(a[2], -1, ed25519.P)
        x, y = a[0] * inverse % ed25519.P, a[1] * inverse % ed25519.P
        return (y | (x & 1) << 255).to_bytes(32, "little")

    def decode(self, data):
        point = ed25519.decompress(data) if len(data) == 32 else None
        if point is None or self.encode(point) == self.encode(self.identity):
            return None
        return point if self.encode(ed25519.multiply(self.q, point)) == self.encode(self.identity) else None

    def challenge(self, data):
        return self.reduced(hashlib.sha512(self.context + b"dkg" + data).digest())


class Ristretto255(Edwards25519):
    algorithm, code, context = "schnorr-ristretto255", b"ristr255", b"FROST-RISTRETTO255-SHA512-v1"

    @staticmethod
    def root(u, v):
        """Whether u/v is a square, and the nonnegative (even) root of it, or of the root of -1 times it."""
        p = ed25519.P
        r = u * pow(v, 3, p) * pow(u * pow(v, 7, p), (p - 5) // 8, p) % p
        check = v * r * r % p
        if check in (-u % p, -u * ed25519.ROOT % p):
            r = r * ed25519.ROOT % p
        return check in (u % p, -u % p), r if r & 1 == 0 else p - r

    def decode(self, data):
        p, d = ed25519.P, ed25519.D
        s = int.from_bytes(data, "little")
        if len(data) != 32 or s >= p or s & 1 or s == 0:
            return None
        ss = s * s % p
        u1, u2 = (1 - ss) % p, (1 + ss) % p
        v = (-(d * u1 * u1) - u2 * u2) % p
        square, inverse = self.root(1, v * u2 * u2 % p)
        x_den = inverse * u2 % p
        y_den = inverse * x_den * v % p
        x = 2 * s * x_den % p
        x = x if x & 1 == 0 else p - x
        y = u1 * y_den % p
        t = x * y % p
        return (x, y, 1, t) if square and t & 1 == 0 and y != 0 else None

    def encode(self, a):
        p, d = ed25519.P, ed25519.D
        x, y, z, t = a
        u1, u2 = (z + y) * (z - y) % p, x * y % p
        _, inverse = self.root(1, u1 * u2 * u2 % p)
        one, two = inverse * u1 % p, inverse * u2 % p
        z_inverse = one * two * t % p
        if t * z_inverse % p & 1:
            _, constant = self.root(1, (-1 - d) % p)
            x, y = y * ed25519.ROOT % p, x * ed25519.ROOT % p
            inverse = one * constant % p
        else:
            inverse = two
        if x * z_inverse % p & 1:
            y = -y % p
        s = inverse * (z - y) % p
        return (s if s & 1 == 0 else p - s).to_bytes(32, "little")


class Edwards448(Group):
    scalar_bytes, order_of_bytes, algorithm, code = 57, "little", "ed448", b"ed448\0\0\0"
    p = 2**448 - 2**224 - 1
    d = -39081
    q = 2**446 - 13818066809895115352007386748515426880336692474882178609894547503885
    context, identity = b"FROST-ED448-SHAKE256-v1", (0, 1, 1)

    def __init__(self):
        x = 224580040295924300187604334099896036246789641632564134246125461686950415467406032909029192869357953282578032075146446173674602635247710
        y = 298819210078481492676017930443930673437544040154080242095928241372331506189835876003536878655418784733982303233503462500531545062832660
        self.base = (x, y, 1)

    def add(self, a, b):
        p = self.p
        zz = a[2] * b[2] % p
        square, xx, yy = zz * zz % p, a[0] * b[0] % p, a[1] * b[1] % p
        e = self.d * xx * yy % p
        f, g = square - e, square + e
        h = (a[0] + a[1]) * (b[0] + b[1]) - xx - yy
        return zz * f * h % p, zz * g * (yy - xx) % p, f * g % p

    def negate(self, a):
        return -a[0] % self.p, a[1], a[2]

    def raw(self, a, k):
        total = self.identity
        while k:
            total = self.add(total, a) if k & 1 else total
            a, k = self.add(a, a), k >> 1
        return total

    def multiply(self, a, k):
        return self.raw(a, k % self.q)

    def encode(self, a):
        inverse = pow(a[2], -1, self.p)
        x, y = a[0] * inverse % self.p, a[1] * inverse % self.p
        return y.to_bytes(56, "little") + bytes([(x & 1) << 7])

    def decode(self, data):
        y = int.from_bytes(data[:56], "little")
        if len(data) != 57 or data[56] & 0x7F or y >= self.p:
            return None
        u, v = (y * y - 1) % self.p, (self.d * y * y - 1) % self.p
        x = u * pow(v, -1, self.p) % self.p
        x = pow(x, (self.p + 1) // 4, self.p)
        if (v * x * x - u) % self.p or (x == 0 and data[56]):
            return None
        point = (x if x & 1 == data[56] >> 7 else self.p - x, y, 1)
        nothing = self.encode(self.identity)
        return point if self.encode(point) != nothing and self.encode(self.raw(point, self.q)) == nothing else None

    def challenge(self, data):
        return self.reduced(hashlib.shake_256(self.context + b"dkg" + data).digest(114))


class Pairing(Group):
    algorithm, code, context, identity = "bls12-381", b"bls12381", b"conclave-BLS12381G1-SHA512-v1", None
    q = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
    curve = Curve(
        "bls-g1",
        0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB,
        0, 4, q,
        0x17F1D3A73197D7942695638C4FA9AC0FC3688C4F9774B905A14E3A3F171BAC586C55E83FF97A1AEFFB3AF00ADB22C6BB,
        0x08B3F481E3AAA0F1A09E30ED741D8AE4FCF5E095D5D00AF600DB18CB2C04B3EDD03CC744A2888AE40CAA232946C5E7E1,
    )
    base = curve.base

    def add(self, a, b):
        return self.curve.add(a, b)

    def multiply(self, a, k):
        return self.curve.multiply(a, k % self.q)

    def encode(self, a):
        if a is None:
            return bytes([0xC0]) + bytes(47)
        data = bytearray(a[0].to_bytes(48, "big"))
        data[0] |= 0x80 | (0x20 if 2 * a[1] > self.curve.p else 0)
        return bytes(data)

    def decode(self, data):
        if len(data) != 48 or data[0] & 0xC0 != 0x80:
            return None
        x, p = int.from_bytes(bytes([data[0] & 0x1F]) + data[1:], "big"), self.curve.p
        y = pow(x * x * x + 4, (p + 1) // 4, p)
        if x >= p or (y * y - x * x * x - 4) % p:
            return None
        point = (x, y if (2 * y > p) == bool(data[0] & 0x20) else p - y)
        return point if self.curve.multiply(point, self.q) is None else None

    def challenge(self, data):
        return self.reduced(hashlib.sha512(self.context + b"dkg" + data).digest())


SUITES = {
    "frost-ed25519": Edwards25519(),
    "frost-ed448": Edwards448(),
    "frost-ristretto255": Ristretto255(),
    "frost-p256": Weierstrass("p256", "schnorr-p256", b"p256\0\0\0\0", b"FROST-P256-SHA256-v1"),
    "frost-secp256k1": Weierstrass("secp256k1", "schnorr-secp256k1", b"secp256k", b"FROST-secp256k1-SHA256-v1"),
    "frost-taproot": Weierstrass("secp256k1", "bip340", b"taproot\0", b"FROST-secp256k1-SHA256-TR-v1", even_y=True),
    "bls12-381": Pairing(),
}
