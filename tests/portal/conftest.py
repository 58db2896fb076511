"""A resident of the Mairie de Démonstration, for the pages of the portal."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest

from shared_apps.accounts.models import Account


@pytest.fixture
def alice(town: Any, make_account: Callable[..., Account]) -> Account:
    return make_account("alice@example.net")


def text(answer: Any) -> str:
    """The page as it reads: no tags, single plain spaces."""
    page = re.sub(r"<(svg|script)\b.*?</\1>", "", answer.content.decode(), flags=re.S)
    page = html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))
    return page.replace("\xa0", " ").replace("\u202f", " ")
