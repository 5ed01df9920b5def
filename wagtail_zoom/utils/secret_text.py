"""Cuts what opens a meeting or recording out of text that people write in Zoom.

People paste their invitation into topics and descriptions. Two nets do not depend on a language:

1. **Known values** (``KnownValues``): the passcodes and numbers of this very object.
2. **Links**: every link to Zoom, plain, encoded or wrapped in another one, and every link that
   carries a passcode or a personal token.

The wording ("Passcode: ...") is a third net, in ``text``.

Which known value is cut where, so that a passcode "2026", "yoga" or "1" shreds no text:

- A number of eight digits or more (meeting, personal room): everywhere, also grouped by up
  to four characters of any kind that are no letters or digits.
- A passcode of six characters or more with a letter and a digit, and every token of a link:
  everywhere, in any case, also broken over lines.
- Any other passcode of five characters or more, such as "834512" or "garden": where it stands
  alone, letter for letter; digits also grouped in the same way ("834-512").
- A shorter one, such as "2026" or "yoga": only where it stands alone beside a word for passcode,
  in the same line and not more than 40 characters away.

Characters that are not seen (zero width, soft hyphen), HTML entities, tags within a word,
full-width letters and digits of other scripts make no difference.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from ..conf import ZOOM_DOMAINS, settings

MIN_NUMBER_LENGTH = 8
MIN_PASSCODE_LENGTH = 5
"""Shorter passcodes are cut beside a word for passcode only."""
MIN_DISTINCTIVE_LENGTH = 6
NEAR = 40
"""Characters between a short passcode and a word for passcode."""
MAX_ROUNDS = 10

PASSCODE_WORDS = (
    "passcode", "pass code", "password", "passwort", "kennwort", "kenncode", "zugangscode",
    "zugangsdaten", "losung", "mot de passe", "code secret", "code d.acc[èe]s", "c[óo]digo",
    "contrase[ñn]a", "clave", "senha", "palavra-passe", "wachtwoord", "toegangscode",
    "codice d.accesso", "codice di accesso", "codice", "parola", "l[öo]senord", "l[öo]senkod",
    "adgangskode", "kodeord", "passord", "tilgangskode", "salasana", "tunnuskoodi",
    "p[äa]äsykoodi", "has[łl]o", "kod dost[ęe]pu", "heslo", "jelsz[óo]", "parol[ăa]",
    "cod de acces", "[şs]ifre", "geslo", "lozinka", "zaporka", "κωδικός", "κωδικος", "пароль",
    "пароля", "паролем", "код доступа", "парола", "лозинка", "パスコード", "パスワード", "密码",
    "密碼", "口令", "암호", "비밀번호", "mật khẩu", "kata sandi", "kode sandi", "كلمة المرور",
    "كلمة السر", "رمز المرور", "סיסמה", "סיסמא", "รหัสผ่าน", "पासकोड", "पासवर्ड", "pwd", "pw",
    "pin", "code", "kode", "kod", "код",
)  # fmt: skip
"""Words, as patterns, beside which a short passcode is recognised. Broad: the value is known."""
_PASSCODE_WORD = re.compile(rf"(?<![^\W_])(?:{'|'.join(PASSCODE_WORDS)})", re.IGNORECASE)

_BETWEEN_DIGITS = r"[\W_]{0,4}"
_LATIN = "0-9A-Za-zÀ-ɏ"
_MARK = "\x00"
"""Stands where something was cut, until the line is tidied. No stored text contains it."""
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0]")
_ENTITY = r"&(?:amp;)*(?:#[0-9]{1,7};?|#[xX][0-9a-fA-F]{1,6};?|[A-Za-z][A-Za-z0-9]{1,31};|shy\b)"
_TAG = r"</?(?P<tag>[a-zA-Z][a-zA-Z0-9]*)\b[^<>]{0,4000}>"
_TOKEN = re.compile(rf"{_ENTITY}|.", re.DOTALL)
_TOKEN_OR_TAG = re.compile(rf"{_TAG}|{_ENTITY}|.", re.DOTALL)
_HIDDEN_START = re.compile(
    r"<!---?>|<(?:!--|(?P<element>script|style|template)\b[^<>]*>)", re.IGNORECASE
)
_HIDDEN_ENDS = {
    "": re.compile(r"--!?>"),
    **{name: re.compile(rf"</{name}\b[^<>]*>", re.IGNORECASE) for name in
       ("script", "style", "template")},
}  # fmt: skip
_BLOCK_TAGS = frozenset(
    (
        "p", "br", "ul", "ol", "li", "div", "h1", "h2", "h3", "h4", "h5", "h6", "table", "tr",
        "td", "th", "hr", "pre", "blockquote", "section", "dl", "dt", "dd",
    )
)  # fmt: skip


@dataclass(frozen=True)
class _Folded:
    """Text as a reader sees it, with the place of each character in the original."""

    text: str
    places: list[int] | None = None
    """Start of each character in the original, and its length at the end; None: the same."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        if self.places is None:
            return start, end
        return self.places[start], self.places[end] if end > start else self.places[start]


