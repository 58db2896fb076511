"""`manage.py reset_second_factor ADDRESS --reason WORDS [--town SLUG]`: a telephone was lost. The person sets up
another one at the next sign-in; the sessions that the old one opened end. Kept in the trail."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account
from shared_apps.accounts.signing_in.second_factor import reset
from shared_apps.audit.services import SYSTEM
from tenants.current import registry
from tenants.errors import TownError
from tenants.life.services import town_named


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="ADDRESS")
        parser.add_argument("--reason", required=True)
        parser.add_argument("--town", default="", help="of a member of staff; without it, an operator")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            place = tenant_context(town_named(options["town"])) if options["town"] else registry()
        except TownError as error:
            raise CommandError(str(error)) from None
        with place:
            account = Account.objects.filter(email=options["email"]).first()
            if account is None:
                raise CommandError(f"Personne ne se connecte ici avec « {options['email']} ».")
            found = reset(actor=SYSTEM, account=account, reason=options["reason"])
        self.stdout.write(
            f"Le second facteur de {account.email} est oublié."
            if found
            else f"{account.email} n'avait pas de second facteur."
        )
