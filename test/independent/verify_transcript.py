#!/usr/bin/env python3
"""Checks conclave's transcripts. Written from docs/spec/transcript.md, session-archive.md, definition.md, statement.md, identity.md
and audit-chain.md alone; Python 3 standard library only.

    verify_transcript.py [--signer IDENTITY.pub...] [--json] TRANSCRIPT...

TRANSCRIPT is a transcript.json, the folder of one, or the archive of a session; definition.yaml and the artifacts beside it are used
when they are there. An archive is read by session_archive.py.
Of a signer's two signatures the Ed25519 one is verified; the ML-DSA-65 one must be there and have its length (verifying it takes
a library). What an artifact says of itself, such as the root of a share set, is left to the readers of those artifacts.
Without --signer nobody is pinned, and nothing that is signed is believed to be anybody's.

Exit codes: 0 all hold, 1 one does not, 65 malformed.
"""
import argparse
import base64
import datetime
import hashlib
import json
import os
import re
import sys

import ed25519
import session_archive


class Problem(Exception):
    """`code` 65 for what cannot be read, 1 for what does not hold; `entry` is the sequence number it is about."""

    def __init__(self, code, message, entry=None):
        super().__init__(message if entry is None else f"entry {entry}: {message}")
        self.code, self.entry = code, entry


def no(message, entry=None):
    raise Problem(1, message, entry)


def malformed(message):
    raise Problem(65, message)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


# --- JSON: strict, and canonical where the documents ask for it -------------------------------------------------------------


def no_duplicates(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        malformed("a member occurs twice")
    return dict(pairs)


def no_fraction(text):
    malformed("a number that is no integer: " + text[:20])


def read_json(data, what):
    try:
        return json.loads(
            data.decode("utf-8"), object_pairs_hook=no_duplicates, parse_float=no_fraction, parse_constant=no_fraction
        )
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        malformed(f"{what}: {error}")


def canonical(value):
    def ordered(value):
        if isinstance(value, dict):
            names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
            return {name: ordered(value[name]) for name in names}
        return [ordered(item) for item in value] if isinstance(value, list) else value

    return json.dumps(ordered(value), separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def base64_bytes(text, what):
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, TypeError):
        malformed(f"{what} is not base64")
    if base64.b64encode(data).decode() != text:
        malformed(f"{what} is not canonical base64")
    return data


# --- YAML: what docs/spec/definition.md allows, and of that the forms in which definitions are written ---------------------------


class Yaml:
    """Block and flow collections, plain, quoted and literal scalars. Anything else is refused, not guessed."""

    def __init__(self, text):
        self.lines = text.replace("\r\n", "\n").split("\n")
        self.at = 0

    def read(self):
        value = self.block(0)
        if self.peek() is not None:
            malformed(f"definition: line {self.at + 1} is indented unexpectedly")
        return value

    def peek(self):
        """Indentation and text of the next line that says something, or None."""
        while self.at < len(self.lines):
            line = self.lines[self.at]
            text = line.strip(" ")
            if text and not text.startswith("#"):
                return len(line) - len(line.lstrip(" ")), text
            self.at += 1
        return None

    def block(self, least):
        head = self.peek()
        if head is None or head[0] < least:
            malformed(f"definition: line {self.at + 1}: a value is missing")
        if re.match(r"- |-$", head[1]):
            return self.sequence(head[0])
        if head[1][0] in "[{" or not re.search(r":(?: |$)", head[1]):
            return self.value(head[1], head[0] - 1)
        return self.mapping(head[0])

    def sequence(self, indent):
        items = []
        while (head := self.peek()) is not None and head[0] == indent and re.match(r"- |-$", head[1]):
            rest = head[1][1:].lstrip(" ")
            if rest == "" or rest.startswith("#"):
                self.at += 1
                items.append(self.block(indent + 1))
            elif re.match(r"[^\s'\"\[{][^:#]*:(?: |$)", rest):
                # A mapping that begins on the line of its dash: the same as one that is indented to there.
                inner = indent + len(head[1]) - len(rest)
                self.lines[self.at] = " " * inner + rest
                items.append(self.mapping(inner))
            else:
                items.append(self.value(rest, indent))
        return items

    def mapping(self, indent):
        out = {}
        while (head := self.peek()) is not None and head[0] == indent:
            match = re.match(r"(?:\"([^\"\\]*)\"|'([^']*)'|([^\s#&*!|>%@`'\"\[\]{},-][^:#]*?|-[^\s:#][^:#]*?)) *:(?: +(.*))?$", head[1])
            if match is None:
                malformed(f"definition: line {self.at + 1} is no \"key: value\"")
            key = next(name for name in match.groups()[:3] if name is not None)
            if key in out:
                malformed(f"definition: line {self.at + 1}: {key} occurs twice")
            rest = (match.group(4) or "").strip(" ")
            if rest == "" or rest.startswith("#"):
                self.at += 1
                following = self.peek()
                listed = following is not None and following[0] == indent and re.match(r"- |-$", following[1])
                out[key] = self.sequence(indent) if listed else self.block(indent + 1)
            else:
                out[key] = self.value(rest, indent)
        return out

    def value(self, rest, indent):
        """What stands behind a key or a dash, which may go on on later lines."""
        if rest[0] in "|>":
            return self.literal(rest, indent)
        self.at += 1
        if rest[0] in "[{":
            while not self.closed(rest):
                head = self.peek()
                if head is None:
                    malformed("definition: a bracket is never closed")
                rest += " " + head[1]
                self.at += 1
            value, end = self.flow(rest, 0)
            self.rest(rest[end:])
            return value
        if rest[0] in "'\"":
            value, end = self.quoted(rest, 0)
            self.rest(rest[end:])
            return value
        text = re.sub(r" +#.*$", "", rest)
        while (head := self.peek()) is not None and head[0] > indent:
            text += " " + re.sub(r" +#.*$", "", head[1])
            self.at += 1
        return self.plain(text)

    def rest(self, text):
        if text.strip(" ") and not re.match(r" +#", text):
            malformed(f"definition: line {self.at}: {text.strip()[:20]} was not expected")

    def closed(self, text):
        try:
            self.flow(text, 0)
            return True
        except IndexError:
            return False

    def flow(self, text, at):
        """A value inside brackets, from `at`; IndexError when it is not complete."""
        while text[at] == " ":
            at += 1
        if text[at] == "[":
            items, at = [], at + 1
            while True:
                while text[at] in " ,":
                    at += 1
                if text[at] == "]":
                    return items, at + 1
                item, at = self.flow(text, at)
                items.append(item)
        if text[at] == "{":
            out, at = {}, at + 1
            while True:
                while text[at] in " ,":
                    at += 1
                if text[at] == "}":
                    return out, at + 1
                key, at = self.flow(text, at)
                while text[at] == " ":
                    at += 1
                if text[at] != ":" or key in out:
                    malformed("definition: a member of a flow mapping")
                out[key], at = self.flow(text, at + 1)
        if text[at] in "'\"":
            return self.quoted(text, at)
        end = at
        while text[end] not in ",]}" and text[end : end + 2] != ": " and not (text[end] == ":" and text[end + 1] in ",]}"):
            # A reference holds braces of its own.
            end = text.index("}}", end) + 2 if text.startswith("${{", end) else end + 1
        return self.plain(text[at:end].strip(" ")), end

    def quoted(self, text, at):
        if text[at] == "'":
            end = at + 1
            while text[end] != "'" or text[end : end + 2] == "''":
                end += 2 if text[end] == "'" else 1
            return text[at + 1 : end].replace("''", "'"), end + 1
        value, end = json.JSONDecoder(strict=True).raw_decode(text, at)
        return value, end

    def literal(self, header, indent):
        style = re.match(r"([|>])([-+]?)(?: +#.*)?$", header)
        if style is None:
            malformed(f"definition: line {self.at + 1}: this kind of text is not read here")
        self.at += 1
        lines, depth = [], None
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if line.strip(" ") == "":
                lines.append("")
            else:
                own = len(line) - len(line.lstrip(" "))
                depth = own if depth is None else depth
                if own < depth or depth <= indent:
                    break
                lines.append(line[depth:])
            self.at += 1
        while style.group(2) != "+" and lines and lines[-1] == "":
            lines.pop()
        if style.group(1) == "|":
            text = "\n".join(lines)
        else:
            text = re.sub(r"(?<=[^\n])\n(?=[^\n])", " ", "\n".join(lines))
            text = re.sub(r"\n(\n+)", r"\1", text)
        return text + ("" if style.group(2) == "-" else "\n")

    def plain(self, text):
        if re.match(r"(?:0|-?[1-9][0-9]*)$", text):
            return int(text)
        if text in ("true", "false"):
            return text == "true"
        if text == "" or text[0] in "&*!|>%@`" or text in ("null", "~", "Null", "NULL", "<<"):
            malformed(f"definition: line {self.at}: {text[:20]!r} is not read here")
        return text


# --- conditions and references, docs/spec/definition.md section 2 -----------------------------------------------------------------


class Unresolved(Exception):
    pass


def tokens(text):
    pattern = re.compile(r"\s*(?:(==|!=|\(|\))|'([^']*)'|(-?(?:0|[1-9][0-9]*))(?![\w.-])|([a-z][a-z0-9.-]*))")
    out, at = [], 0
    while text[at:].strip():
        match = pattern.match(text, at)
        if match is None:
            malformed(f"definition: the condition {text!r}")
        out.append(match.groups())
        at = match.end()
    return out


def holds(text, resolve):
    rest = tokens(text)

    def next_is(sign=None, word=None):
        if rest and (rest[0][0] == sign if sign else rest[0][3] == word):
            rest.pop(0)
            return True
        return False

    def either():
        value = both()
        while next_is(word="or"):
            other = both()
            value = value or other
        return value

    def both():
        value = negated()
        while next_is(word="and"):
            other = negated()
            value = value and other
        return value

    def negated():
        return not negated() if next_is(word="not") else comparison()

    def comparison():
        left = operand()
        if next_is(sign="=="):
            return same(left, operand())
        return not same(left, operand()) if next_is(sign="!=") else left

    def same(left, right):
        return type(left) is type(right) and left == right

    def operand():
        if next_is(sign="("):
            value = either()
            next_is(sign=")")
            return value
        sign, quoted, integer, word = rest.pop(0)
        if quoted is not None:
            return quoted
        if integer is not None:
            return int(integer)
        return word == "true" if word in ("true", "false") else resolve(word)

    return either()


def camel(name):
    return re.sub(r"-([a-z0-9])", lambda match: match.group(1).upper(), name)


def evaluate(value, resolve):
    if isinstance(value, list):
        out = []
        for item in value:
            got = evaluate(item, resolve)
            out += got if isinstance(got, list) else [got]
        return out
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"\$\{\{\s*([a-z0-9.-]+)\s*\}\}", value)
    if whole:
        return resolve(whole.group(1))
    return re.sub(r"\$\{\{\s*([a-z0-9.-]+)\s*\}\}", lambda match: spoken(resolve(match.group(1))), value)


