"""What opens a meeting is cut from text that people write, however they write it."""

import html
import time
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from wagtail_zoom.utils.secret_text import KnownValues, cut_secrets, has_zoom_link
from wagtail_zoom.utils.text import sanitize_html, sanitize_text, sanitize_title

NUMBER = "86412345678"
PASSCODE = "Zq4x8w"
TOKEN = "aW5kZXgudHh0X3NlY3JldA.1"
KNOWN = KnownValues.of(numbers=[int(NUMBER), "555 123 4567"], passcodes=[PASSCODE, "834512", TOKEN])

IN_TWELVE_LANGUAGES = [
    "Passcode: Zq4x8w",
    "Kenncode: Zq4x8w",
    "Mot de passe : Zq4x8w",
    "Contraseña: Zq4x8w",
    "Senha: Zq4x8w",
    "Codice d’accesso Zq4x8w",
    "Toegangscode – Zq4x8w",
    "Hasło to Zq4x8w",
    "Пароль Zq4x8w",
    "パスコードZq4x8w",
    "密码是Zq4x8w。",
    "암호는 Zq4x8w 입니다",
    "كلمة المرور Zq4x8w",
    "All meetings use the same passcode, Zq4x8w",
    "Yoga (passcode Zq4x8w)",
    "Type Zq4x8w when you are asked",
    "zq4x8W",
]


@pytest.mark.parametrize("typed", IN_TWELVE_LANGUAGES)
def test_a_known_passcode_is_cut_in_every_language(typed):
    assert "zq4x8w" not in cut_secrets(typed, KNOWN).lower()


@pytest.mark.parametrize(
    "typed",
    [
        "864 1234 5678", "864-1234-5678", "864.1234.5678", "８６４ 1234 5678", "٨٦٤ ١٢٣٤ ٥٦٧٨",
        "864\u00a01234\u00a05678", "864\u2011 1234\u20115678", "864 1234\n5678", "555-123-4567",
        "+49697104,,86412345678#,,,,*834512# Deutschland", "86412345678.834512@zoomcrc.com",
        "ID&nbsp;864&#32;1234 5678", "864 <b>1234</b> 5678", "834 512", "834512.",
    ],
)  # fmt: skip
def test_numbers_are_cut_however_they_are_grouped(typed):
    shown = cut_secrets(f"Join: {typed} today", KNOWN)
    for digits in ("1234", "5678", "4567", "834", "512", "١٢٣٤"):
        assert digits not in shown


@pytest.mark.parametrize(
    "typed",
    [
        "Zq4\u200bx8w", "Zq4\u00adx8w", "Zq4&#120;8w", "Zq4&amp;#120;8w", "Zq4<b>x8</b>w",
        "Zq4<!-- a -->x8w", "Zq4<style>a</style>x8w", "Ｚｑ４ｘ８ｗ", "Zq4\nx8w", "Z q 4 x 8 w",
        "Zq4Zq4x8wx8w", "Zq4<!-->x8w", "Zq4<!--->x8w", "Zq4<!-- a --!>x8w",
        "<!-->Zq4<b>x8</b>w<!-- -->", "Zq4<style>a</style b>x8w",
    ],
)  # fmt: skip
def test_a_passcode_is_cut_though_it_is_disguised(typed):
    shown = html.unescape(str(sanitize_html(cut_secrets(f"<p>Hi {typed} there</p>", KNOWN))))
    assert "x8" not in shown and "Hi" in shown and "there" in shown


@pytest.mark.parametrize(
    "typed",
    [
        "834-512", "83-45-12", "8.3.4.5.1.2", "83, 45, 12", "834/512", "834\u2022512",
        "834_512", "834 \u2013 512", "834<br>512", "864\u20221234\u20225678",
        "864 -- 1234 5678", "864|1234|5678",
        "864, 1234, 5678", "864: 1234; 5678", "864~1234+5678", "864'1234'5678", "864*1234*5678",
    ],
)  # fmt: skip
def test_any_separators_between_digits_make_no_difference(typed):
    shown = html.unescape(str(sanitize_html(cut_secrets(f"<p>Hi {typed} there</p>", KNOWN))))
    digits = "".join(filter(str.isdigit, shown))
    assert digits == "" and "Hi" in shown and "there" in shown


@pytest.mark.parametrize(
    "text",
    [
        "834 (page 512)", "834 and 512", "1834-512", "834-5123", "834.....512", "83-45-13",
        "864 1234, then 5678",
    ],
)  # fmt: skip
def test_other_numbers_with_separators_are_unchanged(text):
    assert cut_secrets(text, KNOWN) == text


@pytest.mark.parametrize(
    "text",
    [
        "Yoga in 2026, room 1",
        "yoga 1 2026",
        "Call 1834512 or 8345129",
        "Zq4x, 8w and 864 1234",
        "Rezept: 500 g Mehl, 2 Eier & 1 < 2",
        "https://example.org/a?b=c&d=%20x and zoom.us in passing",
        "Choose a good password. The code: see page 4, or 2,,3.",
    ],
)
def test_other_text_is_unchanged(text):
    short = KnownValues.of(passcodes=["2026", "yoga", "1"])
    assert cut_secrets(text, KNOWN | short) == text


