"""The signed-in list of invoices, in turn with the page of a plain project: requests a second on one machine."""

import contextlib
import http.client
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.test import Client
from django_tenants.utils import tenant_context

from sandbox.home import free_base_port
from shared_apps.accounts.models import Role
from shared_apps.accounts.services import create_account
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.products.services import set_up_product
from tenant_apps.residents.models import Access, Payer
from tenant_apps.residents.sources import default_source
from tenant_apps.townhall.services import set_up_townhall
from tenants.life.services import open_town
from tenants.schema.migrating import migrate_towns

ROWS, WORKERS, THREADS, CLIENTS, SECONDS, ROUNDS = 20, 2, 4, 8, 4.0, 5  # as deploy/entrypoint.sh
_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Page:
    """Where it is served, and what a signed-in browser sends."""

    port: int
    host: str
    cookie: str
    patience: float = 30  # seconds

    def seen(self) -> "Page":
        """The same page for a browser that has been there: it sends the cookies it got."""
        connection = self._ask()
        headers = connection.getresponse().headers.get_all("Set-Cookie", [])
        connection.close()
        given = [header.partition(";")[0] for header in headers]
        return replace(self, cookie="; ".join([self.cookie, *given]))

    def get(self) -> bytes:
        """The page over a connection of its own. Raises AssertionError when it is not the list."""
        connection = self._ask()
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        assert answer.status == 200, answer.status
        return body

    def _ask(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.patience)
        connection.request("GET", "/factures/", headers={"Host": self.host, "Cookie": self.cookie})
        return connection

    def rate(self, seconds: float = SECONDS) -> float:
        """Pages a second to `CLIENTS` who ask again as soon as they are answered."""
        done, end = [0] * CLIENTS, time.perf_counter() + seconds

        def ask(n: int) -> None:
            while time.perf_counter() < end:
                self.get()
                done[n] += 1

        threads = [threading.Thread(target=ask, args=(n,)) for n in range(CLIENTS)]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(done) / (time.perf_counter() - start)


def list_page() -> str:
    """Ours in turn with the plain project's, the medians of `ROUNDS`."""
    with _ours() as first, _reference() as second:
        ours, beside = first.seen(), second.seen()
        for page in (ours, beside):
            assert page.get().count(b"2026-001-") >= ROWS
            page.rate(2)  # warm: imports, templates, connections
        pairs = [(ours.rate(), beside.rate()) for _ in range(ROUNDS)]
    mine, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(
        our / their for our, their in pairs
    )  # of neighbours: the machine may have others to serve
    return (
        f"list_page ours={mine:.0f} beside={theirs:.0f} unit=req/s ratio={ratio:.2f} goal=>=1.5 "
        f"(plain django-tenants + gunicorn, {ROWS} rows, {WORKERS} processes each)"
    )


@contextlib.contextmanager
def _ours() -> Iterator[Page]:
    host, cookie = our_town()
    with serving_ours(workers=WORKERS, threads=THREADS) as (port, _process):
        yield Page(port, host, cookie)


def our_town() -> tuple[str, str]:
    """A town whose Alice (`alice@example.net`, « facture ») has invoices: its host, and the cookie of her session."""
    migrate_towns()
    slug = f"l{uuid4().hex[:10]}"
    town = open_town(slug=slug, name="Mairie de Démonstration")
    host = f"{slug}.{settings.BASE_DOMAIN}"
    with tenant_context(town):
        set_up_townhall(actor="system", name=town.name, contact_email="x@example.org", phone="05 00 00 00 00")
        product = set_up_product(actor="system", code="REGIE", label="Régie", is_default=True)
        account = create_account(
            actor="system", email="alice@example.net", role=Role.RESIDENT, password="facture"
        )
        payer = Payer.objects.create(
            source=default_source(), reference="F001", last_name="MARTIN", first_name="Alice"
        )
        Access.objects.create(account=account, payer=payer)
        issued = date(2026, 10, 1)
        Invoice.objects.bulk_create(
            Invoice(
                product=product,
                payer=payer,
                number=f"2026-001-{n:06}",
                reference=f"2026001{n:06}",
                fiscal_year=2026,
                subject="Cantine scolaire",
                issued_on=issued - timedelta(days=n),
                due_on=issued + timedelta(days=60 - n),
                amount=Decimal(1000 + n) / 100,
                paid=Decimal(1000 + n) / 100 if n % 3 == 0 else Decimal(0),
                state=InvoiceState.PUBLISHED,
            )
            for n in range(ROWS)
        )
        browser = Client(headers={"host": host})
        browser.force_login(account)
    cookie = browser.cookies[settings.SESSION_COOKIE_NAME]
    return host, f"{settings.SESSION_COOKIE_NAME}={cookie.value}"


@contextlib.contextmanager
def serving_ours(
    *, workers: int, threads: int, environment: dict[str, str] | None = None
) -> Iterator[tuple[int, int]]:
    """The portal on a port of this machine, and the process of the server above its workers."""
    port = free_base_port()
    command = [
        *("granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", str(workers), "--blocking-threads", str(threads), "--no-ws", "--log-level", "error"),
        "config.wsgi:application",
    ]
    with _serving(command, port, environment) as process:
        yield port, process


@contextlib.contextmanager
def _reference() -> Iterator[Page]:
    host, port = "mairie.reference.localhost", free_base_port()
    environment = {"REFERENCE_DATABASE": f"reference_{uuid4().hex[:10]}"}
    session = subprocess.run(
        [sys.executable, "-m", "benchmarks.reference.prepare", host],
        env=os.environ | environment,
        cwd=_ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    command = ["gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", str(WORKERS), "--log-level", "error"]
    with _serving([*command, "benchmarks.reference.wsgi:application"], port, environment):
        yield Page(port, host, f"sessionid={session}")


@contextlib.contextmanager
def _serving(command: list[str], port: int, environment: dict[str, str] | None = None) -> Iterator[int]:
    """The server while the block runs, by its process id. Its module is run by this very Python."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        env=os.environ | (environment or {}),
        cwd=_ROOT,
        start_new_session=True,
    )
    try:
        _wait_for(port, process)
        yield process.pid
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its session is its own
        process.wait(30)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        with contextlib.suppress(OSError):
            connection.request("GET", "/healthz/live")
            connection.getresponse().read()
            return
        time.sleep(0.1)
    raise AssertionError("the server does not answer")


FIGURES: dict[str, Callable[[], str]] = {"list_page": list_page}