def spoken(value):
    return value if isinstance(value, str) else canonical(value).decode()


# --- the entries, docs/spec/transcript.md section 2 -----------------------------------------------------------------------------

NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*\Z")
HEX32 = re.compile(r"[0-9a-f]{64}\Z")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z\Z")


def text(pattern=None, most=4096):
    def read(value, what):
        if not isinstance(value, str) or len(value.encode("utf-16-le", "surrogatepass")) // 2 > most:
            malformed(f"{what} is no text, or too long")
        if pattern is not None and not pattern.match(value):
            malformed(f"{what} is not of the form that it must have")

    return read


def one_of(*allowed):
    def read(value, what):
        if not any(type(value) is type(it) and value == it for it in allowed):
            malformed(f"{what} is none of {', '.join(map(str, allowed))}")

    return read


def integer(least, most=2**53 - 1):
    def read(value, what):
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            malformed(f"{what} is no integer from {least} on")

    return read


def nullable(inner):
    return lambda value, what: None if value is None else inner(value, what)


def array(inner, most, least=0):
    def read(value, what):
        if not isinstance(value, list) or not least <= len(value) <= most:
            malformed(f"{what} is no list of {least} to {most}")
        for i, item in enumerate(value):
            inner(item, f"{what}[{i}]")

    return read


def shape(**fields):
    """Exactly these members; a name that ends in `_` may be absent."""
    known = {name.rstrip("_"): (name.endswith("_"), inner) for name, inner in fields.items()}

    def read(value, what):
        if not isinstance(value, dict) or not set(value) <= set(known):
            malformed(f"{what} has other members than {', '.join(known)}")
        for name, (optional, inner) in known.items():
            if name in value:
                inner(value[name], f"{what}.{name}")
            elif not optional:
                malformed(f"{what} has no {name}")

    return read


def anything(value, what):
    pass


def mapping(inner, keys=None, most=1024):
    def read(value, what):
        if not isinstance(value, dict) or len(value) > most:
            malformed(f"{what} is no object")
        for name, item in value.items():
            if keys is not None and not keys.match(name):
                malformed(f"{what}: {name!r}")
            inner(item, f"{what}.{name}")

    return read


def a_time(value, what):
    text(TIME, 24)(value, what)
    try:
        seconds(value)
    except ValueError:
        malformed(f"{what} is no time of a calendar")


def seconds(value):
    at = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
    return at.timestamp()


