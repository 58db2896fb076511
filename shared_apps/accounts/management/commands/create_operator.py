"""`manage.py create_operator ADDRESS`: somebody who may sign in to the console; the second factor comes at the
first sign-in. The password is asked for twice, or read from the standard input with --password-stdin."""

import sys
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shared_apps.accounts.errors import AccountError
from shared_apps.accounts.models import Role
from shared_apps.accounts.passwords.rule import PasswordRule
from shared_apps.accounts.services import create_account
from shared_apps.audit.services import SYSTEM
from tenants.current import registry
from toolkit import emails


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="ADDRESS")
        parser.add_argument("--password-stdin", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            email = emails.normalise(options["email"])
            password = sys.stdin.readline().rstrip("\n") if options["password_stdin"] else _asked()
            PasswordRule().check(password, email=email)
            with registry():
                account = create_account(actor=SYSTEM, email=email, role=Role.OPERATOR, password=password)
        except (AccountError, emails.BadAddress) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{account.email} peut se connecter et mettra en place son second facteur.")


def _asked() -> str:
    password = getpass("Mot de passe : ")
    if getpass("Encore une fois : ") != password:
        raise CommandError("Les deux mots de passe ne sont pas les mêmes.")
    return password
