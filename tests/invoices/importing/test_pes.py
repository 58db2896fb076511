"""PES V2: what is read of titres and rôles, and what is refused, in which words. No database."""

import io
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenant_apps.invoices.importing.format import Confidence
from tenant_apps.invoices.importing.formats.pes import FORMAT
from tenant_apps.invoices.importing.records.kinds import CreditRow, InvoiceRow, Record, RowProblem
from tenant_apps.invoices.importing.records.rules import LEAVE_OUT, WHO_BY_NAME, Reading, Rules
from tenant_apps.products import references
from tests.invoices.importing import pes_files as pes
from toolkit.reading.errors import FileError

BY_NAME = Rules(who=WHO_BY_NAME)


def read(content: bytes, rules: Rules = Rules(), **corrections: dict[str, str]) -> list[Record]:  # noqa: B008
    """All records. `_3={"amount": "1"}` corrects a cell of line 3."""
    cells = {int(line[1:]): fields for line, fields in corrections.items()}
    return list(FORMAT.rows(io.BytesIO(content), Reading(rules, cells)))


def invoices(found: list[Record]) -> list[InvoiceRow]:
    return [one for one in found if isinstance(one, InvoiceRow)]


def errors(found: list[Record]) -> list[RowProblem]:
    return [one for one in found if isinstance(one, RowProblem) and one.is_error]


def warnings(found: list[Record]) -> str:
    return "\n".join(str(one) for one in found if isinstance(one, RowProblem) and not one.is_error)


def one(content: bytes, rules: Rules = Rules(), **corrections: dict[str, str]) -> InvoiceRow:  # noqa: B008
    found = read(content, rules, **corrections)
    assert not errors(found)
    (row,) = invoices(found)
    return row


# --- which files ----------------------------------------------------------------------------------

SOUND = pes.of(pes.article("1", "4101"), total="37.50")


@pytest.mark.parametrize(
    ("content", "sure"),
    [
        (SOUND, Confidence.CERTAIN),
        (b"\xef\xbb\xbf" + SOUND, Confidence.CERTAIN),
        (b"\r\n\r\n" + SOUND, Confidence.CERTAIN),
        (pes.File(declared=None).content(), Confidence.CERTAIN),
        (pes.File(declared="UTF-16", encoding="utf-16").content(), Confidence.CERTAIN),
        (pes.File(before="<!-- PES --><?x y?>").content(), Confidence.CERTAIN),
        (b"<PES_ACQUIT/>", Confidence.CERTAIN),
        (b"<!DOCTYPE a><PES_Aller>", Confidence.CERTAIN),
        (b"<Document><BkToCstmrStmt/></Document>", None),
        (b"<a>PES_Aller</a>", None),
        (b"Num\xc3\xa9ro;PES_Aller", None),
        (b"", None),
    ],
)
def test_recognised_by_its_root(content: bytes, sure: Confidence | None) -> None:
    assert FORMAT.recognise(content, "x.csv") == sure


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("UTF-8", "utf-8"),
        ("utf-8", "utf-8-sig"),
        ("ISO-8859-1", "iso-8859-1"),
        ("ISO-8859-1", "cp1252"),
        ("ISO-8859-15", "iso-8859-15"),
        ("windows-1252", "cp1252"),
        ("UTF-16", "utf-16"),
        (None, "utf-8"),
        (None, "cp1252"),
    ],
)
def test_each_encoding(declared: str | None, encoding: str) -> None:
    line = pes.line("37.50", pes.debtor("F1", "LEFÈVRE", "ZOÉ"))
    content = pes.File([pes.bordereau(pes.article("1", "1", line), total="37.50")], (), declared, encoding)
    row = one(content.content())
    assert (row.last_name, row.first_name) == ("LEFÈVRE", "ZOÉ")