def _fold(text: str, *, skip_tags: bool = False) -> _Folded:
    if text.isascii() and "&" not in text and not (skip_tags and "<" in text):
        return _Folded(text)
    characters: list[str] = []
    places: list[int] = []
    for match in _tokens_without_hidden(text) if skip_tags else _TOKEN.finditer(text):
        token = match[0]
        if len(token) == 1:
            seen = _fold_character(token)
        elif token[0] == "&":
            decoded = html.unescape(token.replace("&amp;", "&", token.count("&amp;")))
            seen = "".join(map(_fold_character, decoded))
        else:
            name = (match.groupdict().get("tag") or "").lower()
            seen = "\n" if name in _BLOCK_TAGS else ""
        characters.append(seen)
        places += [match.start()] * len(seen)
    return _Folded("".join(characters), [*places, len(text)])


def _tokens_without_hidden(text: str) -> Iterator[re.Match[str]]:
    """Characters, entities and tags outside of what no browser displays."""
    position = 0
    for start, end in _hidden_spans(text):
        yield from _TOKEN_OR_TAG.finditer(text, position, start)
        position = end
    yield from _TOKEN_OR_TAG.finditer(text, position)


def _hidden_spans(text: str) -> Iterator[tuple[int, int]]:
    """Comments and elements that no browser displays. One that does not end is displayed.

    Each kind of end is searched to the end of the text once at most.
    """
    position = 0
    unclosed: set[str] = set()
    while start := _HIDDEN_START.search(text, position):
        position = start.end()
        if start[0] in ("<!-->", "<!--->"):
            yield start.span()
            continue
        element = (start["element"] or "").lower()
        end = None if element in unclosed else _HIDDEN_ENDS[element].search(text, position)
        if end is None:
            unclosed.add(element)  # guard: unclosed-markup-searched-once
            continue
        position = end.end()
        yield start.start(), position


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    if character.isascii():
        return character
    category = unicodedata.category(character)
    if category == "Cf" or _INVISIBLE.match(character):
        return ""
    if category in ("Zl", "Zp") or character == "\x85":
        return "\n"
    if category == "Pd" or character in "\u2212\u2010\u2043":
        return "-"
    if character in "\u3002\uff61\uff0e":
        return "."
    folded = unicodedata.normalize("NFKC", character)
    return "".join(
        str(unicodedata.decimal(part)) if unicodedata.category(part) == "Nd" else part
        for part in folded
        if unicodedata.category(part) != "Cf"
    )


# Known values


@dataclass(frozen=True)
class KnownValues:
    """What opens one object: numbers of rooms, and passcodes in all their forms."""

    numbers: frozenset[str] = frozenset()
    passcodes: frozenset[str] = frozenset()

    @classmethod
    def of(cls, *, numbers: Iterable[object] = (), passcodes: Iterable[object] = ()) -> KnownValues:
        """From values as Zoom sends them; missing ones and other types are left out."""
        digits = (re.sub(r"\D", "", _text(value)) for value in numbers)
        values = (unquote(_text(value)).strip() for value in passcodes)
        return cls(
            frozenset(value for value in digits if len(value) >= MIN_NUMBER_LENGTH),
            frozenset(value for value in values if value),
        )

    def __or__(self, other: KnownValues) -> KnownValues:
        return KnownValues(self.numbers | other.numbers, self.passcodes | other.passcodes)

    def __bool__(self) -> bool:
        return bool(self.numbers or self.passcodes)

    def __repr__(self) -> str:
        return f"<{len(self.numbers) + len(self.passcodes)} values>"


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def passcodes_in(url: str) -> list[str]:
    """The passcodes and tokens that the query of a link carries."""
    return re.findall(r"[?&#;](?:pwd|tk|zak)=([^&#\s]+)", url)