@pytest.mark.parametrize(
    "typed",
    ["Passcode: 2026", "Senha 2026", "2026 is the passcode", "Пароль: 2026", "(pw 2026)"],
)
def test_a_short_passcode_is_cut_beside_a_word_for_passcode(typed):
    shown = cut_secrets(f"Yoga in 2026\n{typed}", KnownValues.of(passcodes=["2026"]))
    assert shown.startswith("Yoga in 2026") and shown.count("2026") == 1


def test_a_passcode_that_is_a_word_is_cut_where_it_stands_alone():
    known_values = KnownValues.of(passcodes=["garden"])
    assert "garden" not in cut_secrets("The word is garden today", known_values)
    text = "Gardens, Gardeners, gardening and gardens"
    assert cut_secrets(text, known_values) == text


JOIN = "https://us02web.zoom.us/j/123?pwd=abc"


@pytest.mark.parametrize(
    "link",
    [
        JOIN, JOIN.upper(), JOIN.replace("https:", ""), JOIN.removeprefix("https://"),
        "https://zoom.us./j/1", "https://zoom.us:443/j/1", "https://a@zoom.us/j/1",
        "https://a.zoom-x.de/j/1", "https://a.zoom.com.cn/j/1", "https://zoom.com/j/1",
        "https://a.zoomgov.com/j/1", "https:\\\\zoom.us\\j\\1", "https://zoom%2Eus/j/1",
        "zoommtg://zoom.us/join?confno=1", "zoomus://zoom.us/join?confno=1",
        "https://us02web.zoo\u00adm.us/j/1", "https://zoom\u200b.us/j/1", "https://zoom。us/j/1",
        "https://us02web.zoom.\nus/j/1?pwd=abc", "https://us02web.zoom.us/j/1?\npwd=abc",
        "https://eur01.safelinks.protection.outlook.com/?url=" + quote(JOIN, safe="") + "&data=05",
        "https://www.google.com/url?q=" + quote(quote(JOIN, safe=""), safe=""),
        "l.facebook.com/l.php?u=" + quote(JOIN, safe="") + "&h=1",
        "https://urldefense.proofpoint.com/v2/url?u=https-3A__zoom.us_j_123-3Fpwd-3Dabc&d=x",
        "https://urldefense.com/v3/__https://zoom.us/j/123?pwd=abc__;!!x",
        "https://click.example/?u=aHR0cHM6Ly96b29tLnVzL2ovMQ==",
        "https://meet.example/j/1?pwd=abc", "https://events.example/?tk=personal.token",
    ],
)  # fmt: skip
def test_links_are_cut_in_every_form(link):
    for written in (link, html.escape(link), "".join(f"&#{ord(letter)};" for letter in link)):
        for text in (f"Hi {written} bye", f'<p>Hi <a href="{written}">link</a> bye</p>'):
            for shown in (str(sanitize_html(text)), sanitize_text(text), sanitize_title(text)):
                plain = html.unescape(shown).lower()
                for part in ("zoom.", "zoom-", "zoom%", "zoom\\", "zoomgov", "/j/", "pwd", "tk="):
                    assert part not in plain
                assert "hi" in plain and "bye" in plain


@pytest.mark.parametrize(
    "link", ["https://notzoom.us/j/1", "https://zoom.us.example/j/1", "https://example.org/zoom"]
)
def test_other_links_stay(link):
    assert link in sanitize_text(f"See {link} today") and not has_zoom_link(link)


PLAIN = st.text(
    st.characters(exclude_categories=("Cs", "Cf", "Cc"), exclude_characters="&<>%"), max_size=60
)


@given(PLAIN, PLAIN, st.sampled_from([PASSCODE, NUMBER, TOKEN, "864 1234 5678", JOIN]))
def test_no_embedding_of_a_known_value_survives(before, after, value):
    shown = cut_secrets(f"{before}{value}{after}", KNOWN)
    assert value not in shown and PASSCODE not in shown and NUMBER not in shown


@given(PLAIN, PLAIN)
def test_a_numeric_passcode_that_stands_alone_never_survives(before, after):
    assert "834512" not in cut_secrets(f"{before} 834512 {after}", KNOWN)


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=200))
def test_text_without_known_values_is_unchanged(text):
    assume(not has_zoom_link(text) and "zoom" not in text.lower() and "@" not in text)
    assert cut_secrets(text, KnownValues.of(numbers=["86412345678"], passcodes=[TOKEN])) == text


@pytest.mark.parametrize(
    "piece",
    ["a", "a.", "/", "-", "%25", "<a ", "&amp;", "0 ", "(", "@", "http://", "zoom.", "=\n", "<!--"],
)
def test_a_long_text_takes_no_time(piece):
    begin = time.process_time()
    cut_secrets(piece * (20_000 // len(piece)), KNOWN)
    assert time.process_time() - begin < 2
