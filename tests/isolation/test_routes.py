"""The isolation table, walked: what each person gets from each route of a town."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django_tenants.utils import schema_context, tenant_context

from shared_apps.accounts.models import Account, Passkey, Role
from shared_apps.mail.models import OutgoingMail
from tenant_apps.contact.files.attachments import Attachment
from tenant_apps.contact.services import send_message
from tenant_apps.invoices.models import Amendment, Batch, Document, Invoice, PayerUpdate
from tenant_apps.payments.counter.booking import book_counter_payment
from tenant_apps.payments.counter.deposits import close_deposit
from tenant_apps.payments.models import Allocation, Attempt, Declaration, Finding, Means, Payment
from tenant_apps.reconciliation.models import Statement, StatementRow
from tenant_apps.residents.erasure.services import request_erasure
from tenant_apps.residents.models import Access, AccessRequest, Payer
from tenant_apps.residents.sources import default_source, source_named
from tenants.models import Town
from tests.isolation.table import OF_A_ROLE, OUT, PEOPLE, POSTS, REFUSED, STAFF, TOWN
from tests.staff import open_session
from tests.tenants.schemas import description
from toolkit import clock

ALICE_PAGES = (
    "portal:invoice",
    "portal:invoice-pdf",
    "portal:pay",
    "portal:payment-return",
    "portal:payment-state",
)


def names(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    """Every named route of a URL configuration."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from names(entry, f"{prefix}{entry.namespace}:" if entry.namespace else prefix)
        elif isinstance(entry, URLPattern):
            yield f"{prefix}{entry.name}"


def test_every_route_has_a_row() -> None:
    routes = set(names(get_resolver("config.urls.town")))
    missing = routes - set(TOWN)
    assert not missing, f"add a row for {sorted(missing)} to tests/isolation/table.py"
    assert not set(TOWN) - routes, "a row of tests/isolation/table.py names no route any more"


