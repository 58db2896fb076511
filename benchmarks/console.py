"""The operator's pages with five thousand towns, beside the same with a hundred: as many as a page shows."""

import statistics
from collections.abc import Callable
from decimal import Decimal
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.test import Client
from django.utils import timezone

from benchmarks.lines import line, timed
from shared_apps.accounts.models import Account, Role, SecondFactor
from shared_apps.accounts.services import create_account
from shared_apps.console.models import TownFigures
from tenants import current
from tenants.models import Domain, Town
from tenants.schema.migrating import migrate_towns
from tenants.schema.versions import wanted
from tenants.states import TownState

FEW, MANY = 100, 5000
PAGES = {"list": "/tenants/town/", "search": "/tenants/town/?q=commune+0004", "home": "/"}


def console_pages() -> str:
    """The slowest of the list, a search and the first page. Only rows of the registry, taken back afterwards."""
    migrate_towns()
    current.leave()
    with transaction.atomic():
        browser = _operator()
        _add(0, FEW)
        few = {name: _seconds(browser, path) for name, path in PAGES.items()}
        _add(FEW, MANY)
        many = {name: _seconds(browser, path) for name, path in PAGES.items()}
        transaction.set_rollback(True)
    worst = max(PAGES, key=lambda name: many[name] / few[name])
    what = f"the same page ({worst}, the worst of {', '.join(PAGES)}) with {FEW} towns; ours with {MANY}"
    return line("console_pages", many[worst] * 1000, few[worst] * 1000, ">=0.5", what, unit="ms")


def _operator() -> Client:
    account: Account = create_account(
        actor="system", email=f"{uuid4().hex}@example.org", role=Role.OPERATOR, password="x" * 12
    )
    factor = SecondFactor.objects.create(account=account, secret="-", confirmed_at=timezone.now())
    browser = Client(headers={"host": f"admin.{settings.BASE_DOMAIN}"})
    browser.force_login(account)
    session = browser.session
    session["second_factor"] = str(factor.uuid)
    session.save()
    return browser


def _add(start: int, end: int) -> None:
    mark = uuid4().hex[:8]
    towns = Town.objects.bulk_create(
        Town(
            slug=f"{mark}-{n}",
            schema_name=f"t_{mark}_{n}",
            name=f"Commune {n:05}",
            state=TownState.OPEN,
            schema_version=wanted().version,
        )
        for n in range(start, end)
    )
    Domain.objects.bulk_create(
        Domain(tenant=town, domain=f"{town.slug}.{settings.BASE_DOMAIN}", is_primary=True) for town in towns
    )
    now = timezone.now()
    TownFigures.objects.bulk_create(
        TownFigures(
            town=town,
            computed_at=now,
            published_invoices=n,
            unpaid=Decimal(n),
            failed_mails=n % 97 == 0,
            waiting_since=now if n % 89 == 0 else None,
        )
        for n, town in enumerate(towns, start)
    )


def _seconds(browser: Client, path: str) -> float:
    assert browser.get(path).status_code == 200, path
    return statistics.median(timed(lambda: browser.get(path)) for _ in range(7))


FIGURES: dict[str, Callable[[], str]] = {"console_pages": console_pages}
