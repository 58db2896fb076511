"""What thousands of towns cost. The towns are opened once and serve every figure of this page."""

import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django_tenants.utils import tenant_context

from benchmarks.lines import line, timed
from tenants import current
from tenants.hosts import registry
from tenants.life.services import open_town
from tenants.models import Town
from tenants.schema.migrating import migrate_towns
from tenants.schema.versions import wanted
from tests.tenants.later import later_migrations

MANY = int(os.environ.get("BENCH_TOWNS", "2000"))
PEERS = 50  # towns that the ordinary way migrates; it is too slow for more
VISITS = 600


def open_a_town() -> str:
    """A copy of the template beside django-tenants' own way: create the schema, run every migration."""
    migrate_towns()
    current.leave()

    def theirs() -> None:
        town = Town(slug=f"p{uuid4().hex[:10]}", name="x", schema_name=f"t_p{uuid4().hex[:10]}")
        town.save()
        town.create_schema(check_if_exists=True, verbosity=0)

    ours = statistics.median(
        timed(lambda: open_town(slug=f"o{uuid4().hex[:10]}", name="x")) for _ in range(9)
    )
    beside = statistics.median(timed(theirs) for _ in range(5))
    return line("open_town", ours, beside, ">=8", "django-tenants create_schema on the same apps")


def many_towns() -> list[Town]:
    """Towns with nothing in them, but for the rows of one resident with five invoices."""
    return _many()[0]


@cache
def _many() -> tuple[list[Town], str]:
    """They, and the session of that resident, which exists in each."""
    migrate_towns()
    first = open_town(slug="modele-0", name="x")
    session = _furnish(first)
    tables = ("accounts_account", "townhall_townhall", "products_product", "residents_payer")
    tables += ("residents_access", "invoices_invoice", "django_session")
    copies = "".join(f'INSERT INTO {{0}}.{t} SELECT * FROM "{first.schema_name}".{t};' for t in tables)
    towns = [first]
    for n in range(1, MANY):
        town = open_town(slug=f"modele-{n}", name="x")
        with connection.cursor() as cursor:
            cursor.cursor.execute(copies.format(f'"{town.schema_name}"'))
        towns.append(town)
        if n % 100 == 0:
            connection.close()  # a connection that opens towns grows with each
    return towns, session


def _furnish(town: Town) -> str:
    from datetime import date
    from decimal import Decimal

    from shared_apps.accounts.models import Role
    from shared_apps.accounts.services import create_account
    from tenant_apps.invoices.models import Invoice
    from tenant_apps.invoices.states import InvoiceState
    from tenant_apps.products.services import set_up_product
    from tenant_apps.residents.models import Access, Payer
    from tenant_apps.residents.sources import default_source
    from tenant_apps.townhall.services import set_up_townhall

    with tenant_context(town):
        set_up_townhall(actor="system", name="Commune", contact_email="x@example.org")
        product = set_up_product(actor="system", code="REGIE", label="Régie", is_default=True)
        account = create_account(actor="system", email="x@example.org", role=Role.RESIDENT, password="x" * 12)
        payer = Payer.objects.create(source=default_source(), reference="P1", last_name="MARTIN")
        Access.objects.create(account=account, payer=payer)
        for n in range(5):
            Invoice.objects.create(
                payer=payer,
                product=product,
                number=f"2026-{n}",
                fiscal_year=2026,
                reference=f"2026000{n}",
                subject="FACTURATION",
                issued_on=date(2026, 10, 1),
                due_on=date(2026, 12, 31),
                amount=Decimal("12.50"),
                state=InvoiceState.PUBLISHED,
            )
        client = Client(headers={"host": f"{town.slug}.{settings.BASE_DOMAIN}"})
        client.force_login(account)
        session = SessionStore(client.cookies[settings.SESSION_COOKIE_NAME].value)
        session.set_expiry(3600)
        session.save()
        return str(session.session_key)


def visit(client: Client, town: Town) -> None:
    """The signed-in list page."""
    answer = client.get("/factures/", headers={"host": f"{town.slug}.{settings.BASE_DOMAIN}"})
    assert answer.status_code == 200, answer.status_code


def browser() -> Client:
    """That resident's, in every town."""
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = _many()[1]
    return client


def visit_at_random() -> str:
    """A resident's page: towns drawn at random, on a connection that has visited all of them, beside one town."""
    limit, settings.TOWNS_PER_CONNECTION = settings.TOWNS_PER_CONNECTION, 10**9
    try:
        what = (
            f"the same page in one town; {len(many_towns())} towns, all seen by the connection, which is kept"
        )
        return line("random_towns", *_at_random_and_one(), ">=0.77", what)
    finally:
        settings.TOWNS_PER_CONNECTION = limit


def visit_at_random_recycled() -> str:
    """The same with connections as they are by default: closed after so many towns, so that many are seen anew."""
    what = f"the same page in one town; {len(many_towns())} towns, recycled after {settings.TOWNS_PER_CONNECTION}"
    return line("random_towns_recycled", *_at_random_and_one(), "-", what)


