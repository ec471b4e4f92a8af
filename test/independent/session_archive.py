"""Reads archives of sessions: docs/spec/session-archive.md sections 1 and 2. Python 3 standard library only, and without its tarfile,
which takes much that the page forbids."""
import hashlib
import re

BLOCK = 512
SUMS, MANIFEST, TRANSCRIPT, DEFINITION = "SHA256SUMS", "manifest.json", "transcript.json", "definition.yaml"
# Control characters, backslashes, and what hides or reorders text.
HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\\\\\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


class Malformed(Exception):
    pass


def looks_like_one(data):
    return data[257:265] == b"ustar\x0000"


def fields(name):
    """A name as prefix and rest."""
    raw = name.encode()
    if len(raw) <= 100:
        return b"", raw
    for at in (i for i, byte in enumerate(raw) if byte == 0x2F):
        if at <= 155 and len(raw) - at - 1 <= 100:
            return raw[:at], raw[at + 1 :]
    raise Malformed("a name is too long")


def header(name, size):
    prefix, rest = fields(name)
    block = b"".join(
        [
            rest.ljust(100, b"\0"),
            b"0000644\0" + b"0000000\0" * 2,
            b"%011o\0" % size,
            b"13602760400\0",
            b" " * 8,
            b"0" + bytes(100),
            b"ustar\x0000",
            bytes(32 + 32 + 8 + 8),
            prefix.ljust(155, b"\0"),
            bytes(12),
        ]
    )
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def members(data):
    """Names and contents, in their order."""
    if len(data) > 64 * 1024 * 1024 or len(data) % BLOCK:
        raise Malformed("it is too large, or cut off")
    out, at = [], 0
    while at < len(data) and any(data[at : at + BLOCK]):
        block = data[at : at + BLOCK]
        if block[156:157] != b"0" or not re.match(rb"[0-7]{11}\0", block[124:136]):
            raise Malformed(f"byte {at}: no plain file")
        try:
            parts = [block[345:500].split(b"\0")[0].decode(), block[:100].split(b"\0")[0].decode()]
        except UnicodeDecodeError:
            raise Malformed(f"byte {at}: a name that is not UTF-8")
        name, size = "/".join(part for part in parts if part), int(block[124:135], 8)
        if HIDDEN.search(name) or any(part in ("", ".", "..") for part in name.split("/")):
            raise Malformed(f"byte {at}: a name that no file may have")
        if block != header(name, size):
            raise Malformed(f"{name}: its header has another form")
        end = at + BLOCK + size
        following = end + -size % BLOCK
        if following > len(data) or any(data[end:following]):
            raise Malformed(f"{name}: cut off, or followed by something")
        if out and out[-1][0].encode() >= name.encode():
            raise Malformed(f"{name}: twice, or not in its place")
        out.append((name, data[at + BLOCK : end]))
        at = following
    if data[at:] != bytes(2 * BLOCK) or len(out) > 4098:
        raise Malformed("it does not end as it must")
    names = {name for name, _ in out}
    for name in names:
        parts = name.split("/")
        if any("/".join(parts[:i]) in names for i in range(1, len(parts))):
            raise Malformed(f"{name} lies in a file")
    return out


class Archive:
    def __init__(self, data):
        found = members(data)
        self.folder = found[0][0].split("/")[0] if found else ""
        if any(not name.startswith(self.folder + "/") for name, _ in found):
            raise Malformed("its files lie in more than one folder")
        self.files = {name[len(self.folder) + 1 :]: content for name, content in found}
        for name in (SUMS, MANIFEST, TRANSCRIPT, DEFINITION):
            if name not in self.files:
                raise Malformed(f"there is no {name} in it")
        self.sums, self.manifest = self.files.pop(SUMS), self.files.pop(MANIFEST)

    def check_folder(self, manifest):
        mark = {"production": "", "rehearsal": "REHEARSAL-", "dev": "DEV-"}[manifest["environment"]]
        if self.folder != mark + manifest["ceremony"]:
            raise Malformed(f"its folder is {self.folder}")

    def problem(self, manifest):
        """What is wrong between files, manifest and sums; None when nothing is."""
        listed = {it["path"]: it for it in manifest["files"]}
        for entries in (manifest["files"], manifest["withheld"]):
            names = [it["path"].encode() for it in entries]
            if any(a >= b for a, b in zip(names, names[1:])):
                return "the manifest lists something twice, or in another order"
        if set(listed) != set(self.files):
            return "the manifest lists other files than are here"
        for path, content in self.files.items():
            if len(content) != listed[path]["size"] or hashlib.sha256(content).hexdigest() != listed[path]["sha256"]:
                return f"{path} is not the file that the manifest lists"
        every = {**self.files, MANIFEST: self.manifest}
        lines = [f"{hashlib.sha256(every[it]).hexdigest()}  {it}\n" for it in sorted(every, key=lambda it: it.encode())]
        return None if "".join(lines).encode() == self.sums else "SHA256SUMS is not that of these files"