def test_a_file_that_declares_nothing_shows_how_it_was_read() -> None:
    line = pes.line("37.50", pes.debtor("F1", "CŒURDEROY", "ÉLOÏSE"))
    content = pes.File([pes.bordereau(pes.article("1", "1", line), total="37.50")], (), None, "cp1252")
    assert "il est lu en Windows-1252. Vérifiez ces mots : « CŒURDEROY », « ÉLOÏSE »" in warnings(
        read(content.content())
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<PES_Retour/>", "PES Retour : il vient du Trésor"),
        (b"<PES_Retour><PES_DepenseRetour/></PES_Retour>", "PES Retour de dépenses"),
        (b"<PES_ACQUIT/>", "PES Acquit : le Trésor y accuse réception"),
        (b"<PES_Marche/>", "Ce fichier est un PES « PES_Marche »"),
        (pes.File(blocks="<PES_DepenseAller/>").content(), "PES de dépenses : ce sont des mandats"),
        (pes.File(blocks="<PES_RecetteAller/>").content(), "ne contient aucune pièce"),
        (pes.File().content(), "ne contient pas de recettes"),
        (
            pes.File((), [pes.attachment("A", "a.pdf", b"%PDF-")]).content(),
            "que des pièces jointes : déposez-le à côté",
        ),
        (SOUND.replace(b"UTF-8", b"EBCDIC-FR"), "déclare l'encodage « EBCDIC-FR »"),
        (SOUND.replace(b"UTF-8", b"utf-7"), "déclare l'encodage « utf-7 »"),
        (
            SOUND.replace(b"PECHABOU", b"PECH\xe9BOU"),
            r"n'est pas écrit dans l'encodage qu'il déclare \(UTF-8\)",
        ),
        (SOUND[:-40], r"coupé, abîmé ou démesuré \(ligne "),
    ],
)
def test_other_files_are_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(FileError, match=words):
        read(content)


# --- the same records as were written ---------------------------------------------------------------

_WORDS = st.text(st.sampled_from("ABCDEÉÈŒ'- "), min_size=1, max_size=20).filter(
    lambda text: any(sign.isalpha() for sign in text)
)
_CENTS = st.integers(1, 9_999_999).map(lambda cents: Decimal(cents) / 100)
_SHARES = st.lists(_CENTS, min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(_WORDS, _WORDS, _SHARES, st.booleans()), min_size=1, max_size=8),
    st.booleans(),
    st.sampled_from([("UTF-8", "utf-8"), ("ISO-8859-15", "iso-8859-15"), (None, "cp1252")]),
)
def test_what_is_written_is_read(
    people: list[tuple[str, str, list[Decimal], bool]], is_role: bool, encoding: tuple[str | None, str]
) -> None:
    pieces, total = [], Decimal(0)
    for rank, (last, first, amounts, by_debit) in enumerate(people, start=1):
        owes = pes.debtor(f"F{rank:04d}", last, first)
        debit = {"DtePrel": "2026-11-10", "MtPrel": "1.00"} if by_debit else None
        lines = [
            pes.line(f"{cents:.2f}", owes, number=str(n), debit=debit) for n, cents in enumerate(amounts, 1)
        ]
        pieces.append(
            pes.article(str(rank), str(4100 + rank), *lines)
            if is_role
            else pes.titre(str(800 + rank), *lines)
        )
        total += sum(amounts)
    kind = "06" if is_role else "01"
    file = pes.File([pes.bordereau(*pieces, total=f"{total:.2f}", kind=kind)], (), *encoding)
    rows = invoices(read(file.content()))
    assert [row.amount for row in rows] == [sum(amounts) for _last, _first, amounts, _by_debit in people]
    assert [row.last_name for row in rows] == [" ".join(last.split()) for last, *_rest in people]
    assert [row.by_debit for row in rows] == [by_debit for *_rest, by_debit in people]
    assert [row.payer for row in rows] == [f"F{rank:04d}" for rank in range(1, len(people) + 1)]
    assert len({row.reference for row in rows}) == len(rows)
    assert [row.line for row in rows] == list(range(1, len(rows) + 1))
    assert read(file.content()) == read(file.content())