def scalar(value, what):
    if not isinstance(value, (str, int)):
        malformed(f"{what} is neither text, integer nor truth")


name = text(NAME, 64)
person = text(re.compile(r"\S(?:.*\S)?\Z"), 128)
digest = text(DIGEST)
hex32 = text(HEX32)
heard = one_of("recorded", "unattended")
environment = one_of("production", "rehearsal", "dev")
level = one_of("verified", "introduced", "tofu", "none")
tool = shape(version=text(most=64), digest=digest)
identity = shape(
    type=one_of("conclave/identity"),
    version=one_of(1),
    id=hex32,
    name=text(most=128),
    created=a_time,
    environment=environment,
    ed25519=text(most=64),
    mlDsa65=text(most=4096),
    xWing=text(most=4096),
)
said = shape(name=person, said=text(), graded=heard)
PATH = re.compile(r"(?!/)(?!.*(?:^|/)\.{1,2}(?:/|$))(?!.*//)[^\\\0]+\Z")
artifact = shape(path=text(PATH, 512), sha256=hex32, size=integer(0))
probes = array(
    shape(name=text(most=64), result=one_of("ok", "finding", "not-checked"), detail=text()), 256
)
where = {"act": name, "step": name, "for_": person}
key_reference = text(most=256)

ENTRIES = {
    "session.opened": shape(
        session=text(re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*\Z"), 128),
        ceremony=name,
        title=text(),
        classification=one_of("production", "dev"),
        mode=one_of("run", "rehearsal"),
        environment=environment,
        definitionDigest=digest,
        executionDigest=digest,
        siteDigest=nullable(digest),
        parameters=mapping(scalar, NAME, 64),
        participants=array(shape(name=person, role=name, identity=nullable(identity), level=level), 256, 1),
        previous=nullable(shape(ceremony=name, head=hex32)),
        tool=tool,
        airGap=probes,
    ),
    "act.started": shape(act=name),
    "step.started": shape(**where, attempt=integer(1, 1000)),
    "step.finished": shape(
        **where, by=person, outputs=mapping(anything, most=64), artifacts=array(artifact, 1024), people=array(said, 256)
    ),
    "step.failed": shape(
        **where,
        attempt=integer(1, 1000),
        error=shape(code=text(most=128), message=text()),
        then=one_of("abort", "retry", "deviate", "postpone", "back", "onward"),
    ),
    "branch.taken": shape(act=name, branch=name, side=one_of("then", "else"), condition=text(), values=mapping(anything, most=64)),
    "step.skipped": shape(**where, condition=text()),
    "deviation": shape(
        act_=name,
        step_=name,
        for_=person,
        about=text(re.compile(r"[a-z][a-z0-9.-]*\Z"), 128),
        expected=text(),
        happened=text(),
        reason=text(),
        by=person,
        initials=array(person, 64),
        graded=heard,
    ),
    "environment.checked": shape(act=name, airGap=probes),
    "objection": shape(person=person, role=name, act_=name, step_=name, for_=person, reason=text(), graded=heard),
    "session.postponed": shape(by=person, reason=text(), graded=heard),
    "fault.injected": shape(
        fault=one_of("power-cut", "wrong-pin", "token-pulled", "garbled-print", "bad-clock", "full-disk"), act=name, step=name
    ),
    "participant.enrolled": shape(
        name=person,
        role=name,
        identity=identity,
        level=level,
        how_=shape(origin=one_of("made", "brought"), compared=nullable(shape(by=person, role=name, graded=heard))),
    ),
    "event": shape(**where, event=text(most=128), data=mapping(anything)),
    "session.resumed": shape(lastTime=a_time, lost=array(key_reference, 256), tool=tool),
    "rollback": shape(toAct=name, toStep=name, reason=text()),
    "key.retired": shape(
        keyId=hex32, algorithm=text(most=64), publicKey=text(most=16384), reason=one_of("retired before use")
    ),
    "restore": shape(setId=hex32, shares=array(integer(1, 65535), 1024, 1), key=hex32, reference=key_reference),
    "wipe": shape(**where, key=hex32, how=one_of("wiped", "lost with the process")),
    "signoff": shape(person=person, role=name, agrees=one_of(True, False), reason=nullable(text()), graded=heard),
    "session.closed": shape(outcome=one_of("completed", "aborted"), reason=nullable(text())),
}

ENTRY = shape(seq=integer(0), time=a_time, type=text(most=64), data=mapping(anything), prev=hex32)


def read_entries(values):
    for i, entry in enumerate(values):
        what = f"entries[{i}]"
        ENTRY(entry, what)
        if entry["type"] not in ENTRIES:
            malformed(f"{what} has a type that is not known")
        ENTRIES[entry["type"]](entry["data"], f"{what}.data")
    return values


def check_chain(entries, head):
    """The chain, docs/spec/audit-chain.md; what is wrong is located as that page says."""
    hashes = [sha256(b"conclave-chain-v1\0" + canonical(entry)) for entry in entries]
    for i, entry in enumerate(entries):
        if entry["seq"] != i:
            elsewhere = any(other["seq"] == i for other in entries)
            no("the order was changed" if elsewhere else "it is missing", i)
        if entry["prev"] != (hashes[i - 1] if i else "0" * 64):
            follows = entries[i + 1]["prev"] if i + 1 < len(entries) else head
            no("it was changed", i - 1 if i and follows == hashes[i] else i)
    if hashes[-1] != head:
        no("the first subject is not the hash of the last entry")


# --- the steps follow the definition, docs/spec/transcript.md section 3 ------------------------------------------------------------

# Of each action, what it does to a secret, and whether it is given one (section 5).
SECRECY = {
    **dict.fromkeys(["key.generate", "share.combine", "unwrap"], "creates"),
    **dict.fromkeys(["share.split", "share.refresh", "share.reshare", "share.enrol", "share.repair"], "protects"),
    **dict.fromkeys(["wrap", "rewrap", "hsm.import", "threshold.keep"], "protects"),
    **dict.fromkeys(["key.wipe", "key.destroy", "hsm.destroy", "threshold.close"], "destroys"),
}


class Step:
    def __init__(self, act, step, holder, by):
        self.act, self.step, self.holder, self.by = act, step, holder, by
        self.key = f"{act['id']}/{step['id']}" + ("" if holder is None else f"/{holder}")


def is_witness(role):
    return role == "witness" or role.endswith("-witness")


def vouches(role):
    """Whether a role has its identity before the first step and signs in the end."""
    return role == "administrator" or is_witness(role)


def enrols(step):
    """The role whose holders get an identity by a step."""
    return step.get("each") if step.get("uses") == "identity.new" else None


LEVELS = ["verified", "introduced", "tofu"]


def rank(level):
    """From the best."""
    return LEVELS.index(level) if level in LEVELS else len(LEVELS)


def key_of(data):
    return f"{data['act']}/{data['step']}" + (f"/{data['for']}" if "for" in data else "")


class Walk:
    def __init__(self, definition, opened):
        self.definition, self.opened = definition, opened
        self.people = list(opened["participants"])
        self.plan = [it for act in definition["acts"] for step in act["steps"] for it in self.instances(act, step)]
        self.at, self.act, self.status, self.failures = 0, None, "idle", 0
        self.resumed = self.away = self.closed = False
        self.outcome = None
        self.attempts, self.finished, self.signoffs = {}, {}, {}
        self.keys, self.abandoned, self.explained = [], set(), set()
        self.begun, self.late = None, False
        self.recheck = definition.get("environment", {}).get("recheck") == "every-act"
        self.required = definition.get("environment", {}).get("require", [])
        self.due, self.unmet = False, []
        self.sides, self.passed, self.returns = {}, None, {}
        self.making, self.enrolled = set(), set()

    def holders(self, role):
        return [it["name"] for it in self.people if it["role"] == role]

    def instances(self, act, step):
        acting = (self.holders(step["by"]) or [step["by"]])[0]
        if "each" not in step:
            return [Step(act, step, None, acting)]
        own = step["each"] == step["by"]
        return [Step(act, step, holder, holder if own else acting) for holder in self.holders(step["each"])]

    # -- references --

    def resolver(self, it):
        def resolve(reference):
            root, *names = reference.split(".")
            value = self.lookup(root, names, it)
            if value is None:
                raise Unresolved(f"{reference} has no value here")
            return value

        return resolve

    def lookup(self, root, names, it):
        definition, each = self.definition, it.step.get("each")
        if root == "parameters":
            return self.opened["parameters"].get(names[0])
        if root == "quorums":
            return definition.get("quorums", {}).get(names[0], {}).get(names[1])
        if root == "roles":
            return definition["roles"].get(names[0], {}).get("count")
        if root == "materials":
            return definition.get("materials", {}).get(names[0], {}).get("kind")
        if root == "session":
            known = {
                "id": self.opened["session"],
                "definition-digest": self.opened["definitionDigest"],
                "execution-digest": self.opened["executionDigest"],
            }
            return known.get(names[0])
        number = self.holders(each).index(it.holder) + 1 if each else 0
        if root == "each":
            return {"name": it.holder, "number": number}.get(names[0]) if each else None
        if root == "branches":
            side = self.sides.get(names[0], (None,))[0]
            given = definition.get("branches", {}).get(names[0], {}).get("gives", {}).get(names[1], {}).get(side)
            match = re.fullmatch(r"\$\{\{ ?steps\.([a-z0-9.-]+) ?\}\}", given or "")
            if match is None:
                return None
            names = match.group(1).split(".") + names[2:]
        value = self.output(names[0], camel(names[1]), it)
        if len(names) == 2:
            return value
        return value[number - 1] if isinstance(value, list) and 0 < number <= len(value) else None

    def output(self, step, name, it):
        done = {self.plan[at].holder: data["outputs"] for at, data in self.finished.items() if self.plan[at].step["id"] == step}
        source = next((other for other in self.plan if other.step["id"] == step), None)
        if source is None:
            return None
        if "each" not in source.step:
            return done.get(None, {}).get(name)
        if source.step["each"] == it.step.get("each"):
            return done.get(it.holder, {}).get(name)
        values = [done.get(holder, {}).get(name) for holder in self.holders(source.step["each"])]
        return None if None in values else values

    def side_of(self, it):
        """Branch and side that a step lies on, by itself or with its act."""
        text = it.step.get("branch", it.act.get("branch"))
        return text.split(".") if text else (None, None)

    def target(self, it):
        """Place of the step that a failure leads to, or None where it leads nowhere."""
        kind, _, named = it.step.get("on-failure", "abort").partition(" ")
        if not named:
            return None
        return next((i for i, one in enumerate(self.plan) if (one.act if kind == "act" else one.step)["id"] == named), -1)

    def condition(self, it):
        if self.passed is not None and self.at < self.passed[1]:
            return False
        branch, side = self.side_of(it)
        if branch is not None:
            if branch not in self.sides:
                no(f"no side of the branch {branch} was taken")
            if self.sides[branch][0] != side:
                return False
        return "when" not in it.step or holds(it.step["when"], self.resolver(it)) is True

    # -- one entry --

    @property
    def current(self):
        if self.at >= len(self.plan):
            no("all steps of the definition were done before")
        return self.plan[self.at]

    def expect(self, data):
        current = self.current
        if key_of(data) != current.key:
            no(f"{current.key} comes next, not {key_of(data)}")
        if self.act != current.act["id"]:
            no(f"the act {current.act['id']} was not entered")
        return current

    def under_way(self):
        if self.status not in ("open", "interrupted"):
            no("it was not under way")

    def takes_part(self, who):
        if not any(it["name"] == who for it in self.people):
            no(f"{who} does not take part")

    def advance(self):
        self.at, self.status, self.failures = self.at + 1, "idle", 0

    def entry(self, entry, before):
        kind, data, time = entry["type"], entry["data"], entry["time"]
        if self.closed:
            no("it comes after the session was closed")
        if (kind == "session.opened") != (before is None):
            no("a session is opened once, by its first entry")
        if before is not None and seconds(time) < seconds(before["time"]):
            if kind != "deviation" or data["about"] != "clock":
                no("its time is before that of its predecessor")
        if self.away and kind not in ("session.resumed", "deviation"):
            no("the session was postponed, and did not go on")
        if kind == "session.opened":
            return
        getattr(self, kind.replace(".", "_"))(data, time, before)

    def act_started(self, data, *_):
        if self.status != "idle" or data["act"] != self.current.act["id"] or self.act == data["act"]:
            no("this act is not the next")
        self.act, self.due = data["act"], self.recheck

    def branch_taken(self, data, *_):
        current = self.current
        if self.status != "idle" or self.act != current.act["id"] or data["act"] != self.act:
            no("no side is taken here")
        if self.side_of(current)[0] != data["branch"] or data["branch"] in self.sides:
            no(f"the branch {data['branch']} is not here, or was taken before")
        condition = self.definition["branches"][data["branch"]]["when"] if data["branch"] in self.definition.get("branches", {}) else "false"
        resolve = self.resolver(current)
        side = "then" if holds(condition, resolve) is True else "else"
        words = [word for *_, word in tokens(condition) if word and word not in ("and", "or", "not", "true", "false")]
        if data["condition"] != condition or data["side"] != side:
            no(f"the branch {data['branch']} leads to \"{side}\" by its condition")
        if canonical(data["values"]) != canonical({word: resolve(word) for word in words}):
            no(f"the branch {data['branch']} was decided by other values than the record has")
        self.sides[data["branch"]] = (side, self.at)

    def step_started(self, data, time, _):
        current = self.expect(data)
        if self.due:
            no("the machine was not looked at before it began")
        if self.unmet:
            no(f"the required probe {self.unmet[0]} is not in order, and no deviation says why")
        if self.status not in ("idle", "interrupted", "retry"):
            no("it was begun before, or was not to be tried again")
        if self.abandoned:
            no("an abandoned key was not recorded as retired")
        if self.status == "idle" and not self.condition(current):
            no("its condition does not hold: it had to be skipped")
        if self.status == "interrupted":
            if any(key["made"] == current.key and not key["retired"] and not key["wiped"] for key in self.keys):
                no("an abandoned key was not recorded as retired")
        self.attempts[current.key] = self.attempts.get(current.key, 0) + 1
        if data["attempt"] != self.attempts[current.key]:
            no(f"it is attempt {self.attempts[current.key]}, not {data['attempt']}")
        self.status, self.begun, self.late = "open", seconds(time), False

    def step_skipped(self, data, *_):
        current = self.expect(data)
        if self.status != "idle":
            no("it was begun before")
        if self.condition(current):
            no("its condition holds: it could not be skipped")
        self.advance()

    def step_finished(self, data, time, _):
        current = self.expect(data)
        self.under_way()
        step = current.step
        if "timeout" in step and self.status == "open" and not self.late:
            if seconds(time) - self.begun > step["timeout"] * 60:
                no("it took longer than it may, and no deviation says why")
        if data["by"] != current.by:
            no(f"{current.by} acts here, not {data['by']}")
        for it in data["people"]:
            self.takes_part(it["name"])
        if "do" in step:
            self.heard(current, data)
        if "needs" in step and step["needs"] in self.definition.get("quorums", {}):
            quorum = self.definition["quorums"][step["needs"]]
            entitled = set(self.holders(quorum["of"]))
            agreed = {it["name"] for it in data["people"] if it["said"] == "agreed"} & entitled
            if len(agreed) < quorum["threshold"]:
                no(f"{quorum['threshold']} of {quorum['of']} had to agree, and {len(agreed)} did")
        if "each" in step and enrols(step) is not None:
            if any((it["name"], it["role"], it["identity"]) == (current.holder, enrols(step), None) for it in self.people):
                no(f"{current.holder} was not enrolled by it")
        taken = {it["path"] for done in self.finished.values() for it in done["artifacts"]}
        for it in data["artifacts"]:
            if it["path"] in taken:
                no(f"{it['path']} was made by an earlier step already")
            taken.add(it["path"])
        self.finished[self.at] = data
        self.advance()

    def heard(self, current, data):
        who, step = current.holder or current.by, current.step
        if step["do"] == "sign-off":
            if self.signoffs.get(self.at, {}).get("person") != who:
                no(f"{who} did not sign off")
            return
        answers = [it["said"] for it in data["people"] if it["name"] == who]
        if not answers:
            no(f"{who} was not heard")
        if step["do"] == "read-back":
            value = spoken(evaluate(step["value"], self.resolver(current)))
            if value not in answers:
                no(f"{who} read back something else than {value}")

    def step_failed(self, data, *_):
        current = self.expect(data)
        self.under_way()
        if data["attempt"] != self.attempts.get(current.key):
            no(f"its attempt is not {data['attempt']}")
        self.failures += 1
        expected, target = current.step.get("on-failure", "abort"), self.target(current)
        if self.failures <= current.step.get("retry", 0):
            expected = "retry"
        elif target is not None and target > self.at:
            expected = "onward"
        elif target is not None:
            # A step leads back three times in a session at most.
            self.returns[current.key] = self.returns.get(current.key, 0) + 1
            expected = "abort" if target < 0 or self.returns[current.key] > 3 else "back"
        elif expected not in ("deviate", "postpone"):
            expected = "abort"
        if data["then"] != expected:
            no(f"the definition says {expected} then, not {data['then']}")
        self.status = expected

    def deviation(self, data, *_):
        for who in [data["by"], *data["initials"]]:
            self.takes_part(who)
        if data["about"].startswith("environment."):
            self.explained.add(data["about"][len("environment.") :])
            self.unmet = [probe for probe in self.unmet if probe not in self.explained]
        if "act" in data and "step" in data and self.at < len(self.plan) and key_of(data) == self.plan[self.at].key:
            self.late = self.late or data["about"] == "time"
            if self.status in ("deviate", "onward") and data["about"] == "step":
                if self.status == "onward":
                    self.passed = (self.at, self.target(self.plan[self.at]))
                self.advance()

    def environment_checked(self, data, *_):
        if not self.recheck:
            no("the definition does not ask for that")
        if data["act"] != self.act:
            no(f"the act {data['act']} is not under way")
        self.due = False
        if self.opened["environment"] == "production":
            fine = {it["name"] for it in data["airGap"] if it["result"] == "ok"}
            self.unmet = [probe for probe in self.required if probe not in fine | self.explained]

    def objection(self, data, *_):
        if not any(it["name"] == data["person"] and it["role"] == data["role"] for it in self.people):
            no(f"{data['person']} does not take part as {data['role']}")
        if data["reason"].strip() == "":
            no(f"{data['person']} objects and gives no reason")

    def session_postponed(self, data, *_):
        self.takes_part(data["by"])
        self.away = True

    def fault_injected(self, *_):
        if self.opened["mode"] != "rehearsal":
            no("only a rehearsal is disturbed on purpose")

    def participant_enrolled(self, data, *_):
        who, role, how = data["name"], data["role"], data.get("how")
        found = [i for i, it in enumerate(self.people) if it["name"] == who and it["role"] == role and it["identity"] is None]
        if not found:
            no(f"{who} does not take part as {role}, or has an identity already")
        if vouches(role):
            no(f"each {role} has an identity before the first step, or none")
        if any(it["person"] == who and it["role"] == role for it in self.signoffs.values()):
            no(f"{who} signed off before")
        current = self.current
        if self.status not in ("open", "interrupted") or enrols(current.step) != role or current.holder != who:
            no(f"no step that enrols {who} was under way")
        for it in self.people:
            if it["name"] != who and it["identity"] is not None and it["identity"]["id"] == data["identity"]["id"]:
                no(f"it is the identity of {it['name']}")
        compared = how["compared"] if how else None
        if compared is None:
            if data["level"] != "tofu":
                no(f"nobody compared the identity of {who}: it is tofu")
        else:
            by, its = compared["by"], compared["role"]
            voucher = next((it for it in self.people if it["name"] == by and it["role"] == its), None)
            if voucher is None or by == who or not vouches(its) or voucher["identity"] is None:
                no(f"{by} cannot vouch for {who}")
            if data["level"] == "none" or rank(data["level"]) < rank(voucher["level"]):
                no(f"{by} is {voucher['level']}, and cannot make {who} {data['level']}")
        if how and how["origin"] == "made" and (current.key, data["identity"]["id"]) not in self.making:
            no(f"no identity with this id was made at {current.key}")
        self.people[found[0]] = {it: data[it] for it in ("name", "role", "identity", "level")}
        self.enrolled.add((who, role))

    def event(self, data, *_):
        current = self.expect(data)
        self.under_way()
        it = data["data"]
        if data["event"] == "quorum.agreed":
            if current.step.get("needs") != it.get("quorum"):
                no("its step does not need that quorum")
            for one in it.get("people", []):
                self.takes_part(one["name"])
        if data["event"] == "identity.making" and isinstance(it.get("id"), str):
            self.making.add((current.key, it["id"]))
        if data["event"] not in ("key.added", "key.changed"):
            return
        record = it.get("record")
        if not isinstance(record, dict) or not isinstance(record.get("id"), str) or not isinstance(it.get("reference"), str):
            no(f"{data['event']} names no key")
        if data["event"] == "key.added":
            made = {"id": record["id"], "reference": it["reference"], "record": record, "made": current.key}
            self.keys.append({**made, "retired": False, "wiped": False})
            return
        live = [key for key in self.keys if key["reference"] == it["reference"] and not key["retired"]]
        if not any(key["id"] == record["id"] for key in live):
            no(f"{it['reference']} is not that key")
        for key in self.keys:
            if key["id"] == record["id"]:
                key["record"] = record

    def session_resumed(self, data, _, before):
        if data["lastTime"] != before["time"]:
            no("it does not tell the time of the entry before it")
        self.resumed, self.away, self.due = True, False, self.recheck
        if self.status == "open":
            self.status = "interrupted"
        elif self.status == "postpone":
            self.status, self.failures = "retry", 0

    def rollback(self, data, *_):
        if not self.resumed and self.status != "back":
            no("nothing was interrupted that could be rolled back")
        to = (data["toAct"], data["toStep"])
        target = next((i for i, it in enumerate(self.plan) if (it.act["id"], it.step["id"]) == to), None)
        if target is None or target > self.at:
            no(f"{data['toAct']}/{data['toStep']} does not lie behind")
        if self.status == "back" and target != self.target(self.plan[self.at]):
            no("the failure leads back to another step")
        for at in [at for at in self.finished if at >= target]:
            if SECRECY.get(self.plan[at].step.get("uses")) == "protects":
                no(f"{self.plan[at].key} had sealed a key: it cannot be undone")
            del self.finished[at]
        undone = {it.key for it in self.plan[target : self.at + 1]}
        self.abandoned |= {
            key["id"] for key in self.keys if key["made"] in undone and not key["retired"] and not key["wiped"]
        }
        self.signoffs = {at: it for at, it in self.signoffs.items() if at < target}
        self.sides = {branch: it for branch, it in self.sides.items() if it[1] <= target}
        if self.passed is not None and target <= self.passed[0]:
            self.passed = None
        if self.act != data["toAct"]:
            self.act = None
        self.at, self.status, self.failures = target, "idle", 0

    def mark(self, key_id, what):
        found = [key for key in self.keys if key["id"] == key_id]
        if not found:
            no("no step of this session made that key")
        for key in found:
            key[what] = True

    def key_retired(self, data, *_):
        self.mark(data["keyId"], "retired")
        self.abandoned.discard(data["keyId"])

    def wipe(self, data, *_):
        self.mark(data["key"], "wiped")

    def restore(self, data, *_):
        if not self.resumed:
            no("nothing was lost that could be restored")
        key = next((it for it in self.keys if it["id"] == data["key"] and not it["retired"]), None)
        if key is None or key["wiped"]:
            no("no step of this session made that key, or it was wiped before")
        if (key["record"].get("shares") or {}).get("setId") != data["setId"]:
            no("that key was not split into this set of shares")
        used = len(set(data["shares"]))
        least = min(it["threshold"] for it in self.definition["quorums"].values())
        if used < len(data["shares"]) or used < least:
            no(f"{used} different shares are fewer than any quorum")

    def signoff(self, data, *_):
        current = self.current
        if self.status not in ("open", "interrupted") or current.step.get("do") != "sign-off":
            no("no sign-off was under way")
        role = current.step.get("each", current.step["by"])
        if data["person"] != (current.holder or current.by) or data["role"] != role:
            no(f"it is not for {data['person']} to sign off here")
        if not data["agrees"] and (data["reason"] or "").strip() == "":
            no(f"{data['person']} disagrees and gives no reason")
        if self.at in self.signoffs:
            no(f"{data['person']} signed off before")
        self.signoffs[self.at] = data

    def session_closed(self, data, *_):
        if data["outcome"] == "completed":
            if self.status != "idle" or self.at < len(self.plan):
                no(f"it says completed, and {len(self.plan) - self.at} steps were not done")
            wipes = any(SECRECY.get(it.step.get("uses")) == "destroys" for it in self.plan)
            if wipes and any(not key["retired"] and not key["wiped"] for key in self.keys):
                no("a key was never wiped")
        self.closed, self.outcome = True, data["outcome"]


# --- the verdict, docs/spec/transcript.md section 4 --------------------------------------------------------------------------------


def key_id(algorithm, key):
    return sha256(b"conclave-key-v1\0" + algorithm + b"\0\0" + key)


def read_identity(it, what):
    """The component key ids and the Ed25519 key of a public identity, its id recomputed."""
    raw, ids = {}, []
    for member, algorithm, length in (("ed25519", b"ed25519", 32), ("mlDsa65", b"ml-dsa-65", 1952), ("xWing", b"x-wing", 1216)):
        raw[member] = base64_bytes(it[member], f"{what}: {member}")
        if len(raw[member]) != length:
            malformed(f"{what}: {member} has another length")
        ids.append(key_id(algorithm, raw[member]))
    if sha256(b"conclave-identity-v1\0" + b"".join(one.encode() + b"\0" for one in ids)) != it["id"]:
        no(f"{what}: the id is not that of the keys")
    return {"id": it["id"], "first": ids[0], "second": ids[1], "key": raw["ed25519"]}


def check_opening(definition, opened, raw):
    if "sha256:" + sha256(raw) != opened["definitionDigest"]:
        no("the definition's digest is not the one that the session opened with", 0)
    given = (opened["ceremony"], opened["title"], opened["classification"])
    if given != (definition["id"], definition["title"], definition["classification"]):
        no("it names another ceremony, title or classification", 0)
    people = [
        {"identity": it["identity"] and it["identity"]["id"], "level": it["level"], "name": it["name"], "role": it["role"]}
        for it in opened["participants"]
    ]
    covered = {"definition": opened["definitionDigest"], "parameters": opened["parameters"], "participants": people}
    if "sha256:" + sha256(canonical(covered)) != opened["executionDigest"]:
        no("its digest does not cover these people and values", 0)
    marks = {"rehearsal": "rehearsal", "run": "dev" if definition["classification"] == "dev" else "production"}
    if opened["environment"] != marks[opened["mode"]]:
        no(f"it says {opened['environment']}, and this session was {marks[opened['mode']]}", 0)
    known = definition.get("parameters", {})
    if set(known) != set(opened["parameters"]):
        no("its parameters are not those of the definition", 0)
    for named, parameter in known.items():
        value = opened["parameters"][named]
        kind = {"integer": int, "boolean": bool}.get(parameter["type"], str)
        if type(value) is not kind or ("choices" in parameter and str(value) not in parameter["choices"]):
            no(f"the parameter {named} has a value that it cannot have", 0)


def check_people(definition, walk):
    opened, roles = walk.opened, definition["roles"]
    aborted = walk.outcome == "aborted"
    late = {enrols(step) for act in definition["acts"] for step in act["steps"] if aborted}
    for role, rule in roles.items():
        present = [it for it in walk.people if it["role"] == role]
        if len(present) != rule["count"]:
            no(f"the role {role} takes {rule['count']} and {len(present)} are listed")
        for it in present:
            if it["identity"] is None and role in late:
                continue
            if rule["identity"] == "required" and it["identity"] is None:
                no(f"{it['name']} has no identity, which the role {role} requires")
            if "level" in rule and opened["environment"] == "production":
                if rank(it["level"]) > rank(rule["level"]):
                    no(f"{it['name']} is {it['level']}, and the role {role} requires {rule['level']}")
    for i, a in enumerate(walk.people):
        if a["role"] not in roles:
            no(f"the definition does not know the role {a['role']}")
        if a["identity"] is not None and a["identity"]["environment"] != opened["environment"]:
            no(f"{a['name']} has a {a['identity']['environment']} identity in a {opened['environment']} session")
        for b in walk.people[i + 1 :]:
            if a["name"] == b["name"]:
                apart = b["role"] in roles[a["role"]].get("distinct-from", []) or a["role"] in roles.get(b["role"], {}).get(
                    "distinct-from", []
                )
                if a["role"] == b["role"] or apart:
                    no(f"{a['name']} is both {a['role']} and {b['role']}")
            elif a["identity"] is not None and b["identity"] is not None and a["identity"]["id"] == b["identity"]["id"]:
                no(f"{a['name']} and {b['name']} have the same identity key")


def beside(folder):
    """Reads files by their path from where a transcript lies; None for what is not there."""

    def read(path):
        file = os.path.join(folder, path)
        if not os.path.isfile(file):
            return None
        with open(file, "rb") as content:
            return content.read()

    return read


def check_artifacts(walk, subjects, read):
    made = {it["path"]: it for done in walk.finished.values() for it in done["artifacts"]}
    named = {it["name"]: it["digest"].get("sha256") for it in subjects}
    if len(named) != len(subjects) or named != {path: it["sha256"] for path, it in made.items()}:
        no("the subjects are not what the steps made")
    for path, it in made.items():
        data = read(path)
        if data is not None and (len(data) != it["size"] or sha256(data) != it["sha256"]):
            no(f"{path}: this is not the file that the session made")


MANIFEST = shape(
    type=one_of("conclave/session-archive"),
    version=one_of(1),
    ceremony=text(NAME, 64),
    session=text(most=128),
    environment=one_of("production", "rehearsal", "dev"),
    head=text(HEX32),
    files=array(shape(path=text(PATH, 512), sha256=text(HEX32), size=integer(0)), 4096, 2),
    withheld=array(
        shape(
            path=text(PATH, 512),
            sha256=text(HEX32),
            size=integer(0),
            reason=one_of("sealed", "unsealed-share", "private-key", "trace", "unknown", "large", "absent"),
        ),
        4096,
    ),
)


def read_manifest(data, what):
    manifest = read_json(data, what)
    if canonical(manifest) + b"\n" != data:
        malformed(f"{what} is not canonical")
    MANIFEST(manifest, what)
    return manifest


def check_archive(archive, manifest, opened, head, subjects, entries):
    """docs/spec/session-archive.md section 4, but for what is secret, which takes readers of everything."""
    found = archive.problem(manifest)
    if found is not None:
        no(found)
    for name in ("ceremony", "session", "environment"):
        if manifest[name] != opened[name]:
            no(f"the manifest names another {name} than the transcript", 0)
    if manifest["head"] != head:
        no("the manifest names another head than the transcript")
    sizes = {
        (it["path"], it["sha256"]): it["size"]
        for entry in entries
        if entry["type"] == "step.finished"
        for it in entry["data"]["artifacts"]
    }
    told = {}
    for it in manifest["files"] + manifest["withheld"]:
        if it["path"] in told:
            no(f"{it['path']} is both here and withheld")
        told[it["path"]] = it
    told = {path: it for path, it in told.items() if path not in ("transcript.json", "definition.yaml")}
    for subject in subjects:
        it = told.pop(subject["name"], None)
        if it is None:
            no(f"{subject['name']} is neither here nor withheld")
        if subject["digest"] != {"sha256": it["sha256"]} or sizes.get((it["path"], it["sha256"])) != it["size"]:
            no(f"{subject['name']} is not the file that the session made")
    if told:
        no(f"{next(iter(told))} is nothing that the session made")


PAYLOAD_TYPE = "application/vnd.in-toto+json"


def check_signatures(envelope, payload, walk, pinned):
    message = b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)
    found = {}
    for signature in envelope["signatures"]:
        if signature["keyid"] in found:
            no("two signatures name one key")
        found[signature["keyid"]] = base64_bytes(signature["sig"], "signature")
    unknown, signed = set(found), set()
    for it in walk.people:
        if it["identity"] is None:
            continue
        who = read_identity(it["identity"], f"identity of {it['name']}")
        unknown -= {who["first"], who["second"]}
        if who["first"] not in found and who["second"] not in found:
            continue
        if who["first"] not in found or len(found.get(who["second"], b"")) != 3309:
            no(f"{it['name']} signed with one key only")
        if not ed25519.verify(who["key"], message, found[who["first"]]):
            no(f"the signature of {it['name']} does not verify")
        signed.add(who["id"])
    if unknown:
        no("there is a signature by somebody who took no part")
    against = {(it["person"], it["role"]) for it in walk.signoffs.values() if not it["agrees"]}
    aborted = walk.outcome == "aborted"
    for kind, is_one in (("administrator", lambda role: role == "administrator"), ("witness", is_witness)):
        holders = [it for it in walk.people if is_one(it["role"])]
        did = [it for it in holders if it["identity"] is not None and it["identity"]["id"] in signed]
        dissents = any((it["name"], it["role"]) in against for it in holders)
        marked = walk.opened["environment"] != "production" and all(it["identity"] is None for it in holders)
        if kind == "witness" and aborted:
            continue
        for it in holders:
            if it["identity"] is not None and it not in did and (it["name"], it["role"]) not in against:
                no(f"there is no good signature by {it['name']}")
        if not did and not dissents and not marked:
            no(f"there is no signature by a {kind}")
    for it in walk.signoffs.values():
        who = next(one for one in walk.people if one["name"] == it["person"] and one["role"] == it["role"])
        if it["agrees"] and who["identity"] is not None and who["identity"]["id"] not in signed:
            no(f"there is no good signature by {it['person']}, who signed off")
    if not signed:
        no("there is no signature at all")
    # Whom those enrolled who are pinned, they answer for.
    here = {it["identity"]["id"] for it in walk.people if (it["name"], it["role"]) in walk.enrolled}
    if pinned is not None and not signed <= pinned | here:
        no("somebody signed who is not one of those that are pinned")
    return signed


