"""`manage.py list_notices`: print docs/notices.md from the declarations of the rooms."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import translation

from shared_apps.mail import notices
from shared_apps.mail.notices import Notice

HEAD = """# Kinds of messages

What the portal writes to people. Made by `make lists` from the `mails` of each room; a test compares. To add one: a
file in the `mails` package of the room that knows of it (see `shared_apps/mail/notices.py` and decision 56).

| kind | title | who is told | when | never twice with | may be refused | setting of the town | secret for |
|---|---|---|---|---|---|---|---|
"""


class Command(BaseCommand):
    """Print the page."""

    help = "The kinds of messages, as a page of the documentation."

    def handle(self, *args: Any, **options: Any) -> None:
        """One row per kind."""
        with translation.override("en"):
            self.stdout.write(HEAD + "\n".join(_row(notice) for notice in notices.every()))


def _row(notice: Notice[Any]) -> str:
    cells = [
        f"`{notice.kind}`",
        str(notice.title),
        notice.audience.value,
        notice.when,
        f"`{notice.key}`" if notice.key else "",
        ", ".join(f"`{choice.name}`" for choice in notice.choices)
        + (", by a link" if notice.unsubscribe else ""),
        ", ".join(f"`{setting.field}`" for setting in notice.settings),
        _age(notice.secret) if notice.secret else "",
    ]
    return "| " + " | ".join(cells) + " |"


def _age(life: timedelta) -> str:
    minutes = int(life.total_seconds() // 60)
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