def test_a_value_may_be_the_text_and_unknown_leaves_are_skipped() -> None:
    content = SOUND.replace(b'<MtHT V="37.50"/>', b"<MtHT> 37.50 </MtHT><Inconnu><Nom V='AUTRE'/></Inconnu>")
    content = content.replace(b"<Piece>", b'<x:Piece xmlns:x="urn:x">').replace(b"</Piece>", b"</x:Piece>")
    row = one(content)
    assert (row.amount, row.last_name) == (Decimal("37.50"), "MARTIN")


# --- amounts ----------------------------------------------------------------------------------------


def repeated(total: str, **others: str) -> bytes:
    """Two lines, written once for each of three accounting codes."""
    lines = [
        pes.line(amount, number=str(n), product=code, label=label)
        for n, (code, label, amount) in enumerate(
            [
                (code, label, amount)
                for code in ("CAN", "PER", "ALS")
                for label, amount in (("A", "10.00"), ("B", "2.00"))
            ],
            1,
        )
    ]
    return pes.of(pes.titre("1", *lines), total=total, kind="01", **others)


def test_repeated_lines_count_once_when_the_header_says_so() -> None:
    found = read(repeated("12.00"))
    assert [row.amount for row in invoices(found)] == [Decimal("12.00")]
    assert "répété les lignes de chaque pièce" in warnings(found)
    assert [row.amount for row in invoices(read(repeated("36.00")))] == [Decimal("36.00")]


def test_repeated_lines_are_refused_when_nothing_says_how_they_count() -> None:
    found = read(repeated(""))
    assert not invoices(found)
    assert "rien ne dit si elles comptent une fois ou plusieurs" in errors(found)[0].message
    broken = pes.titre("2", pes.line("x", pes.debtor("F2", "B", "B")))
    content = repeated("999.00").replace(b"</Bordereau>", broken.encode() + b"</Bordereau>")
    assert not invoices(read(content))


@pytest.mark.parametrize("total", ["24.00", "11.99", "0.00", "-12.00"])
def test_a_total_that_does_not_agree_refuses_the_file(total: str) -> None:
    with pytest.raises(FileError, match=r"Bordereau n° 57 : son en-tête annonce .* et ses lignes font 36,00"):
        read(repeated(total))


def test_tax_is_part_of_the_amount() -> None:
    line = pes.line("100.00", tax="20.00")
    for tax, total in (("20.00", "100.00"), ("", "100.00"), ("", "120.00")):
        content = pes.of(pes.article("1", "1", line), total=total, MtBordTVA=tax)
        assert one(content).amount == Decimal("120.00")
    with pytest.raises(FileError, match="100,00 € et ses lignes font 120,00"):
        read(pes.of(pes.article("1", "1", line), total="90.00", MtBordTVA="10.00"))


def test_a_piece_of_nothing_is_left_out_and_counted_once() -> None:
    nothing = [pes.article(str(n), str(n), pes.line("0.00")) for n in range(2, 14)]
    found = read(pes.of(pes.article("1", "1"), *nothing, total="37.50"))
    assert len(invoices(found)) == 1
    assert warnings(found).count("12 pièces de 0,00 €") == 1


def test_a_negative_piece_is_named_or_left_out_by_rule() -> None:
    content = pes.of(pes.article("1", "1", pes.line("-5.00")), pes.article("2", "2"), total="32.50")
    (problem,) = errors(read(content))
    assert (problem.line, problem.field, problem.value) == (1, "Montant", "-5.00")
    assert problem.message.startswith("Pièce 1 du bordereau 57 : son montant est négatif.")
    found = read(content, Rules(negatives=LEAVE_OUT))
    assert not errors(found)
    assert [row.line for row in invoices(found)] == [2]
    assert "1 pièce a un montant négatif : elle est laissée de côté (pièce 1 du bordereau 57)" in warnings(
        found
    )


