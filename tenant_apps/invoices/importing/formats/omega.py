"""JVS Omega: a JSON with a list of invoices."""

import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from django.utils.translation import gettext_lazy

from tenant_apps.invoices.importing.format import Confidence, Format, Sample
from tenant_apps.invoices.importing.omega.invoices import KEYS, Invoices
from tenant_apps.invoices.importing.records.kinds import Record
from tenant_apps.invoices.importing.records.rules import Reading

_NAMES = re.compile(rb'"(' + b"|".join(key.encode() for key in KEYS) + rb')"\s*:', re.IGNORECASE)


def recognise(head: bytes, name: str) -> Confidence | None:
    """By its keys: `nofacture` or `facture_id`, and two more of Omega's."""
    if not head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"[", b"{")):
        return None
    known = {found.lower() for found in _NAMES.findall(head)}
    return Confidence.CERTAIN if known & {b"nofacture", b"facture_id"} and len(known) > 2 else None


def read(file: BinaryIO, reading: Reading) -> Iterator[Record]:
    """One record per object of the list. `line` is its place in the list, from 1. Raises FileError."""
    yield from Invoices(reading).read(file)


# Invented people.
_SAMPLE = [
    {
        **{"facture_id": 9001, "exercice": 2026, "nofacture": "2026-00001", "datefact": "2026-10-01"},
        **{"datech": "2026-10-31", "ttc": 37.5, "nap": 37.5, "solde": 37.5, "preleve": "N", "annulee": "N"},
        **{"avoir": "N", "budget": "EAU", "numcontrat": "C000101", "nompers": "MARTIN Alice"},
        **{"mail": "alice.martin@example.org"},
    },
    {
        **{"facture_id": 9002, "exercice": 2026, "nofacture": "2026-00002", "datefact": "2026-10-01"},
        **{"datech": "2026-10-31", "ttc": 52.0, "nap": 12.0, "solde": 12.0, "preleve": "O", "annulee": "N"},
        **{"avoir": "N", "budget": "EAU", "numcontrat": "C000102", "nompers": "DURAND Paul", "mail": None},
    },
]

FORMAT = Format(
    name="omega",
    label="JVS Omega",
    help=(
        gettext_lazy(
            "Un fichier <strong>JSON de JVS Omega</strong>, tel quel. La « ligne » d'une facture est sa place dans la "
            "liste ; le code du redevable est son numéro de contrat."
        ),
    ),
    extensions=(".json",),
    media_types=("application/json",),
    recognise=recognise,
    read=read,
    rough_rows=lambda file: max(file.seek(0, 2) // 300, 1),
    sample=Sample(json.dumps(_SAMPLE, ensure_ascii=False, indent=1).encode(), "application/json"),
    most_bytes=150 * 1024 * 1024,
)
