"""`manage.py draw_states [--check | --sql]`: write or check the diagram of `docs/`, or print the trigger's SQL."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from tenant_apps.payments.control import drawing


class Command(BaseCommand):
    """It needs no database."""

    help = "Draw the states of an attempt into docs/payment-states.md."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail when the drawing is out of date")
        parser.add_argument("--sql", action="store_true", help="print the trigger's function for a migration")

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.ROOT / drawing.PICTURE
        if options["sql"]:
            self.stdout.write(drawing.guard())
        elif options["check"]:
            if not path.is_file() or path.read_text() != drawing.page():
                raise CommandError(f"{drawing.PICTURE} is out of date: run manage.py draw_states")
        else:
            path.write_text(drawing.page())
