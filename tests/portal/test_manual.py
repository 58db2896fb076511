"""The resident's manual in each language: the same chapters, steps and pictures."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from tenant_apps.portal.manual import FILES, PICTURES, manual
from tenant_apps.townhall.models import TownHall
from tenant_apps.townhall.notices import NOTICES

DOCS = Path(settings.ROOT) / "docs"


def shape(text: str) -> list[str]:
    """The kind of each block, and its picture: what a translation keeps."""
    found = []
    for line in filter(None, text.splitlines()):
        picture = re.match(r"!\[.*\]\(images/aide/(?:\w+/)?([\w-]+\.png)\)", line)
        mark = re.match(r"#+ |- \*\*|- |\d+\. |\*\*", line)
        found.append(picture[1] if picture else mark[0] if mark else "text")
    return found


@pytest.mark.parametrize("language", list(FILES))
def test_it_says_as_much_as_the_french(language: str) -> None:
    other, french = ((DOCS / FILES[one]).read_text("utf-8") for one in (language, "fr"))
    assert shape(other) == shape(french), f"docs/{FILES[language]} has other chapters, steps or pictures"


@pytest.mark.parametrize("language", list(FILES))
def test_it_is_read_by_every_town_with_its_pictures(language: str) -> None:
    town = TownHall(name="Commune de Pechabou", contact_email="regie@pechabou.example.org")
    with translation.override(language):
        found = manual(townhall=town, address="https://pechabou.example.org")
    assert "https://pechabou.example.org" in found.body
    assert "Mairie de Démonstration" not in found.body
    folder = PICTURES if language == "fr" else PICTURES / language
    assert found.body.count('<p class="shot">') == len(list(folder.glob("*.png"))) > 5


@pytest.mark.parametrize("kind", list(NOTICES))
def test_every_legal_text_is_there_in_english(kind: str) -> None:
    folder = Path(settings.ROOT) / "tenant_apps/townhall/templates/townhall/notices"
    names = [
        re.findall(r"{{ ([\w.]+) }}", (folder / one / f"{kind}.txt").read_text("utf-8"))
        for one in ("fr", "en")
    ]
    assert sorted(names[0]) == sorted(names[1])
