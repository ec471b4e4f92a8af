#!/usr/bin/env python3
"""Reads the structure of a CMS message sealed to KEM keys, written from RFC 5083, RFC 5084 and RFC 9629 alone.

Usage: open_cms.py FILE
Prints JSON. Only the standard library, which has neither ML-KEM nor AES: it checks the structure and gives every part that opening
takes. test/far-side/cms.mjs goes on from there.
"""
import base64
import json
import re
import sys


class Der:
    """Values one after another, definite and shortest lengths only."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def more(self):
        return self.at < len(self.data)

    def value(self, *tags):
        """Tag, content and whole encoding of the next value."""
        start = self.at
        tag, first = self.data[start], self.data[start + 1]
        self.at += 2
        length = first
        if first >= 0x80:
            count = first & 0x7F
            assert 1 <= count <= 4, "length"
            length = int.from_bytes(self.data[self.at : self.at + count], "big")
            self.at += count
            assert length >= 0x80 and length >= 1 << (8 * (count - 1)), "not shortest"
        content = self.data[self.at : self.at + length]
        assert len(content) == length, "cut"
        self.at += length
        assert not tags or tag in tags, f"type {tag:#x}"
        return tag, content, self.data[start : self.at]

    def inside(self, *tags):
        return Der(self.value(*tags)[1])

    def end(self):
        assert not self.more(), "more than was expected"


def dotted(content):
    arcs, arc = [], 0
    for byte in content:
        arc = arc << 7 | byte & 0x7F
        if byte < 0x80:
            arcs.append(arc)
            arc = 0
    first = min(2, arcs[0] // 40)
    return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))


def number(der):
    return int.from_bytes(der.value(0x02)[1], "big")


def encode(tag, content):
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    size = (len(content).bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + len(content).to_bytes(size, "big") + content


def recipient(content):
    other = Der(content)
    assert dotted(other.value(0x06)[1]) == "1.2.840.113549.1.9.16.13.3", "not a KEM recipient"
    info = other.inside(0x30)
    other.end()
    assert number(info) == 0
    info.value(0x80, 0x30)
    kem = info.inside(0x30)
    kem_oid = dotted(kem.value(0x06)[1])
    kem.end()
    ciphertext = info.value(0x04)[1]
    kdf = info.inside(0x30)
    assert dotted(kdf.value(0x06)[1]) == "1.2.840.113549.1.9.16.3.28", "not HKDF with SHA-256"
    kdf.end()
    length = info.value(0x02)
    ukm = b""
    tag, content, whole = info.value(0xA0, 0x30)
    if tag == 0xA0:
        ukm, (tag, content, whole) = whole, info.value(0x30)
    encrypted = info.value(0x04)[1]
    info.end()
    return {
        "kem": kem_oid,
        "ciphertextBytes": len(ciphertext),
        "ciphertext": ciphertext.hex(),
        # CMSORIforKEMOtherInfo, RFC 9629 section 5
        "kdfInfo": encode(0x30, whole + length[2] + ukm).hex(),
        "encryptedKey": encrypted.hex(),
    }


def main(path):
    data = open(path, "rb").read()
    pem = re.search(rb"-----BEGIN CMS-----(.*?)-----END CMS-----", data, re.S)
    if pem:
        data = base64.b64decode(pem.group(1))
    outer = Der(data)
    info = outer.inside(0x30)
    outer.end()
    assert dotted(info.value(0x06)[1]) == "1.2.840.113549.1.9.16.1.23", "not AuthEnvelopedData"
    explicit = info.inside(0xA0)
    info.end()
    enveloped = explicit.inside(0x30)
    explicit.end()
    assert number(enveloped) == 0
    infos = enveloped.inside(0x31)
    recipients, encodings = [], []
    while infos.more():
        _, content, whole = infos.value(0xA4)
        recipients.append(recipient(content))
        encodings.append(whole)
    assert encodings == sorted(encodings), "a set out of order"
    content = enveloped.inside(0x30)
    content_type = dotted(content.value(0x06)[1])
    cipher = content.inside(0x30)
    cipher_oid = dotted(cipher.value(0x06)[1])
    parameters = cipher.inside(0x30)
    nonce = parameters.value(0x04)[1]
    assert number(parameters) == 16, "the tag's length"
    body = content.value(0x80)[1]
    content.end()
    aad = b""
    tag, mac, _ = enveloped.value(0xA1, 0x04)
    if tag == 0xA1:
        aad = encode(0x31, mac)
        mac = enveloped.value(0x04)[1]
    enveloped.end()
    result = {
        "contentType": content_type,
        "cipher": cipher_oid,
        "nonce": nonce.hex(),
        "bodyBytes": len(body),
        "body": body.hex(),
        "tag": mac.hex(),
        "aad": aad.hex(),
        "recipients": recipients,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main(sys.argv[1])
