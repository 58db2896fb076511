"""One address, one spelling: over all of Unicode, beside the real PostgreSQL, and as a mail server reads it."""

import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from email.headerregistry import Address

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit import emails
from toolkit.forms.address_fields import NORMAL, AddressFormField

SIGNS = [chr(code) for code in range(sys.maxunicode + 1)]
PYTHON_NORMAL = re.compile(NORMAL.replace("''", "'"))


def normal(typed: str) -> str:
    return emails.sought(typed)


def spellings(sign: str) -> Iterator[str]:
    """An address with that sign before the @, and after it."""
    yield f"l{sign}sa@example.net"
    yield f"lisa@ma{sign}l.fr"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Alice@Example.NET", "alice@example.net"),
        ("  alice@example.net\u00a0\n", "alice@example.net"),
        ("jean.o'neil+x@mail-1.example.fr", "jean.o'neil+x@mail-1.example.fr"),
        ("lisa@pechabô.fr", "lisa@xn--pechab-nxa.fr"),
        ("lisa@PECHABÔ.fr", "lisa@xn--pechab-nxa.fr"),
        ("lisa@pechabo\u0302.fr", "lisa@xn--pechab-nxa.fr"),  # o and its accent, as Apple writes it
        ("lisa@XN--PECHAB-NXA.FR", "lisa@xn--pechab-nxa.fr"),
        ("lisa@straße.de", "lisa@xn--strae-oqa.de"),  # not strasse.de: IDNA 2008
    ],
)
def test_one_form_is_kept(typed: str, kept: str) -> None:
    assert emails.normalise(typed) == kept
    assert AddressFormField().clean(typed) == kept


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("lisa@gmaıl.com", "« ı »"),
        ("lisa@xn--gmal-nza.com", "« ı »"),  # the same, as browsers write it
        ("lisa@xn--e1awd7f.com", "ressemble à un autre signe"),  # all in Cyrillic
        ("liſa@example.net", "« ſ »"),
        ("lisa@\N{KELVIN SIGN}orea.fr", "« \N{KELVIN SIGN} »"),
        ("lİsa@example.net", "« İ »"),
        ("lisa@\N{ANGSTROM SIGN}.fr", "ressemble à un autre signe"),
        ("lisa@ехample.net", "« е »"),  # Cyrillic
        ("lisa@例え.jp", "« 例 »"),
        ("lisa＠example.net", "« ＠ »"),
        ("lisa@ｅxample.net", "« ｅ »"),
        ("lisa@example。net", "« 。 »"),
        ("li\u200bsa@example.net", "invisible"),
        ("lisa@exam\u00adple.net", "invisible"),
        ("lisa@example.net\u202e", "invisible"),
        ("lisa\x00@example.net", "invisible"),
        ("lisa@example.net\ud800", "invisible"),
        ("lisa\r\nBcc:x@example.net", "invisible"),
        ("élisa@example.net", "sans accent avant le @"),
        ("lisa martin@example.net", "espace"),
        ('"lisa"@example.net', "nom@exemple.fr"),
        ("lisa@[127.0.0.1]", "nom@exemple.fr"),
        ("lisa@localhost", "nom@exemple.fr"),
        ("lisa@example.net.", "nom@exemple.fr"),
        ("lisa@-example.net", "nom@exemple.fr"),
        ("li..sa@example.net", "nom@exemple.fr"),
        ("lisa@xn--zzzzzzzz.fr", "nom@exemple.fr"),
        ("lisa@ab--cd.fr", "nom@exemple.fr"),
        ("a" * 65 + "@example.net", "nom@exemple.fr"),
        ("lisa@" + "a." * 130 + "fr", "trop longue"),
        ("lisa", "nom@exemple.fr"),
    ],
)
def test_what_is_no_address_or_looks_like_another_is_refused_in_words(typed: str, words: str) -> None:
    with pytest.raises(emails.BadAddress) as refused:
        emails.normalise(typed)
    assert words in str(refused.value)
    assert emails.sought(typed) == emails.NOBODY


def test_no_two_spellings_are_one_address_unless_they_are_the_same_one() -> None:
    """Every sign of Unicode in every place: only the case of a letter, and how an accent is written, do not count."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for sign in SIGNS:
        for typed in spellings(sign):
            if (kept := normal(typed)) != emails.NOBODY:
                found[kept].add(typed)
    assert len(found) > 100
    for kept, typed in found.items():
        assert kept.isascii()
        assert kept == kept.lower()
        assert normal(kept) == kept
        assert len({unicodedata.normalize("NFC", one).lower() for one in typed}) == 1, typed
        # None is another letter's double (the Kelvin and the Angstrom signs, full-width letters).
        assert all(len(unicodedata.decomposition(sign).split()) != 1 for one in typed for sign in one), typed


@pytest.mark.django_db
def test_the_database_and_python_fold_otherwise_and_it_does_not_matter() -> None:
    """The signs whose case Python and this PostgreSQL see differently, or that become ASCII for one of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT chr(c), lower(chr(c)), upper(chr(c)), lower(upper(chr(c))) FROM generate_series(1, 1114111) c"
            " WHERE c NOT BETWEEN 55296 AND 57343"
        )
        rows = cursor.fetchall()
    differ = {
        sign
        for sign, low, up, both in rows
        if (low, up) != (sign.lower(), sign.upper())
        or (not sign.isascii() and (low + up + both + sign.casefold() + sign.upper()).isascii())
        or (
            not sign.isascii()
            and any(one.isascii() for one in (low, up, both, sign.casefold(), sign.lower()))
        )
    }
    assert {"ı", "ſ", "\N{KELVIN SIGN}"} <= differ
    for sign in sorted(differ | {"İ"}):
        for typed in spellings(sign):
            kept = normal(typed)
            if sign in "ßÿ":  # letters that a domain may have: they stay themselves
                assert kept == emails.NOBODY or "xn--" in kept
            else:
                assert kept == emails.NOBODY, sign


@pytest.mark.django_db
def test_what_the_database_takes_is_what_the_rule_says() -> None:
    """The constraint reads signs one by one: it knows ASCII letters from all that looks like them."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT chr(c), ('l' || chr(c) || 'sa@x.net') ~ '{NORMAL}', ('a@b' || chr(c) || 'c.fr') ~ '{NORMAL}'"
            " FROM generate_series(1, 1114111) c WHERE c NOT BETWEEN 55296 AND 57343"
        )
        rows = cursor.fetchall()
    local = {sign for sign, taken, _domain in rows if taken}
    domain = {sign for sign, _local, taken in rows if taken}
    assert local == set("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+/=?^_`{|}~.-")
    assert domain == set("abcdefghijklmnopqrstuvwxyz0123456789.-")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.text(), st.emails(), st.tuples(st.text(max_size=9), st.text(max_size=9)).map("@".join)))
def test_each_is_refused_or_sendable_everywhere(typed: str) -> None:
    kept = normal(typed)
    if kept == emails.NOBODY:
        return
    assert normal(kept) == kept
    assert len(kept.encode("ascii")) <= 254  # no server needs SMTPUTF8 for it
    assert PYTHON_NORMAL.fullmatch(kept)
    assert Address(addr_spec=kept).addr_spec == kept  # nothing in it means anything else in a header