def check_answers(definition, walk, entries):
    if walk.opened["environment"] != "production":
        return
    for entry in entries:
        data = entry["data"]
        graded = [it["graded"] for it in data.get("people", [])] if entry["type"] == "step.finished" else []
        if "graded" in data:
            graded.append(data["graded"])
        if entry["type"] == "participant.enrolled" and data.get("how") and data["how"]["compared"]:
            graded.append(data["how"]["compared"]["graded"])
        if "unattended" in graded and not definition.get("unattended", False):
            no("a file answered in the place of a person, and the definition is not unattended", entry["seq"])
    report = {it["name"]: it["result"] for it in walk.opened["airGap"]}
    for probe in walk.required:
        if report.get(probe) != "ok" and probe not in walk.explained:
            no(f"the required probe {probe} was not ok, and no deviation says why", 0)


def verify(path, signers):
    file = os.path.join(path, "transcript.json") if os.path.isdir(path) else path
    with open(file, "rb") as content:
        data = content.read()
    archive, manifest, read = None, None, beside(os.path.dirname(file))
    if session_archive.looks_like_one(data):
        try:
            archive = session_archive.Archive(data)
            manifest = read_manifest(archive.manifest, "manifest.json")
            archive.check_folder(manifest)
        except session_archive.Malformed as problem:
            malformed(str(problem))
        data, read = archive.files["transcript.json"], archive.files.get
    envelope = read_json(data, file)
    shape(
        payload=anything,
        payloadType=one_of(PAYLOAD_TYPE),
        signatures=array(shape(keyid=text(), sig=text(most=8192)), 64),
    )(envelope, file)
    payload = base64_bytes(envelope["payload"], "the payload")
    statement = read_json(payload, "the payload")
    shape(
        _type=one_of("https://in-toto.io/Statement/v1"),
        subject=array(shape(name=text(), digest=mapping(text(re.compile(r"[0-9a-f]+\Z")), most=8)), 4096, 1),
        predicateType=one_of("https://conclave.dev/transcript/v1"),
        predicate=shape(conclave=text(most=64), definition=text(most=256 * 1024), entries=array(anything, 200000, 1)),
    )(statement, "the statement")
    if canonical(statement) != payload:
        malformed("the payload is not canonical")
    entries = read_entries(statement["predicate"]["entries"])
    first, *subjects = statement["subject"]
    if first["name"] != "transcript-head" or set(first["digest"]) != {"sha256"}:
        no("the first subject is not the head")
    check_chain(entries, first["digest"]["sha256"])
    opened = entries[0]["data"]
    if entries[0]["type"] != "session.opened":
        no("it does not open a session", 0)

    if archive is not None:
        check_archive(archive, manifest, opened, first["digest"]["sha256"], subjects, entries)

    raw = statement["predicate"]["definition"].encode("utf-8", "surrogatepass")
    if read("definition.yaml") not in (None, raw):
        no("definition.yaml beside the transcript is another one")
    definition = Yaml(statement["predicate"]["definition"]).read()
    try:
        check_opening(definition, opened, raw)
        walk = Walk(definition, opened)
    except (KeyError, TypeError, AttributeError) as error:
        malformed(f"the definition lacks something: {error!r}")
    before = None
    for entry in entries:
        try:
            walk.entry(entry, before)
        except Problem as problem:
            raise Problem(problem.code, f"{entry['type']}: {problem}", entry["seq"])
        except Unresolved as problem:
            no(f"{entry['type']}: {problem}", entry["seq"])
        before = entry
    if not walk.closed:
        no("the session was never closed: its last entries are missing", len(entries))
    check_people(definition, walk)
    for key in walk.keys:
        if key["record"].get("environment") != opened["environment"]:
            no(f"the record of the key {key['id'][:16]} says {key['record'].get('environment')}")
    check_artifacts(walk, subjects, read)
    check_signatures(envelope, payload, walk, signers)
    check_answers(definition, walk, entries)
    marks = []
    if "rehearsal" in (opened["mode"], opened["environment"]):
        marks.append("REHEARSAL: not evidence of a ceremony")
    if "dev" in (opened["classification"], opened["environment"]):
        marks.append("DEV: nothing of this ceremony may be relied on")
    if signers is None:
        marks.append("signers not pinned")
    if walk.outcome == "aborted":
        marks.append("ABORTED")
    objections = sum(entry["type"] == "objection" for entry in entries)
    if objections > 0:
        marks.append(f"{objections} {'OBJECTION' if objections == 1 else 'OBJECTIONS'} on the way")
    against = sum(not it["agrees"] for it in walk.signoffs.values())
    if against > 0:
        marks.append(f"{against} of the participants DISAGREE")
    return "; ".join([*marks, f"{opened['title']}, session {opened['session']}, {len(entries)} entries"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--signer", action="append")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("transcript", nargs="+")
    given = parser.parse_args()
    signers = None
    worst, results = 0, []
    try:
        for path in given.signer or []:
            with open(path, "rb") as content:
                it = read_json(content.read(16 * 1024), path)
            identity(it, path)
            signers = (signers or set()) | {read_identity(it, path)["id"]}
    except Problem as problem:
        print(f"{os.path.basename(sys.argv[0])}: {problem}", file=sys.stderr)
        return problem.code
    for path in given.transcript:
        try:
            results.append({"file": path, "ok": True, "code": 0, "entry": None, "summary": verify(path, signers)})
        except Problem as problem:
            worst = max(worst, problem.code)
            results.append({"file": path, "ok": False, "code": problem.code, "entry": problem.entry, "summary": str(problem)})
    if given.json:
        print(json.dumps(results))
    else:
        for it in results:
            print(f"{'ok' if it['ok'] else 'DOES NOT HOLD'} {it['file']}: {it['summary']}")
    return worst


if __name__ == "__main__":
    sys.exit(main())
