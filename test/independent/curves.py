"""The curves of verifiable shares (docs/spec/share.md, section 10): just enough arithmetic to hold a share against its commitments.

Not constant-time, and slow. Domain parameters: SEC 2 and FIPS 186-4.
"""
import hashlib


class Curve:
    def __init__(self, name, p, a, b, q, gx, gy):
        self.name, self.p, self.a, self.b, self.q = name, p, a, b, q
        self.bytes = (p.bit_length() + 7) // 8
        self.base = (gx, gy)

    def add(self, one, two):
        if one is None or two is None:
            return one or two
        (x1, y1), (x2, y2) = one, two
        if x1 == x2 and (y1 + y2) % self.p == 0:
            return None
        if one == two:
            slope = (3 * x1 * x1 + self.a) * pow(2 * y1, -1, self.p)
        else:
            slope = (y2 - y1) * pow(x2 - x1, -1, self.p)
        x = (slope * slope - x1 - x2) % self.p
        return x, (slope * (x1 - x) - y1) % self.p

    def multiply(self, point, scalar):
        total = None
        while scalar:
            if scalar & 1:
                total = self.add(total, point)
            point = self.add(point, point)
            scalar >>= 1
        return total

    def decode(self, data):
        """A compressed point; None for anything else."""
        if len(data) != 1 + self.bytes or data[0] not in (2, 3):
            return None
        x = int.from_bytes(data[1:], "big")
        square = (x * x * x + self.a * x + self.b) % self.p
        y = pow(square, (self.p + 1) // 4, self.p)  # p = 3 mod 4 on all four
        if x >= self.p or y * y % self.p != square:
            return None
        return (x, y if y & 1 == data[0] & 1 else self.p - y)

    def uncompressed(self, point):
        return b"\x04" + b"".join(v.to_bytes(self.bytes, "big") for v in point)

    def second(self):
        """H of Pedersen's commitments: the first hash that is a point."""
        for counter in range(65536):
            seed = f"conclave/pedersen-h/v1 {self.name} {counter}".encode()
            stream = b"".join(hashlib.sha512(seed + end).digest() for end in (b"/0", b"/1"))
            candidate = bytearray(stream[: 1 + self.bytes])
            candidate[0] = 2
            if self.name == "nist-p521":
                candidate[1] &= 1
            point = self.decode(bytes(candidate))
            if point is not None:
                return point
        raise AssertionError


P256 = 2**256 - 2**224 + 2**192 + 2**96 - 1
P384 = 2**384 - 2**128 - 2**96 + 2**32 - 1
P521 = 2**521 - 1
K256 = 2**256 - 2**32 - 977

CURVES = {
    "p256": Curve(
        "nist-p256", P256, P256 - 3,
        0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
        0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
        0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    ),
    "p384": Curve(
        "nist-p384", P384, P384 - 3,
        0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
        0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
        0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F,
    ),
    "p521": Curve(
        "nist-p521", P521, P521 - 3,
        0x51953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF109E156193951EC7E937B1652C0BD3BB1BF073573DF883D2C34F1EF451FD46B503F00,
        0x01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409,
        0x00C6858E06B70404E9CD9E3ECB662395B4429C648139053FB521F828AF606B4D3DBAA14B5E77EFE75928FE1DC127A2FFA8DE3348B3C1856A429BF97E7E31C2E5BD66,
        0x011839296A789A3BC0045C8A5FB42C7D1BD998F54449579B446817AFBD17273E662C97EE72995EF42640C550B9013FAD0761353C7086A272C24088BE94769FD16650,
    ),
    "secp256k1": Curve(
        "sec-256k1", K256, 0, 7,
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
        0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
        0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
    ),
}


def lagrange(points, q):
    """points: {x: y}; the value at 0 modulo q."""
    total = 0
    for xi, y in points.items():
        numerator = denominator = 1
        for xj in points:
            if xj != xi:
                numerator = numerator * -xj % q
                denominator = denominator * (xi - xj) % q
        total = (total + y * numerator * pow(denominator, -1, q)) % q
    return total
