"""`manage.py allow_staff_passwords SLUG --reason WORDS`: the identity provider of a town's staff is gone, and they may
sign in with a password again. Kept in the trail."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_tenants.utils import tenant_context

from shared_apps.audit.services import SYSTEM
from tenant_apps.townhall.identity_provider import allow_staff_passwords
from tenants.errors import TownError
from tenants.life.services import town_named


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("town", metavar="SLUG")
        parser.add_argument("--reason", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            town = town_named(options["town"])
        except TownError as error:
            raise CommandError(str(error)) from None
        with tenant_context(town):
            changed = allow_staff_passwords(actor=SYSTEM, reason=options["reason"])
        self.stdout.write(
            "Les agents peuvent de nouveau se connecter avec leur mot de passe."
            if changed
            else "Les agents se connectaient déjà avec leur mot de passe."
        )