class World:
    """Two towns with their people, and one invoice of Alice's with its PDF."""

    def __init__(
        self, town: Town, other: Town, account: Callable[..., Account], payer: Any, invoice: Any
    ) -> None:
        self.town, self.other = town, other
        roles = {name: Role(name) for name in STAFF}
        self.people = {
            name: account(f"{name}@example.net", role=roles.get(name, Role.RESIDENT))
            for name in ("alice", "bob", "charlie", *roles)
        }
        household: Payer = payer(self.people["alice"], self.people["bob"])
        Access.objects.filter(account=self.people["bob"]).update(granted_by=self.people["alice"].uuid)
        payer(self.people["charlie"])
        document = Document.objects.create(key="of-alice.pdf", sha256="0" * 64, size=1, pages=1)
        self.invoice: Invoice = invoice(household, document=document)
        alice = self.people["alice"]
        attempt = Attempt.objects.create(
            invoice=self.invoice,
            account=alice,
            product=self.invoice.product,
            provider="payfip",
            merchant="001964",
            fiscal_year="2026",
            reference=self.invoice.reference,
            label="Facture",
            amount=self.invoice.amount,
            email=alice.email,
            mode="W",
            state="abandoned",
            free_at=self.invoice.due_on.isoformat() + "T00:00Z",
        )
        batch = Batch.objects.create(
            source=default_source(), created_by="system", rows_name="f.csv", rows_key="f", state="published"
        )
        asked = PayerUpdate.objects.create(
            batch=batch, payer=household, line=2, asks="person", applied_at=clock.now()
        )
        self.asked = {"public_id": batch.uuid, "pk": asked.pk}
        amended = Amendment.objects.create(batch=batch, invoice=self.invoice, line=2, applied_at=clock.now())
        self.amended = {"public_id": batch.uuid, "pk": amended.pk}
        message = send_message(
            actor=alice,
            email=alice.email,
            subject="Bonjour",
            body="Merci",
            attachments=[Attachment("mot.pdf", "pdf", b"%PDF-")],
        )
        self.file = message.attached[0].id
        payment = Payment.objects.create(
            product=self.invoice.product,
            provider="counter",
            provider_reference="1",
            means="cash",
            amount="1",
            paid_on=self.invoice.due_on,
        )
        Allocation.objects.create(payment=payment, invoice=self.invoice, amount="1")
        finding = Finding.objects.create(
            kind="claim", key="claim:x", attempt=attempt, invoice=self.invoice, last_at=attempt.created_at
        )
        key = Passkey.objects.create(account=alice, rp_id="x", credential_id=b"1", public_key=b"1", name="x")
        clerks_key = Passkey.objects.create(
            account=self.people["clerk"], rp_id="x", credential_id=b"2", public_key=b"1", name="x"
        )
        # Of its own: the first source of every town is a copy of the template's.
        other_source = source_named(actor="system", name="Eau")
        self.ids = {
            "member-limits": self.people["clerk"].uuid,
            "portal:key": key.uuid,
            "portal:remove-key": key.uuid,
            "account-key": clerks_key.uuid,
            "finding": finding.uuid,
            "receipt": payment.uuid,
            "batch": batch.uuid,
            "source-inbox": other_source.uuid,
            "backoffice:source": other_source.uuid,
            "attempt": attempt.uuid,
            "payer": household.uuid,
            "message": message.uuid,
            "mail": OutgoingMail.objects.get(kind="contact").uuid,
            "erasure": self.someone_to_erase(account),
            "member": account("colleague@example.net", role=Role.CLERK).uuid,
            "claim": AccessRequest.objects.create(
                state="withdrawn",
                account=self.people["charlie"],
                payer=household,
                email="charlie@example.net",
                invoice=self.invoice.uuid,
                number=self.invoice.number,
            ).uuid,
            **self.of_the_counter(),
        }
        with tenant_context(other):
            self.people["diane"] = account("diane@example.org")
        with schema_context("public"):
            self.people["operator"] = account("operator@example.net", role=Role.OPERATOR)

    def someone_to_erase(self, account: Callable[..., Account]) -> UUID:
        """A resident who waits for an answer."""
        leaving = account("leaving@example.net")
        request_erasure(actor=leaving)
        return leaving.uuid

    def of_the_counter(self) -> dict[str, UUID]:
        """A cheque for a second invoice of Alice's household, its docket, and her « J'ai réglé »."""
        second = Invoice.objects.create(
            payer=self.invoice.payer,
            product=self.invoice.product,
            number="2",
            fiscal_year=2026,
            reference="SECOND2",
            subject="CANTINE",
            issued_on=self.invoice.issued_on,
            due_on=self.invoice.due_on,
            amount=Decimal("5"),
            state="published",
        )
        day, five = self.invoice.issued_on, Decimal("5")
        cheque = book_counter_payment(
            actor="system", invoice=second, means=Means.CHEQUE, amount=five, paid_on=day
        )
        docket = close_deposit(actor="system", means=Means.CHEQUE, payments=[cheque.uuid], deposited_on=day)
        said = Declaration.objects.create(invoice=second)
        statement = Statement.objects.create(
            kind="journal",
            name="j.csv",
            state="done",
            key="j",
            sha256="0" * 64,
            created_by="system",
            imported_at=clock.now(),
        )
        row = StatementRow.objects.create(statement=statement, kind="journal", number=2, checksum="1" * 64)
        return {
            "deposit": docket.uuid,
            "backoffice:payment": cheque.uuid,
            "-payment": cheque.uuid,
            "declaration": said.uuid,
            "statement": statement.uuid,
            "line": row.uuid,
        }

    def client(self, person: str) -> Client:
        """That person's browser, with the cookies of where they signed in, at the town's host."""
        client = Client(headers={"host": "mairie.localhost"})
        if person == "nobody":
            return client
        if person == "diane":
            with tenant_context(self.other):
                client.force_login(self.people[person])
        elif person == "operator":
            with schema_context("public"):
                client.force_login(self.people[person])
        else:
            with tenant_context(self.town):
                self.people[person].refresh_from_db()  # the table may have signed them out everywhere
                open_session(client, self.people[person])
        return client

    def address(self, route: str) -> str:
        """The path of a route, with the ids of Alice's things."""
        others = ("receipt", "claim", "message", "portal:payer", "portal:key", "portal:remove-key")
        of_alice = route.startswith("portal:") and not any(word in route for word in others)
        ids = {} if of_alice else self.ids
        public_id = next((uuid for word, uuid in ids.items() if word in route), self.invoice.uuid)
        year = {"year": self.invoice.issued_on.year}
        chosen = f"?facture={self.invoice.uuid}" if route == "portal:pay-several" else ""
        file = {"public_id": public_id, "file_id": self.file}
        if route == "backoffice:answer-payer":
            return reverse(route, urlconf="config.urls.town", kwargs=self.asked)
        if route == "backoffice:agree-batch-change":
            return reverse(route, urlconf="config.urls.town", kwargs=self.amended)
        last = (
            file,
            {"name": "csv"},
            {"pk": self.invoice.product_id},
            {"ticket": "X0:0"},
            {"mark": "x"},
            year,
            {**year, "part": 1},
        )
        for kwargs in ({}, {"public_id": public_id}, *last):
            try:
                return reverse(route, urlconf="config.urls.town", kwargs=kwargs) + chosen
            except Exception:  # the next set of ids
                continue
        raise AssertionError(f"how is {route} addressed?")


@pytest.fixture
def world(town: Town, other_town: Town, make_account: Any, make_payer: Any, make_invoice: Any) -> World:
    return World(town, other_town, make_account, make_payer, make_invoice)