def _is_distinctive(value: str) -> bool:
    has_letter = any(character.isalpha() for character in value)
    has_digit = any(character.isdigit() for character in value)
    return len(value) >= MIN_DISTINCTIVE_LENGTH and has_letter and has_digit


@lru_cache(maxsize=512)
def _value_patterns(
    known_values: KnownValues,
) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
    """What is cut everywhere, and what only beside a word for passcode."""
    anywhere: list[str] = []
    beside: list[str] = []
    for number in sorted(known_values.numbers, key=len, reverse=True):
        anywhere.append(_BETWEEN_DIGITS.join(number))
    for value in sorted(known_values.passcodes, key=len, reverse=True):
        folded = _fold(value).text
        alone = rf"(?<![{_LATIN}]){re.escape(folded)}(?![{_LATIN}])"
        if _is_distinctive(folded):
            letters = r"[\s=\-]{0,3}".join(map(re.escape, folded))
            anywhere.append(f"(?i:{letters})")
        elif len(folded) < MIN_PASSCODE_LENGTH:
            beside.append(alone)
        elif folded.isdigit():
            digits = _BETWEEN_DIGITS.join(folded)
            anywhere.append(f"(?<![0-9]){digits}(?![0-9])")
        else:
            anywhere.append(alone)
    return (
        re.compile("|".join(anywhere)) if anywhere else None,
        re.compile("|".join(beside)) if beside else None,
    )


def _value_spans(text: str, known_values: KnownValues) -> Iterator[tuple[int, int]]:
    anywhere, beside = _value_patterns(known_values)
    if anywhere is not None:
        for match in anywhere.finditer(text):
            yield match.span()
    if beside is None:
        return
    for match in beside.finditer(text):
        start, end = match.span()
        before = text[max(0, start - NEAR) : start].rpartition("\n")[2]
        after = text[end : end + NEAR].partition("\n")[0]
        if any(
            # "yoga" is no passcode word of itself, and "code" is none in "code"
            _PASSCODE_WORD.search(side)
            for side in (before, after)
        ):
            yield start, end


# Links


@lru_cache(maxsize=8)
def _link_pattern(domains: tuple[str, ...]) -> re.Pattern[str]:
    """A link to one of the domains, with or without a scheme, also broken over lines."""
    bend = r"[\r\n\t\x00]{0,2}"
    names = "|".join(bend.join(map(re.escape, domain)) for domain in domains)
    label = rf"(?:[A-Za-z0-9_-]{{1,63}}{bend}\.{bend}){{0,6}}"
    scheme = r"(?:[a-z][a-z0-9+.-]{1,20}:)?[/\\]{1,4}(?:[^\s<>\"'/\\@]{1,200}@)?"
    # A line that goes on: not another link, and with a parameter.
    rest = r"[\r\n]{1,2}[ \t>]{0,3}(?!https?:|www\.)(?=[^\s<>\"')]*[=?&%])[^\s<>\"')]+"
    return re.compile(
        rf"(?:zoom(?:mtg|us|phonecall|gov)[a-z]{{0,12}}:(?=\S)[^\s<>\"')]*"
        rf"|(?<![A-Za-z0-9-])(?:{scheme})?{label}(?:{names})\.?(?::[0-9]{{1,5}})?"
        rf"[/?#\\][^\s<>\"')]*(?:{rest})?"
        # SIP and H.323 addresses hold the number, and often the passcode.
        rf"|(?:sips?:|h323:)?(?<![\w.])(?:[0-9.*#]{{6,60}}|[0-9.*#]{{0,60}}\x00[0-9.*#\x00]{{0,60}})"
        rf"@[a-z0-9.-]{{0,60}}zoom[a-z0-9.-]*)",
        re.IGNORECASE,
    )


_RUN = re.compile(r"[^\s<>\"']{8,8000}")
_LOOKS_WRAPPED = re.compile(r"[%=/]")
_CREDENTIAL = re.compile(r"(?:^|[?&;#/])(?:pwd|tk|zak)=", re.IGNORECASE)
_ENDS = "([{«„“‘”’)]}»>.,;:!"


def _domains() -> tuple[str, ...]:
    return tuple(dict.fromkeys((*ZOOM_DOMAINS, *(host for host in settings.link_hosts if host))))