def test_a_discount_inside_a_piece_is_kept_and_said() -> None:
    content = pes.of(pes.article("1", "1", pes.line("40.00"), pes.line("-2.50", number="2")), total="37.50")
    assert one(content).amount == Decimal("37.50")
    assert "une ligne de montant négatif" in warnings(read(content))


@pytest.mark.parametrize("amount", ["12,5O", "", "1.234", "1e3", "NaN", "999999999999", "١٢"])
def test_a_broken_amount_names_its_piece_and_can_be_corrected(amount: str) -> None:
    content = pes.of(pes.article("1", "1", pes.line(amount)), total="37.50")
    (problem,) = errors(read(content))
    assert "(pièce 1 du bordereau 57, balise MtHT)" in problem.message
    assert "by_debit" not in problem.cells
    assert one(content, _1={"amount": "37,50"}).amount == Decimal("37.50")


# --- numbers, references, dates -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("piece", "kind", "number", "reference"),
    [
        (pes.article("7", "4101"), "06", "57-4101", "2026CA94101"),
        (pes.article("7", "4101", invoice="FA-12"), "06", "FA-12", "2026CA94101"),
        (pes.article("7", "4101", Per="0"), "06", "57-4101", "2026CA04101"),
        (pes.article("7", ""), "06", "57-7", "2026577"),
        (pes.titre("812"), "01", "812", "202600000812000001"),
        (pes.titre("812", pes.line("37.50", number="12")), "01", "812", "202600000812000012"),
        (pes.titre("812", NumeroFacture="F/9"), "01", "F/9", "202600000812000001"),
    ],
)
def test_number_and_reference(piece: str, kind: str, number: str, reference: str) -> None:
    row = one(pes.of(piece, total="37.50", kind=kind))
    assert (row.number, row.reference) == (number, reference)


def test_two_titres_never_share_a_reference() -> None:
    assert references.of_titre("2026", "81", "21") != references.of_titre("2026", "812", "1")
    assert references.of_titre("2026", "123456789", "1") == references.of_titre("2026", "8", "") == ""
    assert references.of_role("2026", "C", "1", "5") == references.of_role("26", "CAN", "1", "5") == ""


def test_a_key_that_disagrees_warns_once_and_names_a_reference() -> None:
    wrong = [pes.article(str(n), str(n), pes.line(), Cle2="Z") for n in range(1, 4)]
    found = read(pes.of(*wrong, total="112.50"))
    assert len(invoices(found)) == 3
    assert warnings(found).count("Cle2") == 1
    assert "(par exemple 2026CA91)" in warnings(found)
    assert "Cle2" not in warnings(read(SOUND))


def test_the_rules_of_the_source_apply() -> None:
    rules = Rules(prefix="CAN", due_days=15, product="CANT", subject="Cantine")
    row = one(
        pes.of(pes.article("1", "20260101", invoice="20260101"), total="37.50", DteAsp="2026-10-05"), rules
    )
    assert (row.number, row.reference) == ("CAN20260101", "2026CA9CAN20260101")
    assert (f"{row.due_on}", row.product) == ("2026-10-16", "CANT")


def test_the_due_date_is_thirty_days_after_the_avis_is_sent() -> None:
    assert f"{one(SOUND).due_on}" == "2026-10-31"
    assert f"{one(pes.of(pes.article('1', '1'), total='37.50', DteAsp='2026-10-05')).due_on}" == "2026-11-04"
    piece = pes.article("1", "1", DteAsp="2026-10-12")
    content = pes.of(piece, total="37.50", DteAsp="2026-10-05")
    assert f"{one(content).due_on}" == "2026-11-11"
    assert "trente jours après l'envoi" in warnings(read(content))
    assert "trente jours" not in warnings(read(content, Rules(due_days=20)))