@pytest.mark.parametrize("person", PEOPLE)
def test_the_table(world: World, person: str) -> None:
    got = {route: world.client(person).get(world.address(route)).status_code for route in TOWN}
    assert got == {route: expected[person] for route, expected in TOWN.items()}


@pytest.mark.parametrize("person", PEOPLE)
def test_the_posts(world: World, person: str) -> None:
    for route, allowed in POSTS.items():
        answer = world.client(person).post(world.address(route))
        if person in allowed:
            assert answer.status_code not in (403, 404), route
        elif person in ("nobody", "diane", "operator"):
            assert answer.status_code == 302, route
            assert answer["Location"].startswith("/?suite="), route
        else:
            wanted = REFUSED if person in STAFF and allowed in OF_A_ROLE else OUT
            assert answer.status_code == wanted, route


def test_every_writing_route_is_tried() -> None:
    """A route whose GET is refused for all writes by POST: it must be in POSTS.

    Signing out concerns oneself, and whoever asks to sign in is nobody yet.
    """
    writing = {route for route, expected in TOWN.items() if set(expected.values()) == {405}}
    signing_in = {"portal:ask-to-sign-in", "portal:second-step-key", "portal:ask-second-step"}
    assert writing - {"portal:sign-out", "portal:leave-second-step"} - signing_in <= set(POSTS)


def test_another_town_s_invoice_is_absent(world: World, make_payer: Any, make_invoice: Any) -> None:
    with tenant_context(world.other):
        theirs = make_invoice(make_payer(world.people["diane"]))
    for person in ("alice", "reader", "manager", "nobody"):
        for route in ALICE_PAGES:
            path = reverse(route, urlconf="config.urls.town", kwargs={"public_id": theirs.uuid})
            assert world.client(person).get(path).status_code in (404, 302)
    page = world.client("alice").get(f"/factures/{theirs.uuid}/")
    absent = world.client("alice").get(f"/factures/{UUID(int=1)}/")
    assert page.status_code == absent.status_code == 404
    assert _without_csrf(page.content) == _without_csrf(absent.content)  # forbidden reads exactly like absent


def _without_csrf(page: bytes) -> bytes:
    return re.sub(rb'name="csrfmiddlewaretoken" value="[^"]+"', b"", page)


def test_a_session_of_one_town_is_nobody_in_the_other(world: World) -> None:
    client = world.client("alice")
    assert client.get("/factures/").status_code == 200
    assert client.get("/factures/", headers={"host": "pechabou.localhost"}).status_code == 302


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("MAIRIE.localhost", 200),
        ("mairie.localhost.", 200),
        ("mairie.localhost:8000", 200),
        ("mairie.localhost.evil.com", 404),
        ("evil.mairie.localhost", 404),
        ("inconnue.localhost", 404),
        ("", 404),
        ("mairie.localhost@evil.com", 404),
        ("mairie.localhost\x00", 404),
    ],
)
def test_hosts(world: World, host: str, status: int) -> None:
    assert Client().get("/", headers={"host": host}).status_code == status


@pytest.mark.parametrize("path", ["/payfip/notification/", "/tipi/X00000000000000000000000000000000/"])
def test_the_callback_paths_exist_on_the_callback_host_only(world: World, path: str) -> None:
    assert Client().get(path, headers={"host": "paiement.localhost"}).status_code == 200
    for host in ("mairie.localhost", "admin.localhost", "localhost"):
        assert Client().get(path, headers={"host": host}).status_code == 404


def test_every_town_has_every_table_of_its_own(town: Town, other_town: Town) -> None:
    """django-tenants leaves public in the search path: a missing table would read another one in silence."""
    from django.apps import apps
    from django.conf import settings
    from django.db import connection

    wanted = {
        model._meta.db_table
        for config in apps.get_app_configs()
        if config.name in settings.TENANT_APPS
        for model in config.get_models(include_auto_created=True)
    }
    with connection.cursor() as cursor:
        for found in (town, other_town):
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [found.schema_name])
            tables = {name for (name,) in cursor.fetchall()}
            assert wanted <= tables
            assert len(tables) <= 44  # every one more is paid for by thousands of towns
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        public = {name for (name,) in cursor.fetchall()}
    assert not {
        t for t in wanted & public if not t.startswith(("accounts_", "audit_", "mail_", "django_session"))
    }


def test_the_copied_schema_is_the_migrated_one(town: Town) -> None:
    """Same columns, constraints, indexes and triggers as the template that migrations made."""
    from tenants.schema.provisioning import TEMPLATE

    copied, migrated = description(town.schema_name), description(TEMPLATE)
    assert copied == migrated
    assert all(migrated.values())
