"""Towns, people and invoices: Alice owes, Bob shares, Charlie must see nothing, Diane lives elsewhere."""

import math
import uuid
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import count
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.cache import cache as redis_cache
from django.db import connection
from django.test import Client
from django.utils import translation
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account, Role, SecondFactor
from shared_apps.accounts.services import create_account
from shared_apps.audit import verbs
from shared_apps.audit.verbs import Fact
from shared_apps.console import platform
from shared_apps.console.models import Platform
from shared_apps.mail.models import OutgoingMail
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.products.models import Mode
from tenant_apps.products.queries import default_product
from tenant_apps.products.services import set_up_product
from tenant_apps.residents.models import Access, Payer, PayerEmail
from tenant_apps.residents.sources import default_source
from tenant_apps.townhall import queries as townhalls
from tenant_apps.townhall.services import set_up_townhall
from tenants.current import registry as registry_schema
from tenants.hosts import registry
from tenants.life.services import open_town
from tenants.models import AgendaItem, Town
from tests import browsers, lock_order
from tests.staff import open_session
from tests.tenants.databases import create, drop, drop_ready
from toolkit import clock
from toolkit.secrecy.sealing import seal

PASSWORD = "un mot de passe bien long"

verbs.be_strict()  # whatever is not declared raises
verbs.declare(
    Fact("test.happened", "Essai"),
    Fact("payment.received_for_the_test", "Règlement d'essai"),
    Fact("account.seen", "Compte regardé"),
    room="tests.conftest",
)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """One database a worker."""


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_blocker: pytest.FixtureRequest,
    django_db_modify_db_settings: None,
) -> Iterator[None]:
    """A fresh database with the template schema and two towns; dropped at the end."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        name = connection.settings_dict["NAME"]
        test_name = connection.creation._get_test_db_name()
        create(test_name)
        connection.close()
        connection.settings_dict["NAME"] = test_name
        _make_town("mairie", "Mairie de Démonstration", "001964")
        _make_town("pechabou", "Commune de Pechabou", "001965")
        AgendaItem.objects.all().delete()  # nobody counts their figures
    yield
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        connection.close()
        connection.settings_dict["NAME"] = name
        drop(test_name)
        drop_ready()


def _make_town(slug: str, name: str, numcli: str, *, shard: str = "default") -> Town:
    """Open a town with a PayFiP product."""
    town = open_town(slug=slug, name=name, shard=shard)
    with tenant_context(town):
        set_up_townhall(actor="system", name=name, contact_email=f"regie@{slug}.example.org")
        set_up_product(
            actor="system",
            code="REGIE",
            label="Régie cantine",
            numcli=numcli,
            protocol="payfip",
            mode=Mode.PRODUCTION,
            is_default=True,
            offers_declaration=True,
        )
    return town


def listen_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other processes change in the registry is heard at once, and nobody waits for them to hear."""
    monkeypatch.setattr(registry, "SECONDS", 0)
    registry._places._looked_at = -math.inf


lock_order.install()
browsers.install()


@pytest.fixture(autouse=True)
def _one_order_of_locks() -> Iterator[None]:
    """Whatever a test is about, nobody in it takes the locks of money in another order (payments.locking)."""
    lock_order.violations.clear()
    yield
    assert lock_order.violations == []


@pytest.fixture(autouse=True)
def _clean_slate(request: pytest.FixtureRequest) -> Iterator[None]:
    """No throttle, no cached town, and the public schema, whatever the test before left."""
    if "db" in request.fixturenames or "transactional_db" in request.fixturenames:
        redis_cache.clear()
    registry.forget()
    registry._places._looked_at = math.inf  # so that what a process asks once in a while is in nobody's count
    platform._kept[:] = [(float("inf"), Platform())]  # read already, as nobody has written it
    townhalls.forget()
    translation.activate(settings.LANGUAGE_CODE)  # a request leaves its own in the thread
    yield
    connection.set_schema_to_public()


def _town(slug: str) -> Town:
    return Town.objects.get(slug=slug)


@pytest.fixture
def town(db: None) -> Iterator[Town]:
    """The Mairie de Démonstration, current for the length of the test."""
    found = _town("mairie")
    with tenant_context(found):
        yield found


@pytest.fixture
def other_town(db: None) -> Town:
    """Pechabou, another town with other people; not current."""
    return _town("pechabou")


