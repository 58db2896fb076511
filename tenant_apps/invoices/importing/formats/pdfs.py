"""PDFs alone, for invoices that the town has: a ZIP of them, or one large PDF. Each completes or replaces."""

import io
import zipfile
from collections.abc import Iterator
from typing import BinaryIO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenant_apps.invoices.importing.documents.archive import MOST_TOTAL_BYTES, Archive
from tenant_apps.invoices.importing.documents.names import Pattern, is_litter, stem_of
from tenant_apps.invoices.importing.documents.opening import documents_in
from tenant_apps.invoices.importing.documents.split.one_pdf import OnePdf
from tenant_apps.invoices.importing.format import Confidence, Format, Sample
from tenant_apps.invoices.importing.records.fields import key_of
from tenant_apps.invoices.importing.records.kinds import LABELS, DocumentRow, Record, RowProblem
from tenant_apps.invoices.importing.records.rules import Reading, Rules
from toolkit.reading import spreadsheets
from toolkit.reading.errors import FileError

_LOCAL = b"PK\x03\x04"
_LONGEST = 40  # signs of a number
_ROWS = (".csv", ".txt", ".xml", ".xlsx", ".xls", ".ods", ".json")  # what lists invoices, and is sent apart


def recognise(head: bytes, name: str) -> Confidence | None:
    """A ZIP with nothing but PDFs in its first bytes; less surely one that has others too, or a PDF."""
    if head.startswith(_LOCAL) and not spreadsheets.is_workbook(head):
        names = [one for one in _first_names(head) if not one.endswith("/") and not is_litter(one)]
        are_pdfs = [one.lower().endswith(".pdf") for one in names]
        if not any(are_pdfs):
            return None
        return Confidence.CERTAIN if all(are_pdfs) else Confidence.POSSIBLE
    return Confidence.POSSIBLE if b"%PDF-" in head[:1029] and not head.startswith(b"PK") else None


def read(file: BinaryIO, reading: Reading) -> Iterator[Record]:
    """One row per PDF. `line` is its place in the archive, or its first page. Raises FileError."""
    found = documents_in(file, reading.rules)
    if isinstance(found, OnePdf):
        yield from _of_pages(found, reading.rules)
    elif isinstance(found, Archive):
        yield from _of_files(found, reading.rules)


def inside(file: BinaryIO) -> Archive | OnePdf | None:
    """The PDFs themselves. Raises FileError."""
    return documents_in(file)


def _of_files(archive: Archive, rules: Rules) -> Iterator[Record]:
    pattern = Pattern(rules.document_pattern) if rules.document_pattern else None
    names = [name for _key, name in archive.names()]
    for name in names:
        if name.lower().endswith(_ROWS):
            sentence = _(
                "L'archive contient aussi « %(name)s » : déposez le fichier des factures d'une part, l'archive des "
                "PDF de l'autre."
            )
            raise FileError(sentence % {"name": name[-80:]})
    read = [_number_of(name, pattern) for name in names]
    sharing: dict[str, list[str]] = {}
    for name, (number, _why) in zip(names, read, strict=True):
        sharing.setdefault(key_of(number), []).append(name)
    for line, (name, (number, why)) in enumerate(zip(names, read, strict=True), 1):
        if number and len(same := sharing[key_of(number)]) > 1:  # neither, as long as nobody has said which
            sentence = _(
                "« %(first)s » et « %(second)s » sont de la même facture : laissez celui qui est juste."
            )
            why = sentence % {"first": same[0][-80:], "second": same[1][-80:]}
        if why:
            yield RowProblem(line, LABELS["document"], name[:80], why)
        else:
            yield DocumentRow(line, _prefixed(number, rules), name)
    if not names:
        raise FileError(_("L'archive ne contient aucun PDF."))


def _of_pages(pdf: OnePdf, rules: Rules) -> Iterator[Record]:
    for part in pdf.plan.parts:
        number = _prefixed(part.number, rules)
        if part.doubt:
            yield RowProblem(part.pages[0] + 1, LABELS["document"], number, part.doubt)
        else:
            yield DocumentRow(part.pages[0] + 1, number, f"{part.number}.pdf")
    doubts = {part.doubt for part in pdf.plan.parts}
    for sentence in pdf.plan.problems():
        if sentence not in doubts:
            yield RowProblem(None, LABELS["document"], "", sentence, is_error=False)


def _number_of(name: str, pattern: Pattern | None) -> tuple[str, str]:
    """(number, "") of a file, or ("", why it has none)."""
    if not name.lower().endswith(".pdf"):
        return "", _("Ce fichier n'est pas un PDF : enlevez-le de l'archive.")
    texts = pattern.texts_in(name) if pattern else [stem_of(name)]
    if not texts:
        return "", _("Ce nom n'est pas de la forme que la provenance attend : le numéro ne s'y lit pas.")
    if len(texts) > 1:
        sentence = _("Le numéro se lit de deux manières dans ce nom : « %(first)s » ou « %(second)s ».")
        return "", sentence % {"first": texts[0][:40], "second": texts[1][:40]}
    if len(texts[0]) > _LONGEST or not key_of(texts[0]):
        return "", _("Ce nom est trop long pour un numéro de facture : nommez le PDF par le numéro.")
    return texts[0], ""


def _prefixed(number: str, rules: Rules) -> str:
    return number if not number or number.startswith(rules.prefix) else rules.prefix + number


def _first_names(head: bytes) -> Iterator[str]:
    """The names of the entries that begin in these bytes, by their local headers."""
    place = 0
    while place >= 0:
        length = int.from_bytes(head[place + 26 : place + 28], "little")
        name = head[place + 30 : place + 30 + length]
        if len(name) == length and 0 < length <= 1000:
            yield name.decode("utf-8", "replace")
        place = head.find(_LOCAL, place + 30)


def _rough_rows(file: BinaryIO) -> int:
    """About how many PDFs: the end of the ZIP says it; a page has some ten kilobytes."""
    size = file.seek(0, 2)
    file.seek(max(0, size - 66_000))
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    return max(1, int.from_bytes(tail[end + 10 : end + 12], "little") if end >= 0 else size // 10_000)


def _sample() -> bytes:
    """Two PDFs that say what they are."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in ("2026-001-000001", "2026-001-000002"):
            archive.writestr(zipfile.ZipInfo(f"{number}.pdf"), page_saying(f"Exemple : facture {number}"))
    return out.getvalue()


def page_saying(words: str) -> bytes:
    """The smallest PDF of one page with these words (ASCII)."""
    content = f"BT /F1 14 Tf 60 760 Td ({words}) Tj ET".encode("ascii")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    )
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out + b"trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % table)


FORMAT = Format(
    name="pdfs",
    label=gettext_lazy("PDF seuls"),
    help=(
        gettext_lazy(
            "<strong>Des PDF seuls</strong>, pour des factures déjà en ligne : une archive ZIP dont chaque PDF porte "
            "le numéro de sa facture, ou un seul PDF dont chaque page porte le numéro."
        ),
        gettext_lazy(
            "Une facture sans PDF le reçoit ; un autre PDF est remplacé, et l'ancien reste dans l'historique."
        ),
    ),
    extensions=(".zip", ".pdf"),
    media_types=("application/zip", "application/pdf"),
    recognise=recognise,
    read=read,
    rough_rows=_rough_rows,
    documents=None,
    inside=inside,
    sample=Sample(_sample(), "application/zip"),
    most_bytes=MOST_TOTAL_BYTES,
)
