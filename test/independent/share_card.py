#!/usr/bin/env python3
"""The share file behind the text of a card. Written from docs/spec/share-card.md alone; Python 3 standard library only.

    share_card.py CARD.txt >share.cbor

CARD.txt is the text form of a card, or only its numbered lines as somebody typed them. Lines that do not fit their check
characters are named on standard error. Exit codes: 0 done, 1 a line is wrong, 65 it is no card.
"""
import re
import sys

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SHARE = ("-----BEGIN CONCLAVE SHARE CARD-----", "-----END CONCLAVE SHARE CARD-----")
PACKAGE = ("-----BEGIN CONCLAVE SEALED PACKAGE-----", "-----END CONCLAVE SEALED PACKAGE-----")


class WrongLine(Exception):
    pass


class NoCard(Exception):
    pass


def multiply(a, b):
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 32:
            a ^= 0b100101
        b >>= 1
    return product


def power(exponent):
    value = 1
    for _ in range(exponent):
        value = multiply(value, 2)
    return value


def fits(symbols):
    for root in map(power, (1, 2, 3, 4)):
        value = 0
        for symbol in symbols:
            value = multiply(value, root) ^ symbol
        if value:
            return False
    return True


def number_symbols(offset, number):
    return [(offset + number) >> 5, (offset + number) & 31]


def symbols_of(text):
    text = text.upper().replace("O", "0").replace("I", "1").replace("L", "1")
    symbols = [ALPHABET.find(character) for character in text]
    return None if -1 in symbols else symbols


def bytes_of(symbols):
    bits = "".join(format(symbol, "05b") for symbol in symbols)
    whole = len(bits) // 8 * 8
    if len(bits) - whole >= 5 or "1" in bits[whole:]:
        return None
    return bytes(int(bits[i : i + 8], 2) for i in range(0, whole, 8))


def read_line(line, words):
    """(kind, number, data) of one line; data is bytes, or numbers of words."""
    match = re.fullmatch(r"\s*(P?)(\d{1,3})[.:)]?\s+(.*?)\s*", line, re.IGNORECASE)
    if match is None:
        raise WrongLine("a line does not begin with its number")
    number, name = int(match[2]), match[1].upper() + match[2]
    tokens = re.split(r"[\s-]+", match[3])
    kind = "package" if match[1] else "share"
    symbols = symbols_of("".join(tokens))
    if symbols is not None and 4 < len(symbols) <= 28:
        if fits(number_symbols(512 if match[1] else 0, number) + symbols):
            data = bytes_of(symbols[:-4])
            if data is not None:
                return kind, number, data
    spelled = [word_number(token.lower(), words) for token in tokens[:-1]]
    check = symbols_of(tokens[-1])
    if not match[1] and spelled and None not in spelled and check is not None and len(check) == 4:
        data = [symbol for word in spelled for symbol in (word >> 5, word & 31)]
        if fits(number_symbols(256, number) + data + check):
            return "words", number, spelled
    raise WrongLine(f"line {name} does not fit its check characters")


def word_number(token, words):
    found = [i for i, word in enumerate(words) if word == token or (len(token) >= 4 and word.startswith(token))]
    exact = [i for i in found if words[i] == token]
    return (exact or found or [None])[0]


def block(lines, markers):
    begin = [i for i, line in enumerate(lines) if line.strip() == markers[0]]
    if not begin:
        return None
    if len(begin) > 1:
        raise NoCard("there are several cards")
    end = [i for i, line in enumerate(lines) if line.strip() == markers[1] and i > begin[0]]
    if not end:
        raise NoCard("the card was cut off")
    return [line for line in lines[begin[0] + 1 : end[0]] if line.strip()]


def is_card(data):
    text = data[:65536].decode("latin-1")
    first = [line for line in text.splitlines() if line.strip() and not line.startswith("#")][:1]
    return SHARE[0] in text or bool(first and re.match(r"\s*P?\d{1,3}[.:)]?\s+\S", first[0]))


def read_card(text, words=()):
    """(share file as bytes, or its words as text; sealed package or None)."""
    lines = text.splitlines()
    own = block(lines, SHARE)
    if own is None:
        own = [line for line in lines if line.strip() and not line.startswith("#")]
    read, problems = {"share": {}, "words": {}, "package": {}}, []
    for line in own + (block(lines, PACKAGE) or []):
        try:
            kind, number, data = read_line(line, words)
            read[kind][number] = data
        except WrongLine as problem:
            problems.append(str(problem))
    if problems:
        raise WrongLine("; ".join(problems))
    for kind, found in read.items():
        missing = set(range(1, len(found) + 1)) - set(found)
        if missing:
            raise NoCard(f"{kind}: line {min(missing)} is missing")
    joined = [read[kind][number] for kind in ("share", "words") for number in sorted(read[kind])]
    package = b"".join(read["package"][number] for number in sorted(read["package"])) or None
    if read["words"]:
        return " ".join(words[word] for line in joined for word in line), package
    return b"".join(joined), package


if __name__ == "__main__":
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            sys.stdout.buffer.write(read_card(file.read())[0])
    except WrongLine as problem:
        sys.exit(f"share_card.py: {problem}")