@cache
def hashed(password: str) -> str:
    """Argon2 is slow on purpose; once a password is enough for the tests."""
    return make_password(password)


@pytest.fixture
def make_account() -> Callable[..., Account]:
    """`make_account("alice@example.net", role=Role.RESIDENT, password=PASSWORD)`, in the current town."""

    def make(email: str, *, role: Role = Role.RESIDENT, password: str | None = PASSWORD) -> Account:
        account = create_account(actor="system", email=email, role=role)
        if password is not None:
            account.password = hashed(password)
            account.activated_at = clock.now()
            account.save()
        return account

    return make


@pytest.fixture
def make_payer() -> Callable[..., Payer]:
    """`make_payer(account, email=…)`: a payer of the current town, seen by the accounts given."""
    numbers = count(1)

    def make(*accounts: Account, email: str = "", **fields: Any) -> Payer:
        n = next(numbers)
        values = {"reference": f"P{n:05}", "last_name": "MARTIN", "first_name": f"Camille {n}", **fields}
        values.setdefault("source", default_source())
        payer = Payer.objects.create(**values)
        for account in accounts:
            Access.objects.create(account=account, payer=payer)
        if email:
            PayerEmail.objects.create(payer=payer, email=email)
        return payer

    return make


@pytest.fixture
def make_invoice() -> Callable[..., Invoice]:
    """`make_invoice(payer, amount="37.50")`: a published invoice of the current town."""
    numbers = count(1)

    def make(payer: Payer, *, amount: str = "37.50", **fields: Any) -> Invoice:
        n = next(numbers)
        values = {
            "product": default_product(),
            "number": f"2026-001-{n:06}",
            "fiscal_year": 2026,
            "reference": f"2026001{n:06}",
            "subject": "FACTURATION",
            "issued_on": date(2026, 10, 1),
            "due_on": date(2026, 12, 31),
            "state": InvoiceState.PUBLISHED,
            **fields,
        }
        return Invoice.objects.create(payer=payer, amount=Decimal(amount), **values)

    return make


@pytest.fixture
def client_for(town: Town) -> Callable[..., Client]:
    """`client_for(account)`: a browser at the town's host, signed in (or nobody, without an account).

    A manager is past both steps (tests.staff).
    """

    def make(account: Account | None = None, *, host: str = "mairie.localhost") -> Client:
        client = Client(headers={"host": host})
        if account is not None:
            open_session(client, account)
        return client

    return make


OPERATOR_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def operator(db: None, make_account: Callable[..., Account]) -> Account:
    """An operator whose second factor is set up (OPERATOR_SECRET)."""
    with registry_schema():
        account = make_account("operator@example.net", role=Role.OPERATOR)
        SecondFactor.objects.create(
            account=account, secret=seal(OPERATOR_SECRET), confirmed_at=clock.now(), recovery_hashes=[]
        )
    return account


@pytest.fixture
def console(operator: Account) -> Client:
    """The operator's browser on the console's host, past both steps."""
    client = Client(headers={"host": "admin.localhost"})
    with registry_schema():
        client.force_login(operator)
        session = client.session
        session["second_factor"] = str(SecondFactor.objects.get(account=operator).uuid)
        session.save()
    return client


@pytest.fixture
def mailbox(town: Town) -> Callable[[], list[OutgoingMail]]:
    """`mailbox()`: the outgoing messages of the current town, oldest first."""
    return lambda: list(OutgoingMail.objects.order_by("id"))


@pytest.fixture
def live_town(django_db_setup: None, django_db_blocker: Any) -> Iterator[Town]:
    """A town of its own whose rows are really committed, for tests with several connections; dropped afterwards."""
    with django_db_blocker.unblock():
        connection.set_schema_to_public()
        slug = f"live-{uuid.uuid4().hex[:12]}"
        _make_town(slug, "Commune d'essai", "001964")
        found = _town(slug)
        AgendaItem.objects.filter(town=found).delete()  # nobody counts its figures
        with tenant_context(found):
            yield found
        connection.set_schema_to_public()
        with connection.cursor() as cursor:
            cursor.execute(f'DROP SCHEMA "{found.schema_name}" CASCADE')
        found.delete()
        connection.close()


def pytest_make_parametrize_id(val: object) -> str | None:
    """Long or random bytes have no place in a test's name, which must be the same in every worker."""
    if isinstance(val, bytes) and len(val) > 20:
        return f"{len(val)}-bytes" if len(val) < 200 else "many-bytes"
    return None
