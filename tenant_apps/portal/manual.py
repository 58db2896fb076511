"""The resident's manual as a page. It is written for the demonstration town; each town shows it with its own names."""

import re
from functools import cache
from html import escape
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.templatetags.static import static
from django.utils.safestring import SafeString
from PIL import Image

from tenant_apps.townhall.models import TownHall
from toolkit import prose
from toolkit.words import current_language

FILES = {"fr": "manuel-usager.md", "en": "resident-manual.md"}  # in docs/
PICTURES = Path(settings.ROOT) / "docs" / "images" / "aide"
# Words of the manual about the demonstration town, and what replaces them.
NAME, ADDRESS, CONTACT = "Mairie de Démonstration", "https://mairie.mes-factures.net", "regie@example.net"


class Manual(NamedTuple):
    body: SafeString
    titles: list[tuple[str, str]]


def manual(*, townhall: TownHall, address: str) -> Manual:
    """The manual with the name, address and mailbox of this town."""
    text = _source(current_language())
    for ours, theirs in ((ADDRESS, address), (NAME, townhall.name), (CONTACT, townhall.contact_email)):
        text = text.replace(ours, theirs)
    return Manual(prose.html(text, picture=_picture), prose.titles(text))


@cache
def _source(language: str) -> str:
    """The manual's text without its first title, which the page template writes."""
    file = Path(settings.ROOT) / "docs" / FILES[language]
    return re.sub(r"\A# .*\n", "", file.read_text("utf-8"))


@cache
def _size(name: str) -> tuple[int, int]:
    with Image.open(PICTURES / name) as picture:
        return picture.size


def _picture(file: str, seen: str) -> str:
    """The folder of the pictures: each language has its own."""
    name = file.removeprefix("images/aide/")
    if not (PICTURES / name).is_file():
        return ""
    width, height = _size(name)
    return (
        f'<p class="shot"><img src="{escape(static("aide/" + name))}" alt="{escape(seen)}" width="{width}" '
        f'height="{height}" loading="lazy"></p>'
    )
