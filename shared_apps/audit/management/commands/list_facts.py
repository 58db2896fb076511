"""`manage.py list_facts`: print docs/facts.md from the declarations of the rooms."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import translation

from shared_apps.audit import verbs
from shared_apps.audit.verbs import Fact, Key

HEAD = """# Facts

What the trail may hold. Made by `make lists` from the `facts` module of each room; a test compares.

`before` and `after` are the keys of an entry's `old` and `new`. A key in brackets is kept for programs and not read
out; « … » stands for names that are not listed: fields of settings, or counts of each kind.

| verb | in French | in English | before | after | declared in |
|---|---|---|---|---|---|
"""


class Command(BaseCommand):
    """Print the page."""

    help = "The verbs of the trail, as a page of the documentation."

    def handle(self, *args: Any, **options: Any) -> None:
        """One row per verb."""
        self.stdout.write(HEAD + "\n".join(_row(fact) for fact in verbs.every()))


def _row(fact: Fact) -> str:
    titles = []
    for language in ("fr", "en"):
        with translation.override(language):
            titles.append(str(fact.title))
    more = fact.more is not None
    sides = [_keys(fact.before, more), _keys(fact.after, more)]
    return "| " + " | ".join([f"`{fact.verb}`", *titles, *sides, f"`{fact.room}`"]) + " |"


def _keys(keys: tuple[Key, ...], more: bool) -> str:
    names = [f"`{key.name}`" if key.label else f"(`{key.name}`)" for key in keys]
    return ", ".join([*names, *(["…"] if more else [])])
