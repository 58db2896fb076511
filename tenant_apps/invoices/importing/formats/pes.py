"""PES V2 « recette aller »: the titres and rôles (ORMC) that billing software sends to the Treasury."""

from collections.abc import Iterator
from typing import BinaryIO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenant_apps.invoices.importing.documents.archive import Documents
from tenant_apps.invoices.importing.documents.opening import documents_in
from tenant_apps.invoices.importing.format import Companion, Confidence, Format, Sample
from tenant_apps.invoices.importing.pes import attached
from tenant_apps.invoices.importing.pes.envelope import HEAD, opened, opening
from tenant_apps.invoices.importing.pes.example import EXAMPLE
from tenant_apps.invoices.importing.pes.reading import Reader
from tenant_apps.invoices.importing.pes.streaming import Utf8
from tenant_apps.invoices.importing.pes.survey import survey
from tenant_apps.invoices.importing.records.kinds import Record, RowProblem
from tenant_apps.invoices.importing.records.rules import USUAL, WHO_BY_NAME, Reading, Rules
from toolkit.reading.errors import FileError

_MEGABYTE = 1024 * 1024


def recognise(head: bytes, name: str) -> Confidence | None:
    """By its root element, whatever its encoding. Every PES is taken, to say in words what another one is."""
    return Confidence.CERTAIN if opening(head) is not None else None


def read(file: BinaryIO, reading: Reading) -> Iterator[Record]:
    """Read piece by piece, twice: the sums first. `line` is the rank of the invoice in the file. Raises FileError."""
    encoding, is_unsaid = opened(file)
    found = survey(file, encoding)
    if not found.has_codes and reading.rules.who != WHO_BY_NAME:
        raise FileError(
            _(
                "Ce PES ne donne le code d'aucun débiteur (RefTiers) : deux familles du même nom pourraient "
                "être confondues. "
                "Faites écrire ce code par votre logiciel ; ou, si chaque famille y a toujours le même nom et la même "
                "adresse, choisissez dans la provenance de reconnaître les familles par leur nom."
            )
        )
    if is_unsaid and encoding != "utf-8":
        words = {"words": _accented(file, encoding)}
        sentence = _(
            "Ce PES ne dit pas comment il est encodé ; il est lu en Windows-1252. Vérifiez ces mots : %(words)s."
        )
        yield RowProblem(None, "", "", sentence % words, is_error=False)
    yield from Reader(reading, found).records(file, encoding)


def _accented(file: BinaryIO, encoding: str) -> str:
    """Three words with accents, « as they are read »."""
    text = Utf8(file, encoding)
    while len(text.accented) < 3 and text.read(HEAD):
        text.rest()
    return ", ".join(f"« {word} »" for word in text.accented) or "–"


def _rough_rows(file: BinaryIO) -> int:
    """About how many pieces."""
    file.seek(0)
    return max(sum(chunk.count(b"<BlocPiece") for chunk in iter(lambda: file.read(_MEGABYTE), b"")), 1)


def _open_beside(file: BinaryIO, rules: Rules = USUAL.rules) -> Documents:
    """A ZIP, one large PDF, or a PES with attachments. Raises FileError."""
    file.seek(0)
    is_pes = opening(file.read(HEAD)) is not None
    file.seek(0)
    if not is_pes:
        return documents_in(file, rules)
    found = attached.inside(file)
    if found is None:
        raise FileError(
            _("Ce PES ne contient aucune pièce jointe en PDF : déposez celui des PES_PJ, ou un ZIP de PDF.")
        )
    return found


BESIDE = Companion(
    label=gettext_lazy("les pièces jointes d'un PES (PES_PJ), ou leur ZIP"),
    help=gettext_lazy(
        "Avec un PES : les PDF qu'il contient sont repris ; sinon, donnez le PES des pièces jointes "
        "(PES_PJ), ou un ZIP des "
        "PDF."
    ),
    extensions=(".zip", ".xml"),
    media_types=("application/zip", "application/xml", "text/xml"),
    open=_open_beside,
)

FORMAT = Format(
    name="pes",
    label="PES",
    help=(
        gettext_lazy(
            "Un <strong>PES V2 « recette aller »</strong> (titres ou rôle ORMC), celui que votre logiciel "
            "prépare pour le "
            "Trésor : les annulations, les prélèvements et les PDF qu'il contient sont lus aussi."
        ),
        gettext_lazy(
            "Un PES n'a pas de lignes à montrer : « ligne 12 » y est la douzième facture, et chaque message "
            "nomme sa pièce."
        ),
    ),
    extensions=(".xml",),
    media_types=("application/xml", "text/xml"),
    recognise=recognise,
    read=read,
    rough_rows=_rough_rows,
    documents=BESIDE,
    inside=attached.inside,
    sample=Sample(EXAMPLE, "application/xml"),
    most_bytes=500 * _MEGABYTE,
)