def test_automatic_debit_with_and_without_a_day() -> None:
    with_day = pes.line(debit={"DtePrel": "2026-11-10", "MtPrel": "37.50"})
    without = pes.line("10.00", pes.debtor("F2", "B", "B"), debit={"MtPrel": "10.00"})
    found = read(pes.of(pes.article("1", "1", with_day), pes.article("2", "2", without), total="47.50"))
    assert [(row.by_debit, str(row.debit_on)) for row in invoices(found)] == [
        (True, "2026-11-10"),
        (True, "None"),
    ]
    part = pes.of(
        pes.article("1", "1", pes.line(debit={"DtePrel": "2026-11-10", "MtPrel": "5.00"})), total="37.50"
    )
    assert "n'en couvre qu'une partie" in warnings(read(part))


# --- who owes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("others", "code"),
    [
        ({"code": "FAM000123"}, "FAM000123"),
        ({"code": "", "Numo": "7DURAND_INES"}, "7DURAND_INES"),
        ({"code": "", "IdTiers": "21310411900013", "NatIdTiers": "01"}, "21310411900013"),
    ],
)
def test_the_code_of_a_debtor(others: dict[str, str], code: str) -> None:
    assert (
        one(pes.of(pes.article("1", "1", pes.line("37.50", pes.debtor(**others))), total="37.50")).payer
        == code
    )


def nameless(**others: str) -> str:
    return pes.debtor("", others.pop("last", "MARTIN"), others.pop("first", "ALICE"), **others)


def pair(*debtors: str) -> bytes:
    """One piece for each."""
    pieces = [pes.article(str(n), str(n), pes.line("1.00", one)) for n, one in enumerate(debtors, 1)]
    return pes.of(*pieces, total=f"{len(pieces)}.00")


def test_a_social_security_number_is_never_a_code() -> None:
    person = nameless(IdTiers="275047512345678", NatIdTiers="04")
    with pytest.raises(FileError, match="ne donne le code d'aucun débiteur"):
        read(pair(nameless()))
    (problem,) = errors(read(pair(pes.debtor("F1", "A", "B"), person)))
    assert (problem.field, problem.line) == ("Code redevable", 2)
    assert "275047512345678" not in repr(read(pair(person), BY_NAME))


def test_without_a_code_the_source_must_say_that_names_are_enough() -> None:
    with pytest.raises(
        FileError, match="choisissez dans la provenance de reconnaître les familles par leur nom"
    ):
        read(pair(nameless()))
    (row,) = invoices(read(pair(nameless()), BY_NAME))
    assert row.payer.startswith("MARTIN-")
    assert len(row.payer) <= 40


@pytest.mark.parametrize(
    "other",
    [
        {"first": "PAUL"},
        {"Civilite": "M"},
        {"Adr2": "2 PLACE DE LA MAIRIE"},
        {"Adr1": "BAT B"},
        {"CP": "31000"},
        {"Ville": "TOULOUSE"},
        {"last": "MARTINEZ"},
    ],
)
def test_whatever_differs_makes_another_payer(other: dict[str, str]) -> None:
    found = read(pair(nameless(), nameless(**other)), BY_NAME)
    assert not errors(found)
    assert len({row.payer for row in invoices(found)}) == 2


@pytest.mark.parametrize(
    "other", [{"last": "martin"}, {"Adr2": "1  Place de la Mairie,"}, {"Civilite": "Madame"}]
)
def test_the_same_person_written_otherwise(other: dict[str, str]) -> None:
    assert len({row.payer for row in invoices(read(pair(nameless(), nameless(**other)), BY_NAME))}) == 1


def test_a_name_without_address_or_a_household_twice_is_refused() -> None:
    (problem,) = errors(read(pair(nameless(Adr2="")), BY_NAME))
    assert "Un nom seul est celui de plusieurs familles" in problem.message
    assert problem.cells["last_name"] == "MARTIN"
    found = read(pair(nameless(first=""), nameless(first="")), BY_NAME)
    (problem,) = errors(found)
    assert "sans prénom" in problem.message
    assert problem.line == 2
    assert "1 personne n'a que son nom de famille" in warnings(found)


def test_a_code_has_priority_in_a_source_of_names() -> None:
    assert one(SOUND, BY_NAME).payer == "F0001"


