"""Sanitises text from Zoom for public pages: as plain text or with a few safe tags.

Owners paste whole invitations into the description. Known values and links are cut by
``secret_text``; here lines with number and passcode are recognised by their wording, because the
Site's join policy decides who may join, not a pasted text.
"""

from __future__ import annotations

import html
import re
import unicodedata

import nh3
from django.utils.html import linebreaks, urlize
from django.utils.safestring import SafeString, mark_safe

from .secret_text import KnownValues, cut_links, cut_secrets, has_zoom_link

MAX_TAGS = 500
"""A description of Zoom's, at most 2,000 characters, has no more. Nested tags take nh3 a time that
grows with the square of their number."""
ALLOWED_TAGS = {"p", "br", "ul", "ol", "li", "b", "strong", "i", "em", "a"}
_LINK_WITHOUT_HREF = re.compile(r'<a rel="nofollow noopener">(.*?)</a>', re.DOTALL)
"""What is left of a link whose address is not allowed: its text stays."""
_MARKUP = re.compile(r"</?(?:p|br|ul|ol|li|b|strong|i|em|a|div|span)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_BLOCK_TAGS = re.compile(r"(</?(?:p|br|ul|ol|li|div)\b[^<>]*>|\n)", re.IGNORECASE)
"""Tags and line breaks that end a line of Zoom's markup."""
_PASSCODE_WORDS = (
    r"passcode|pass code|kenncode|zugangscode|mot de passe|code secret|code d.acc[èe]s|"
    r"c[óo]digo de aces?so|c[óo]digo de acceso|contrase[ñn]a|clave de acceso|senha|palavra-passe|"
    r"wachtwoord|toegangscode|codice d.accesso|codice di accesso|l[öo]senord|l[öo]senkod|"
    r"adgangskode|kodeord|passord|tilgangskode|salasana|tunnuskoodi|has[łl]o|kod dost[ęe]pu|heslo|"
    r"jelsz[óo]|parol[ăa] de acces|cod de acces|[şs]ifre|geslo|lozinka|zaporka|κωδικ[όο]ς|"
    r"пароль|код доступа|パスコード|パスワード|密码|密碼|口令|암호|비밀번호|m[ậa]t kh[ẩa]u|"
    r"kata sandi|kode sandi|كلمة المرور|كلمة السر|رمز المرور|סיסמה|סיסמא|รหัสผ่าน|पासकोड|पासवर्ड"
)
_NUMBER_WORDS = (
    r"(?:meeting|webinar|zoom)[ -]?id|id de r[ée]union|id de (?:la )?reuni[óo]n|id da reuni[ãa]o|"
    r"id riunione|vergader-?id|m[öo]tes-?id|m[øo]de-?id|identyfikator spotkania|"
    r"идентификатор конференции|ミーティング ?id|会议 ?(?:id|号)|會議 ?(?:id|號)|회의 ?id|"
    r"toplant[ıi] kimli[ğg]i"
)
_INVITE_LINE = re.compile(
    rf"^[^\S\n]*(?:[-*•·–>|][^\S\n]*)?(?:{_NUMBER_WORDS}|"
    rf"(?:(?:meeting|webinar|zoom)[ -])?(?:{_PASSCODE_WORDS}|password|kennwort|passwort|parola))"
    # All spaces except line breaks, because French text and editors use no-break spaces.
    rf"[^\S\n]*[:：=][^\n]*$"
    # A one-tap phone number ends with the passcode.
    rf"|^[^\n]*,,[0-9]{{6,12}}#[^\n]*$",
    re.IGNORECASE | re.MULTILINE,
)
_INLINE_PASSCODE = re.compile(
    rf"(?<![^\W_])(?:{_PASSCODE_WORDS})[^\S\n]*[:：=][^\S\n]*\S+", re.IGNORECASE
)
"""Within a line only the passcode is removed."""

INVITE_WORDS = (
    "meeting id", "webinar id", "passcode", "password", "kenncode", "meeting-id", "mot de passe",
    "code secret", "code d", "digo de ace", "contrase", "kennwort", "passwort", ",,",
    "zugangscode", "clave de acceso", "senha", "palavra-passe", "wachtwoord", "toegangscode",
    "codice d", "senord", "senkod", "adgangskode", "kodeord", "passord", "tilgangskode",
    "salasana", "tunnuskoodi", "haslo", "asło", "heslo", "kod dost", "jelsz", "parola", "parolă",
    "cod de acces", "şifre", "sifre", "Şifre", "geslo", "lozinka", "zaporka", "ωδικ", "ароль",
    "од доступа", "パスコード", "パスワード", "密码", "密碼", "口令", "암호", "비밀번호", "t khẩu",
    "t khau", "sandi", "المرور", "السر", "סיסמ", "รหัสผ่าน", "पास",
)  # fmt: skip
"""Each removed line contains one of these. Other lines may contain them too."""


def _without_many_tags(text: str) -> str:
    """The text, or its words where it has too many tags."""
    if text.count("<") <= MAX_TAGS:  # guard: tags-limited
        return text
    return _TAG.sub(" ", text).replace("<", " ")


def _without_invite_lines(text: str) -> str:
    return _INLINE_PASSCODE.sub("", _INVITE_LINE.sub("", text))


def _markup_without_invite_lines(text: str) -> str:
    """Works on Zoom's markup: a line is what is displayed as one line, with any inline tags."""
    parts = _BLOCK_TAGS.split(text)
    for index, part in enumerate(parts[::2]):
        plain = html.unescape(_TAG.sub("", part))
        if plain != _without_invite_lines(plain):
            # The rest of such a line loses its tags.
            parts[2 * index] = html.escape(_without_invite_lines(plain))
    return "".join(parts)


def without_secrets(text: str, known_values: KnownValues) -> str:
    """A text as it is stored: no known value, no link to Zoom, no line of a pasted invitation."""
    text = cut_secrets(text, known_values)
    return (
        _markup_without_invite_lines(text) if _MARKUP.search(text) else _without_invite_lines(text)
    )


def without_null(text: str) -> str:
    """Text from a URL for a query: PostgreSQL refuses NUL, and no stored text contains one."""
    return text.replace("\0", "\ufffd")  # guard: no-null-in-queries


_PLAIN_LETTERS = str.maketrans(
    {"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"}
)
"""Letters that have a plain form, but no decomposition in Unicode."""


def fold(text: str) -> str:
    """Text for comparing without case and accents: ``Tomás Øst`` becomes ``tomas ost``."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = (letter for letter in decomposed if not unicodedata.combining(letter))
    return "".join(letters).translate(_PLAIN_LETTERS)


def _without_word(text: str, word: str) -> str:
    """Removes the owner's mark word, which only marks what may be shown."""
    return re.sub(re.escape(word), "", text, flags=re.IGNORECASE) if word else text


def sanitize_title(text: str, mark_word: str = "") -> str:
    """One line without ``mark_word`` and without what opens a meeting. Not escaped.

    Empty when no visible character is left.
    """
    title = " ".join(_without_invite_lines(cut_links(_without_word(text, mark_word))).split())
    is_visible = any(unicodedata.category(character)[0] not in "CZ" for character in title)
    return title if is_visible else ""


def sanitize_text(text: str, mark_word: str = "") -> str:
    """A description as text, for calendars and structured data: no tags, no hidden links."""
    text = _without_many_tags(_without_word(text, mark_word))
    if _MARKUP.search(text):
        with_breaks = re.sub(r"<(?:br|/p|/li|/div)\b[^<>]*>", "\n", text, flags=re.IGNORECASE)
        text = nh3.clean(with_breaks, tags=set())
        for entity, letter in (("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", " "), ("&amp;", "&")):
            text = text.replace(entity, letter)
    text = _without_invite_lines(cut_links(text))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _href_elsewhere(tag: str, attribute: str, value: str) -> str | None:
    """The address of a link as the browser gets it; None removes one that leads to Zoom."""
    return None if has_zoom_link(value) else value


def sanitize_html(text: str, mark_word: str = "") -> SafeString:
    """A description as safe HTML: paragraphs and links; Zoom's own markup through an allow-list."""
    text = _without_many_tags(text)
    if _MARKUP.search(text):
        markup = _markup_without_invite_lines(cut_links(_without_word(text, mark_word)))
        clean = nh3.clean(
            markup,
            tags=ALLOWED_TAGS,  # guard: markup-allow-list
            attributes={"a": {"href"}},  # guard: markup-attributes
            attribute_filter=_href_elsewhere,
            url_schemes={"http", "https", "mailto"},  # guard: markup-link-schemes
            link_rel="nofollow noopener",
        )
        return mark_safe(_LINK_WITHOUT_HREF.sub(r"\1", clean))  # noqa: S308 - sanitised by nh3
    text = sanitize_text(text, mark_word)
    return mark_safe(urlize(linebreaks(text, autoescape=True), nofollow=True))  # noqa: S308


_LINE_ENDS = re.compile(r"[\s\x00-\x1f\x7f\x85\u2028\u2029]+")
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that show a text in another order than it is written, and lone surrogates."""
_URL = re.compile(
    r"[a-z][a-z0-9+.-]{0,20}://.*|(?<![^\W_])www[.\uff0e\u3002\uff61\u2024].*"
    r"|(?<![^\W_])(?:mailto|tel|sms|callto|sip|javascript|zoommtg|zoomus|msteams):\S.*",
    re.IGNORECASE,
)
"""From the start of an address to the end of the word."""
_EMAIL = re.compile(r"\w@\w")
_DOT_OF_DOMAIN = re.compile(
    r"(?<=[\w-])(?:[.\uff0e\u2024](?=[^\W\d_][\w-])|[\u3002\uff61](?=[a-z][\w-]))", re.IGNORECASE
)
"""A domain ends with two letters or more; this leaves ``2.0``, ``U.S.`` and ``e. V.``."""
_IP_ADDRESS = re.compile(r"(?<!\d)(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?!\d)")
_LOOSE_ENDS = " :;,-–—|/<>·"


def unlinked_line(text: str) -> str:
    """Words of somebody else as they may be in an email: one line without what an email program
    turns into a link. Empty when no word is left.

    Addresses with a scheme or ``www`` and email addresses are cut; the dots of domains become
    spaces, because many of them are none: ``Node.js``, ``St.Gallen``.
    """
    given = _LINE_ENDS.sub(" ", _DIRECTIONS.sub("", text)).split()
    words = []
    for word in given:
        rest = _URL.sub("", word[:1000])
        if not _EMAIL.search(rest):
            rest = _IP_ADDRESS.sub(r"\1 \2 \3 \4", _DOT_OF_DOMAIN.sub(" ", rest))
            words += rest.replace("\\\\", " ").split()
    if words == given:
        return " ".join(words)
    line = " ".join(words).lstrip(_LOOSE_ENDS).rstrip(f"{_LOOSE_ENDS}([{{")
    return line if any(character.isalnum() for character in line) else ""