def _at_random_and_one() -> list[float]:
    towns, client, dice = many_towns(), browser(), random.Random(1)
    connection.close()
    for town in towns:
        visit(client, town)

    def at_random() -> float:
        return timed(lambda: visit(client, dice.choice(towns)))

    def one() -> float:
        return timed(lambda: visit(client, towns[7]))

    pairs = [(at_random(), one()) for _ in range(VISITS)]
    return [statistics.median(column) for column in zip(*pairs, strict=True)]


def connection_memory() -> str:
    """The most memory of the server's side of one connection while it visits every town, beside never recycling."""
    towns, client = many_towns(), browser()
    bounded = _peak(towns, client)
    limit, settings.TOWNS_PER_CONNECTION = settings.TOWNS_PER_CONNECTION, 10**9
    try:
        beside = _peak(towns, client)
    finally:
        settings.TOWNS_PER_CONNECTION = limit
    what = f"a connection never closed, after {len(towns)} towns; ours closes it after {limit}"
    return line("connection_memory", bounded, beside, ">=2", what, unit="MB")


def _peak(towns: list[Town], client: Client) -> float:
    connection.close()
    most = 0.0
    for n, town in enumerate(towns):
        visit(client, town)
        if n % 20 == 19:
            most = max(most, _private_megabytes())
    return most


def _private_megabytes() -> float:
    """What the backend has for itself (its shared buffers are everybody's): from the kernel's own account."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    kilobytes = [int(row.split()[1]) for row in rollup.splitlines() if row.startswith(("Private_", "Swap:"))]
    return sum(kilobytes) / 1024


def migrate_one_field() -> str:
    """One AddField over every town but fifty, beside `migrate_schemas`, which gets those fifty; seconds a town."""
    towns = many_towns()[: 1000 + PEERS]
    field = (
        'operations = [migrations.AddField("message", "topic", models.CharField(max_length=20, null=True))]'
    )
    with later_migrations("contact", {"0090_topic": f"    {field}\n"}):
        peers, others = towns[:PEERS], towns[PEERS:]
        beside = timed(lambda: _ordinarily(peers)) / len(peers)
        left = Town.objects.exclude(pk__in=[town.pk for town in others])
        left.update(schema_version=wanted().version)
        start = time.perf_counter()
        outcome = migrate_towns()
        ours = (time.perf_counter() - start) / len(others)
        assert len(outcome.migrated) == len(others), (len(outcome.migrated), len(others), outcome.failed)
    _take_back([*towns])
    what = (
        f"migrate_schemas, measured on {len(peers)} towns; ours on {len(others)}, the template's run included"
    )
    return line("migrate_towns", ours * 1000, beside * 1000, ">=100", what, unit="ms/town")


def _ordinarily(towns: list[Town]) -> None:
    for town in towns:
        call_command("migrate_schemas", schema_name=town.schema_name, interactive=False, verbosity=0)


def _take_back(towns: list[Town]) -> None:
    """The column goes again, so that the other figures find the towns as the code wants them."""
    undo = "".join(
        f'ALTER TABLE "{t.schema_name}".contact_message DROP COLUMN topic;'
        f"DELETE FROM \"{t.schema_name}\".django_migrations WHERE name = '0090_topic';"
        for t in towns
    )
    with transaction.atomic(), connection.cursor() as cursor:
        for start in range(0, len(undo), 100_000_000):
            cursor.cursor.execute(undo[start : start + 100_000_000])
        cursor.execute("ALTER TABLE zz_town_template_zz.contact_message DROP COLUMN topic")
        cursor.execute("DELETE FROM zz_town_template_zz.django_migrations WHERE name = '0090_topic'")
        cursor.execute("DELETE FROM public.tenants_schemastep WHERE name = 'contact.0090_topic'")
        cursor.execute("DELETE FROM public.django_migrations WHERE name = '0090_topic'")
    Town.objects.update(schema_version=wanted().version)
    registry.forget()


def nothing_to_migrate() -> str:
    """`manage.py migrate_towns` as a whole process when every town is up to date, beside the limit of two seconds."""
    towns = many_towns()
    current.leave()
    command = [sys.executable, "manage.py", "migrate_towns"]

    def once() -> float:
        return timed(lambda: subprocess.run(command, check=True, capture_output=True))

    once()
    ours = statistics.median(once() for _ in range(3))
    return line("nothing_to_migrate", ours, 2.0, ">=1", f"the limit; {len(towns)} towns, the whole process")


FIGURES: dict[str, Callable[[], str]] = {
    "open_town": open_a_town,
    "migrate_towns": migrate_one_field,
    "nothing_to_migrate": nothing_to_migrate,
    "random_towns": visit_at_random,
    "random_towns_recycled": visit_at_random_recycled,
    "connection_memory": connection_memory,
}