def _link_spans(text: str) -> Iterator[tuple[int, int]]:
    pattern = _link_pattern(_domains())
    for match in pattern.finditer(text):
        yield match.span()
    for match in _RUN.finditer(text):
        run = match[0]
        if _LOOKS_WRAPPED.search(run) and _leads_to_zoom(run, pattern):
            start = match.start() + len(run) - len(run.lstrip(_ENDS))
            yield start, max(start, match.end() - (len(run) - len(run.rstrip(_ENDS))))


def _leads_to_zoom(run: str, pattern: re.Pattern[str]) -> bool:
    return any(_CREDENTIAL.search(form) or pattern.search(form) for form in _decoded_forms(run))


def _decoded_forms(run: str) -> Iterator[str]:
    """A link, and what it holds: percent-encoded up to three times, or by link scanners."""
    form = run
    for _round in range(4):
        yield form
        decoded = _fold(unquote(form)).text
        if decoded == form:
            break
        form = decoded
    if "urldefense" in run.lower():
        yield unquote(re.sub(r"-([0-9A-Fa-f]{2})", r"%\1", run).replace("_", "/"))
    for part in re.findall(r"[A-Za-z0-9+/_-]{16,}", unquote(run))[:5]:
        with_padding = part.replace("-", "+").replace("_", "/") + "=" * (-len(part) % 4)
        try:
            yield base64.b64decode(with_padding, validate=True).decode("ascii")
        except (ValueError, binascii.Error, UnicodeDecodeError):
            continue


def has_zoom_link(text: str) -> bool:
    """Whether a text, such as an ``href``, holds a link to Zoom in any form."""
    return next(_link_spans(_fold(text).text), None) is not None


# Cutting


def cut_links(text: str) -> str:
    """The text without links to Zoom and without links that carry a passcode."""
    return cut_secrets(text, KnownValues())


def cut_secrets(text: str, known_values: KnownValues) -> str:
    """The text without the known values and without links to Zoom; unchanged if it has none."""
    for _round in range(MAX_ROUNDS):
        marked = _marked(text, known_values)
        if marked == text:
            return text
        text = _tidy(marked)
    return ""  # only text made to outlast every round


def _marked(text: str, known_values: KnownValues) -> str:
    """Both as written and as displayed: attributes are part of the one, tags split the other."""
    for skip_tags in (True, False) if "<" in text else (False,):
        if known_values:
            folded = _fold(text, skip_tags=skip_tags)
            text = _mark(text, folded, _value_spans(folded.text, known_values))
        folded = _fold(text, skip_tags=skip_tags)
        text = _mark(text, folded, _link_spans(folded.text))
    return text


def _mark(text: str, folded: _Folded, spans: Iterable[tuple[int, int]]) -> str:
    parts: list[str] = []
    copied_to = 0
    for start, end in sorted(folded.span(*span) for span in spans):
        if end <= copied_to:
            continue
        if start >= copied_to:
            parts += [text[copied_to:start], _MARK]
        copied_to = end
    return "".join([*parts, text[copied_to:]]) if parts else text


_LABEL = (
    rf"(?:\b(?:zoom|meeting|webinar|event)[ -]?)?"
    rf"(?:{'|'.join(PASSCODE_WORDS)}|(?:meeting|webinar|konferenz)?[ -]?(?:id|nr|no|№))"
)
_LABEL_AND_MARK = re.compile(rf"(?<![^\W_]){_LABEL}[^\S\n]*[:：=#]*[^\S\n]*(?=\x00)", re.IGNORECASE)
_ONE_TAP = re.compile(r",,\x00|\x00#")
"""A phone number followed by the number of the meeting: nothing of such a line is of use."""
_EMPTY_BRACKETS = re.compile(r"[(\[（][\s\x00,;:|/-]*\x00[\s\x00,;:|/-]*[)\]）]")


def _tidy(text: str) -> str:
    """Without the marks, the labels right before them, and lines of which nothing is left."""
    lines = []
    for line in text.split("\n"):
        if _MARK not in line:
            lines.append(line)
            continue
        line = _EMPTY_BRACKETS.sub(_MARK, _LABEL_AND_MARK.sub("", line))
        if _ONE_TAP.search(line):
            continue
        line = re.sub(r"(?<=\x00)\s*[,;](?=\s*\x00)|^\s*\x00\s*[,;]", "", line)
        line = re.sub(r"([^\S\n]*)\x00+([^\S\n]*)", lambda m: m[1] and m[2] and " ", line)
        if any(character.isalnum() for character in line):
            lines.append(line.rstrip(" \t,;:–-"))
    return "\n".join(lines)
