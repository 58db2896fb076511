"""What a legal text says of its town: left out when the text goes, put in when another town takes it."""

import re
from collections.abc import Iterator

from tenant_apps.townhall.models import TownHall

_OF = r"(?:de\s+la\s+|de\s+l['’]\s*|de\s+|du\s+|des\s+|d['’]\s*)"
_PLACE = r"[A-ZÀ-ÖØ-Þ][\w'’-]*(?:[ -][A-ZÀ-ÖØ-Þ][\w'’-]*)*"
_SIGNS = re.compile(
    rf"\b(?:[Mm]airie|[Cc]ommune|[Vv]ille|[Vv]illage)\s+{_OF}{_PLACE}"
    r"|[\w.+-]+@[\w-]+\.[\w.-]*\w"  # an address of mail
    r"|\b0\d(?:[ .]?\d\d){4}\b"  # a telephone number
    r"|\b\d{3} ?\d{3} ?\d{3}(?: ?\d{5})?\b"  # SIREN or SIRET
)
_LINE = 6  # letters: a shorter line of an address may be anything


def particulars(townhall: TownHall, *, address: str) -> list[tuple[str, str]]:
    """(mark, value) of what a text may say of the town, the longest ones first. A value may be empty."""
    where = townhall.address.strip()
    lines = [line.strip() for line in where.splitlines()]
    return [
        ("[adresse de la mairie]", where),
        *((f"[adresse de la mairie, ligne {n}]", line) for n, line in enumerate(lines, 1)),
        ("[adresse du portail]", address),
        ("[site de la commune]", townhall.website),
        ("[adresse e-mail de la commune]", townhall.contact_email),
        ("[téléphone de la commune]", townhall.phone),
        ("[nom de la commune]", townhall.name),
    ]


def veiled(text: str, townhall: TownHall, *, address: str) -> str:
    """`text`, with a mark in place of each of the town's particulars."""
    for mark, value in particulars(townhall, address=address):
        if len(value) >= (_LINE if "ligne" in mark else 3):
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", mark, text)
    return text


def unveiled(text: str, townhall: TownHall, *, address: str) -> str:
    """`text`, with the particulars of this town in place of the marks; a mark that it has nothing for stays."""
    for mark, value in particulars(townhall, address=address):
        text = text.replace(mark, value or mark)
    return text


def foreign(text: str, *, known: str) -> list[str]:
    """What in `text` looks like another town's, or waits to be written; each once. What `known` has too is ours."""
    return list(dict.fromkeys(sign for sign in _signs(text) if sign not in known))


def _signs(text: str) -> Iterator[str]:
    yield from re.findall(r"\[(?:adresse|site|téléphone|nom) [^\]\n]{2,40}\]", text)
    yield from (" ".join(match[0].split()) for match in _SIGNS.finditer(text))
