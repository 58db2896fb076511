"""`manage.py erase_town SLUG --reason … [--yes]`: destroy a town for good; prints the certificate."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from tenants import facts
from tenants.archive import erasing
from tenants.archive.certificate import text_of
from tenants.errors import TownError
from tenants.management.operation_command import OperationCommand


class Command(OperationCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--reason", required=True, help="written on the certificate")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--certificate", type=Path, help="also write the certificate to this file")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["yes"]:
            self.ask(options["slug"])
        try:
            erasure = erasing.erase(
                slug=options["slug"], reason=options["reason"], actor=facts.SYSTEM, watch=self.watch
            )
        except TownError as error:
            raise CommandError(str(error)) from None
        text = text_of(erasure)
        if options["certificate"]:
            options["certificate"].write_text(text, encoding="utf-8")
        self.stdout.write(text)

    def ask(self, slug: str) -> None:
        """Ask for confirmation by typing the slug."""
        if not sys.stdin.isatty():
            raise CommandError("Rien ne peut être demandé ici : confirmez par --yes.")
        self.stdout.write(
            f"Tout ce que « {slug} » a sur la plateforme sera détruit, les archives d'export gardées en S3 aussi. "
            "Rien ne pourra être annulé."
        )
        if input(f"Pour confirmer, écrivez {slug} : ") != slug:
            raise CommandError("Rien n'a été effacé.")
