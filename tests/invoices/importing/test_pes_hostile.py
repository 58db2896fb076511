"""Hostile PES files: each is refused in words, and memory stays small. No database."""

import contextlib
import gzip
import io
import resource
from collections.abc import Callable

import pytest

from tenant_apps.invoices.importing.formats.pes import FORMAT, recognise
from tenant_apps.invoices.importing.pes import attached
from tenant_apps.invoices.importing.records.kinds import InvoiceRow, Record, RowProblem
from tests.invoices.importing import pes_files as pes
from tests.invoices.importing.files import MEGABYTE
from toolkit.reading.errors import FileError

SOUND = pes.of(pes.article("1", "4101"), total="37.50")
MOST = 100 * 1024  # kB


def with_doctype(subset: str, value: str = "x") -> bytes:
    text = SOUND.decode().replace("\n<n:PES_Aller", f"\n<!DOCTYPE n:PES_Aller [{subset}]>\n<n:PES_Aller", 1)
    return text.replace('V="MARTIN"', f'V="{value}"').encode()


def laughs() -> bytes:
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    return with_doctype(f'<!ENTITY l0 "lol">{levels}', "&l11;")


def instead(old: str, new: str) -> Callable[[], bytes]:
    return lambda: SOUND.decode().replace(old, new, 1).encode()


NAME = 'V="MARTIN"'
HOSTILE: dict[str, Callable[[], bytes]] = {
    "xxe: a file": lambda: with_doctype('<!ENTITY x SYSTEM "file:///etc/passwd">', "&x;"),
    "xxe: the network": lambda: with_doctype('<!ENTITY x SYSTEM "http://192.0.2.1/x">', "&x;"),
    "xxe: a parameter": lambda: with_doctype('<!ENTITY % x SYSTEM "http://192.0.2.1/x">%x;'),
    "an outside DTD": lambda: SOUND.replace(
        b"\n<n:PES_Aller", b'\n<!DOCTYPE a SYSTEM "http://192.0.2.1/a">\n<n:PES_Aller', 1
    ),
    "billion laughs": laughs,
    "quadratic blow-up": lambda: with_doctype(f'<!ENTITY x "{"a" * 100_000}">', "&x;" * 10_000),
    "an entity of nothing": instead(NAME, 'V="&inconnue;"'),
    "deep nesting": instead("<ObjPce", f"{'<a>' * 100_000}{'</a>' * 100_000}<ObjPce"),
    "an attribute of 60 MB": instead(NAME, f'V="{"A" * 60_000_000}"'),
    "a comment of 60 MB": instead("<ObjPce", f"<!--{'A' * 60_000_000}--><ObjPce"),
    "a text of 60 MB": instead(f"<Nom {NAME}/>", f"<Nom>{'A' * 60_000_000}</Nom>"),
    "a million attributes": instead(f"<Nom {NAME}", "<Nom " + " ".join(f'a{n}=""' for n in range(1_000_000))),
    "two million elements in a piece": instead("<ObjPce", "<a/>" * 2_000_000 + "<ObjPce"),
    "two million elements before the pieces": instead("<EnTetePES>", "<a/>" * 2_000_000 + "<EnTetePES>"),
    "two million namespaces": instead(
        "<ObjPce", "".join(f'<a xmlns:p{n}="u"/>' for n in range(400_000)) + "<ObjPce"
    ),
    "a million bordereaux": instead(
        "<Bordereau>", "<Bordereau><BlocBordereau/></Bordereau>" * 50_000 + "<Bordereau>"
    ),
    "cut in the middle": lambda: SOUND[: len(SOUND) // 2],
    "two roots": lambda: SOUND + SOUND[SOUND.index(b"<n:PES_Aller") :],
    "tags that do not match": instead("</Piece>", "</Bordereau>"),
    "a null byte": instead(NAME, 'V="MAR\0TIN"'),
    "a control sign": instead(NAME, 'V="MAR&#1;TIN"'),
    "half a sign of UTF-16": lambda: SOUND.decode().replace("UTF-8", "UTF-16").encode("utf-16")[:-1],
    "another encoding than declared": lambda: SOUND.decode().replace("UTF-8", "UTF-16").encode(),
    "gzip": lambda: gzip.compress(SOUND),
    "an amount of a million digits": instead('MtHT V="37.50"', f'MtHT V="{"9" * 1_000_000}"'),
    "a total of a million digits": instead('MtBordHt V="37.50"', f'MtBordHt V="{"9" * 1_000_000}"'),
    "an amount with an exponent": instead('<MtHT V="37.50"', '<MtHT V="1e308"'),
    "a day that does not exist": instead('DteBordEm V="2026-10-01"', 'DteBordEm V="2026-02-31"'),
}


def errors_in(found: list[Record]) -> list[RowProblem]:
    return [one for one in found if isinstance(one, RowProblem) and one.is_error]


@pytest.mark.parametrize("name", HOSTILE)
def test_refused_in_words_and_in_little_memory(name: str) -> None:
    content = HOSTILE[name]()
    file = io.BytesIO(content)
    recognise(content[: 64 * 1024], "x.xml")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found, refusal = [], ""
    try:
        found = list(FORMAT.rows(file))
    except FileError as error:
        refusal = str(error)
    assert refusal or errors_in(found)
    assert len(refusal) < 400
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST
    assert not [one for one in found if isinstance(one, InvoiceRow)]
    with contextlib.suppress(FileError):
        assert attached.inside(file) is None
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST


def test_twenty_thousand_pieces_do_not_stay_in_memory() -> None:
    piece = pes.article("1", "1")
    pieces = (piece.replace('<IdPce V="1"/>', f'<IdPce V="{n}"/>') for n in range(20_000))
    content = pes.of(*pieces, total=f"{20_000 * 37.5:.2f}")
    assert len(content) > 10 * MEGABYTE
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = sum(1 for _record in FORMAT.rows(io.BytesIO(content)))
    assert count > 20_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40 * 1024