def test_abroad_the_postcode_stands_before_the_town() -> None:
    person = pes.debtor("F1", CP="99999", Ville="67059 LUDWIGSHAFEN", CodRes="1", CodPays="109")
    row = one(pair(person))
    assert (row.postcode, row.city) == ("", "67059 LUDWIGSHAFEN")


def test_a_collective_titre_is_one_invoice_per_debtor() -> None:
    first, second = pes.debtor("F1", "ROY", "LUC"), pes.debtor("F2", "ROY", "LEA")
    lines = [
        pes.line("200.00", first),
        pes.line("150.00", second, number="2"),
        pes.line("1.00", first, number="3"),
    ]
    found = read(pes.of(pes.titre("813", *lines), pes.titre("814"), total="388.50", kind="01"))
    rows = invoices(found)
    assert [(row.line, row.number, row.payer, row.amount) for row in rows] == [
        (1, "813-1", "F1", Decimal("201.00")),
        (2, "813-2", "F2", Decimal("150.00")),
        (3, "814", "F0001", Decimal("37.50")),
    ]
    assert [row.reference[-6:] for row in rows[:2]] == ["000001", "000002"]
    assert "titre collectif. MME ROY LUC ne doit et ne voit que ses propres lignes" in warnings(found)
    found = read(pes.of(pes.article("1", "1", *lines), total="351.00"))
    assert not invoices(found)
    assert "un article de rôle n'a qu'un débiteur principal" in errors(found)[0].message


def test_solidary_debtors_are_named_and_see_nothing() -> None:
    main, other = pes.debtor("F1", "SANCHEZ", "INES"), pes.debtor("F2", "SANCHEZ", "HUGO", kind="03")
    found = read(pes.of(pes.article("1", "1", pes.line("90.00", other, main)), total="90.00"))
    assert [row.payer for row in invoices(found)] == ["F1"]
    assert "MME SANCHEZ HUGO doit aussi cette somme" in warnings(found)


def test_unclear_debtors_are_refused() -> None:
    main, other = pes.debtor("F1", "UN", "A"), pes.debtor("F2", "DEUX", "B")
    both = pes.titre("1", pes.line("1.00", main, other))
    free = pes.titre("2", pes.line("1.00", main), pes.line("1.00", other), pes.line("1.00", pes.NOBODY))
    nobody = pes.titre("3", pes.line("1.00", pes.NOBODY))
    found = read(pes.of(both, free, nobody, total="5.00", kind="01"))
    assert not invoices(found)
    assert [problem.line for problem in errors(found)] == [1, 2, 3]
    known = pes.titre("4", pes.line("1.00", main), pes.line("2.00", pes.NOBODY, number="2"))
    assert one(pes.of(known, total="3.00", kind="01")).amount == Decimal("3.00")


# --- what is no invoice -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "nature", "words"),
    [
        ("05", "01", "émis après paiement"),
        ("06", "01", "récapitulatif"),
        ("07", "01", "récapitulatif"),
        ("03", "01", "écriture interne"),
        ("09", "01", "augmente un titre"),
        ("02", "07", "augmente un titre"),
        ("02", "09", "corrige un mandat"),
    ],
)
def test_pieces_that_ask_nothing(kind: str, nature: str, words: str) -> None:
    piece = pes.titre("1", TypPce=kind, NatPce=nature)
    found = read(pes.of(piece, pes.titre("2"), total="75.00", kind="01"))
    assert [row.line for row in invoices(found)] == [2]
    assert words in warnings(found)
    assert not errors(found)


def test_an_unknown_kind_is_refused() -> None:
    (problem,) = errors(read(pes.of(pes.titre("1", TypPce="99"), total="37.50", kind="01")))
    assert (problem.value, problem.line) == ("99", 1)


def taken(
    number: str, amount: str = "37.50", *, line: str = "1", year: str = "2026", nature: str = "01"
) -> str:
    original = {"NatPceOrig": nature, "ExerRat": year, "IdPceOrig": number, "IdLigneOrig": line}
    return pes.titre("15", pes.line(amount, original=original), TypPce="02", NatPce="06", ObjPce="ANNULATION")


