"""`python -m benchmarks.reference.prepare HOST`: its database, a town at HOST, a signed-in person with twenty bills.

Prints the value of that person's session cookie.
"""

import os
import sys
from datetime import date, timedelta
from decimal import Decimal

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.reference.settings"


def main() -> None:
    django.setup()
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django_tenants.utils import tenant_context

    from benchmarks.reference.bills.models import Bill
    from benchmarks.reference.towns.models import Domain, Town

    target = settings.DATABASES["default"]["NAME"]
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{target}"')
    call_command("migrate_schemas", shared=True, verbosity=0)
    public = Town.objects.create(schema_name="public", name="public")
    Domain.objects.create(domain="localhost", tenant=public, is_primary=True)
    town = Town(schema_name="mairie", name="Mairie de Démonstration")
    town.save(verbosity=0)
    Domain.objects.create(domain=sys.argv[1], tenant=town, is_primary=True)
    with tenant_context(town):
        user = get_user_model().objects.create_user("alice", password="facture")
        issued = date(2026, 10, 1)
        Bill.objects.bulk_create(
            Bill(
                owner=user,
                number=f"2026-001-{n:06}",
                subject="Cantine scolaire",
                issued_on=issued - timedelta(days=n),
                due_on=issued + timedelta(days=60 - n),
                amount=Decimal(1000 + n) / 100,
                paid=n % 3 == 0,
            )
            for n in range(20)
        )
        browser = Client(headers={"host": sys.argv[1]})
        browser.force_login(user)
    sys.stdout.write(browser.cookies["sessionid"].value)


if __name__ == "__main__":
    main()
