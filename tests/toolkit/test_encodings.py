"""The encoding of a text: what is sure is right, and what fits two encodings is asked about. No database."""

import io

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from toolkit.reading.encodings import MIXED, EncodingChoice, find_encoding, sure_encoding
from toolkit.reading.errors import UnknownEncoding, UnsureEncoding
from toolkit.reading.text import Lines

ONE_BYTE = ["cp1252", "iso8859-15", "cp850", "mac_roman"]
# Names that people in France have, in the languages that they come from, and words of billing.
_NAMES = (
    "Hélène Michèle François Noël Benoît Cédric Zoé Béatrice Lefèvre Müller José João Conceição Gonçalves Magalhães "
    "Lourenço Peña Muñoz Núñez López Ibáñez García Öztürk Çelik Søren Bjørn Åkesson Gaëtan Maëlys Anaïs Loïc Inês "
    "Sérgio Antônio Araújo Simões Brandão Haÿ Croÿ Château Forêt Hôtel Côte Île Pâques août décembre Pêcheur Chêne "
    "N° Crèche Étude Böhm Jäger Núria Òscar Mañé Íñigo Übeda Élodie Ève Naïs Moïse Caïn Aïcha Saïd né à où"
)
NAMES = _NAMES.split()


def found(text: str, encoding: str) -> EncodingChoice:
    return find_encoding(io.BytesIO(text.encode(encoding)))


def read(content: bytes, choice: EncodingChoice) -> str:
    return "".join(Lines(io.BytesIO(content), choice.encoding))


@given(
    st.lists(
        st.sampled_from(NAMES).flatmap(lambda name: st.sampled_from([name, name.upper()])),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", *ONE_BYTE]),
)
@example(["ÍÑIGO"], "cp850")  # valid UTF-8 by accident
@example(["NOËL"], "cp1252")
def test_a_sure_encoding_is_right_and_the_right_one_is_among_the_others(
    names: list[str], encoding: str
) -> None:
    text = "".join(f"{place};{name}\n" for place, name in enumerate(names))
    try:
        content = text.encode(encoding)
    except UnicodeEncodeError:
        assume(False)
    choice = find_encoding(io.BytesIO(content))
    if choice.is_sure:
        assert read(content, choice) == text
    else:
        assert text in [read(content, one) for one in (choice, *choice.others)]
        assert all(one.samples for one in (choice, *choice.others))


@pytest.mark.parametrize(
    ("text", "encoding", "name"),
    [
        ("Numéro;Hélène\n", "utf-8", "UTF-8"),
        ("Numéro;Hélène\n", "utf-16", "UTF-16"),
        ("Numéro;Hélène\n", "utf-16-le", "UTF-16"),
        ("Numéro;Hélène\n", "cp1252", "Windows-1252"),
        ("Cœur;37,50 €\n", "iso8859-15", "ISO-8859-15"),
        ("MICHÈLE;NOËL\n", "cp850", "DOS (cp850)"),
        ("Cédric;Zoé\n", "mac_roman", "Macintosh"),
        ("Numero;Nom\n", "ascii", "UTF-8"),
    ],
)
def test_what_is_sure(text: str, encoding: str, name: str) -> None:
    choice = found(text, encoding)
    assert (choice.is_sure, choice.name, choice.others) == (True, name, ())
    assert read(text.encode(encoding), choice) == text


def test_the_samples_are_words_with_their_lines() -> None:
    choice = found("Nom;Ville\nDURAND;Nîmes\nÉlie;Paris\nZoé;Saint-Étienne\n", "utf-8")
    assert choice.samples == (("Nîmes", 2), ("Élie", 3), ("Zoé", 4))
    assert found("A;B\rC;D\rHÉLÈNE;Zoé\r", "cp1252").samples[0] == ("HÉLÈNE", 3)  # lines of an old Macintosh


def test_what_fits_two_encodings_is_shown_in_each() -> None:
    choice = found("Nom\nMARTÔN\nDUPONT\n", "cp1252")
    assert not choice.is_sure
    assert {one.encoding: one.samples for one in (choice, *choice.others)} == {
        "cp1252": (("MARTÔN", 2),),
        "cp850": (("MARTÈN", 2),),
    }
    with pytest.raises(UnsureEncoding, match=r"« MARTÈN ».*DOS") as refused:
        sure_encoding(io.BytesIO("Nom\nMARTÔN\n".encode("cp1252")))
    assert refused.value.choice.others
    confirmed = sure_encoding(io.BytesIO("Nom\nMARTÔN\n".encode("cp1252")), "cp850")
    assert (confirmed.encoding, confirmed.is_sure) == ("cp850", True)


def test_one_well_known_word_makes_the_others_sure() -> None:
    assert found("Nom\nMARTÔN\nHÉLÈNE\n", "cp1252").is_sure
    assert found("Nom\nMANÈS\nNOËL\n", "cp850").encoding == "cp850"


def test_lines_of_another_encoding_are_named() -> None:
    content = "Nom;Ville\nHélène;Nîmes\n".encode() + "Benoît;Nîmes\n".encode("cp1252")
    choice = find_encoding(io.BytesIO(content))
    assert (choice.encoding, choice.is_sure, choice.lines) == (MIXED, True, (3,))
    assert read(content, choice) == "Nom;Ville\nHélène;Nîmes\nBenoît;Nîmes\n"


@pytest.mark.parametrize(
    "content",
    [
        b"\x00\x01\x02\x03" * 50,
        b"Nom\n\x00\n",
        bytes(range(256)) * 4,
        "Nom\nHélène\n".encode() + "Benoît\n".encode("cp850"),
        "Numéro".encode("utf-32"),
    ],
)
def test_what_is_no_text(content: bytes) -> None:
    with pytest.raises(UnknownEncoding):
        find_encoding(io.BytesIO(content))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_choice_or_a_refusal(content: bytes) -> None:
    try:
        choice = find_encoding(io.BytesIO(content))
    except UnknownEncoding:
        return
    if not choice.is_sure:
        assert choice.others
    for one in (choice, *choice.others):  # whatever a person chooses can be decoded
        io.TextIOWrapper(
            io.BytesIO(content.rstrip(b"\x1a")),
            "utf-8-sig" if one.encoding == MIXED else one.encoding,
            "as-cp1252" if one.encoding == MIXED else "strict",
        ).read()