def credited(*pieces: str, before: str = "", total: str, rules: Rules = Rules()) -> list[Record]:  # noqa: B008
    first = [pes.bordereau(before, total="37.50", kind="01", IdBord="120")] if before else []
    second = pes.bordereau(*pieces, total=total, kind="02", IdBord="15")
    return read(pes.File([*first, second]).content(), rules)


def credits(found: list[Record]) -> list[CreditRow]:
    return [one for one in found if isinstance(one, CreditRow)]


def test_a_cancellation_names_what_it_cancels() -> None:
    (earlier,) = credits(credited(taken("99", year="2025"), total="37.50", rules=Rules(prefix="T")))
    assert earlier == CreditRow(
        1, "T99", 2025, Decimal("37.50"), "ANNULATION", key="PES 2026/15/15", reference="202500000099"
    )


def test_what_a_file_takes_off_its_own_titres_is_not_asked() -> None:
    found = credited(taken("00812"), before=pes.titre("812", NumeroFacture="F9"), total="37.50")
    assert not invoices(found)
    (whole,) = credits(found)  # the town may have it from an earlier file
    assert (whole.number, whole.amount, whole.reference) == ("F9", None, "202600000812000001")
    assert "1 titre est annulé par ce même fichier" in warnings(found)
    found = credited(taken("812", "7.50"), before=pes.titre("812"), total="7.50")
    assert [row.amount for row in invoices(found)] == [Decimal("30.00")]
    assert not credits(found)
    assert "1 titre est réduit par ce même fichier" in warnings(found)


def test_the_correction_may_come_before_its_titre() -> None:
    first = pes.bordereau(taken("812", "7.50"), total="7.50", kind="02", IdBord="15")
    second = pes.bordereau(pes.titre("812"), total="37.50", kind="01", IdBord="120")
    found = read(pes.File([first, second]).content())
    assert [row.amount for row in invoices(found)] == [Decimal("30.00")]
    assert not credits(found)


def test_a_correction_of_one_debtor_of_a_collective_titre() -> None:
    lines = [
        pes.line("20.00", pes.debtor("F1", "A", "A")),
        pes.line("17.50", pes.debtor("F2", "B", "B"), number="2"),
    ]
    found = credited(taken("813", "7.50", line="2"), before=pes.titre("813", *lines), total="7.50")
    assert [row.amount for row in invoices(found)] == [Decimal("20.00"), Decimal("10.00")]


def test_a_correction_of_a_mandat_cancels_no_invoice() -> None:
    found = credited(taken("812", nature="02"), before=pes.titre("812"), total="37.50")
    assert not credits(found)
    assert "corrige un mandat" in warnings(found)


def test_a_credit_without_original_is_refused() -> None:
    found = credited(pes.titre("15", TypPce="02", NatPce="06"), total="37.50")
    assert not credits(found)
    assert "sans dire lequel" in errors(found)[0].message


def test_the_number_of_a_credit_can_be_corrected() -> None:
    content = pes.File([pes.bordereau(taken("99"), total="37.50", kind="02")]).content()
    (credit,) = credits(read(content, _1={"number": "F12"}))
    assert (credit.number, credit.reference) == ("F12", "")


def test_a_whole_bordereau_of_two_years_keeps_them_apart() -> None:
    old = pes.bordereau(pes.titre("1"), total="37.50", kind="01", Exer="2025", IdBord="1")
    new = pes.bordereau(pes.titre("1"), total="37.50", kind="01", IdBord="2")
    found: Any = invoices(read(pes.File([old, new]).content()))
    assert [(row.fiscal_year, row.number) for row in found] == [(2025, "1"), (2026, "1")]
    same = {name: getattr(found[1], name) for name in ("line", "fiscal_year", "reference", "document")}
    assert replace(found[0], **same) == found[1]
