"""Every page of a town, read by people who chose English: none of our own French is left on it."""

import re
from functools import cache
from html import escape, unescape
from typing import Any

import polib
import pytest

from sandbox.messages import po_path
from shared_apps.accounts.models import Account
from tests.isolation.table import TOWN
from tests.isolation.test_routes import World, world

__all__ = ["world"]

# Of the software, of a column of the files of billing, of the source with which a town begins.
NAMES = {"Mes factures", "Code redevable", "facturation"}
WRITTEN = {"backoffice:mails"}  # subjects of messages that have left, in the language of who got them
LONG_ENOUGH = 10  # letters: shorter ones may be a name, or within an English word


@cache
def our_french() -> list[str]:
    """Every whole sentence of the catalogue that is said otherwise in English and holds no figure."""
    entries = polib.pofile(str(po_path("en")))
    said = {e.msgid for e in entries if e.msgid != e.msgstr and len(e.msgid) >= LONG_ENOUGH} - NAMES
    return sorted(one for one in said if not re.search(r"[%{<]", one))


def left_in(page: str) -> list[str]:
    """French of ours on `page`: what the town wrote is marked as French, and is not ours."""
    page = re.sub(r' (href|action)="[^"]*"', "", page)  # addresses are French for everybody
    words = unescape(re.sub(r'<(\w+)[^>]* lang="fr".*?</\1>', "", page, flags=re.DOTALL))
    maybe = [one for one in our_french() if one in words]
    return [one for one in maybe if re.search(rf"(?<!\w){re.escape(one)}(?!\w)", words)]


def test_what_is_left_is_seen() -> None:
    sentence = "Vous n'avez rien à régler."
    assert left_in(f"<p>{escape(sentence)}</p>") == [sentence]
    assert not left_in(f'<p lang="fr">{escape(sentence)}</p><p>You have nothing to pay.</p>')


@pytest.mark.parametrize("person", ["nobody", "alice", "manager"])
def test_every_page_is_in_english(world: World, person: str) -> None:
    Account.objects.update(language="en")
    client: Any = world.client(person)
    seen, left = 0, {}
    for route, expected in TOWN.items():
        if expected[person] not in (200, 410):
            continue
        answer = client.get(world.address(route), headers={"accept-language": "en"})
        if not answer.get("Content-Type", "").startswith("text/html"):
            continue
        page = answer.content.decode()
        assert '<html lang="en">' in page or "<html" not in page, route
        seen += 1
        if (found := left_in(page)) and route not in WRITTEN:
            left[route] = found
    assert not left
    assert seen >= 8
