"""« Journal »: managers read who did what, to what, old → new; nobody else does."""

import csv
import io
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from shared_apps.accounts.models import Account, Role
from shared_apps.accounts.sessions import impersonation
from shared_apps.accounts.team import services as team
from shared_apps.accounts.team.names import authors_of
from shared_apps.audit import services as audit
from shared_apps.audit import verbs
from shared_apps.audit.models import AuditEntry
from shared_apps.audit.verbs import UnknownFact
from tenant_apps.backoffice.journal.finding import FINDERS
from tenant_apps.backoffice.journal.lines import PLATFORMS as PLATFORMS_VERBS
from tenant_apps.backoffice.journal.lines import SUBJECTS
from tenant_apps.backoffice.journal.things import OF_TOWNS, PLATFORMS, things_of
from tenant_apps.invoices.models import Batch, Invoice
from tenant_apps.invoices.services import discard_batch, set_online_hold
from tenant_apps.payments.corrections.payments import cancel_payment
from tenant_apps.payments.counter.booking import book_counter_payment
from tenant_apps.payments.models import Means
from tenant_apps.products.queries import default_product
from tenant_apps.products.services import change_product
from tenant_apps.residents.emails import billing
from tenant_apps.residents.erasure.services import accept_erasure, request_erasure
from tests.backoffice.conftest import text
from toolkit import clock

PAGE, FILE = "/gestion/reglages/journal/", "/gestion/reglages/journal.csv"


@pytest.fixture
def named(people: SimpleNamespace) -> SimpleNamespace:
    """The staff have names."""
    for role, name in (("manager", "Jeanne Martin"), ("clerk", "Camille Roux"), ("cashier", "Ali Benali")):
        member = getattr(people, role)
        member.name = name
        member.save(update_fields=["name"])
    AuditEntry.objects.all().delete()
    return people


@pytest.fixture
def invoice(make_payer: Any, make_invoice: Callable[..., Invoice]) -> Invoice:
    return make_invoice(make_payer(last_name="DUPRÉ", first_name="Zoé"), number="2026-777")


def rows(browser: Client, path: str = PAGE) -> str:
    """The lines of the page, as they read."""
    page = text(browser.get(path))
    return page.split(" Détail ", 1)[1].split("Page suivante")[0] if " Détail " in page else ""


def in_file(browser: Client, query: str = "") -> list[list[str]]:
    answer = browser.get(FILE + query)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    content = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(content), delimiter=";"))


def filled(named: SimpleNamespace, invoice: Invoice) -> Any:
    """One fact of each sort: of a clerk, of a cashier, of the portal."""
    set_online_hold(actor=named.clerk, invoice=invoice, hold="dispute")
    payment = book_counter_payment(
        actor=named.cashier, invoice=invoice, means=Means.CASH, amount=Decimal("12.5"), paid_on=clock.today()
    )
    cancel_payment(actor=named.manager, payment=payment, reason="Erreur de saisie")
    return payment


# --- What it says ---------------------------------------------------------------------------------


def test_who_what_to_what_old_new(
    browsers: SimpleNamespace, named: SimpleNamespace, invoice: Invoice
) -> None:
    payment = filled(named, invoice)
    answer = browsers.manager.get(PAGE)
    page, html = text(answer), answer.content.decode()
    assert "Camille Roux" in page
    assert "Paiement en ligne d'une facture changé" in page
    assert "Facture 2026-777" in page
    assert "Ali Benali" in page
    assert "Règlement annulé" in page
    assert "Motif : Erreur de saisie" in page
    assert "rien → devient contestation" in page
    assert f'href="/gestion/factures/{invoice.uuid}/"' in html
    assert f'href="/gestion/encaissements/{payment.uuid}/"' in html
    lines = rows(browsers.manager)
    assert lines.index("Règlement annulé") < lines.index("Règlement saisi au guichet")  # newest first


def test_a_resident_the_treasury_and_the_portal(
    browsers: SimpleNamespace, named: SimpleNamespace, invoice: Invoice
) -> None:
    with transaction.atomic():
        audit.record("money.audited", actor=audit.SYSTEM, new={"differences": 0})
        audit.record("attempt.reported", actor=audit.TREASURY, obj=f"attempt:{uuid.uuid4()}")
        audit.record("invoice.declared_paid", actor=named.alice, obj=f"invoice:{invoice.uuid}")
        audit.record("message.sent", actor="visitor", obj=f"message:{uuid.uuid4()}")
    page = rows(browsers.manager)
    for words in ("le portail", "le Trésor public", "alice@example.net", "un visiteur", "(n'existe plus)"):
        assert words in page


def test_a_member_who_left_still_has_a_name(
    browsers: SimpleNamespace, named: SimpleNamespace, invoice: Invoice
) -> None:
    set_online_hold(actor=named.clerk, invoice=invoice, hold="dispute")
    team.remove(actor=named.manager, member=named.clerk)
    page = rows(browsers.manager)
    assert page.count("Camille Roux") >= 2  # who changed the invoice, and who was removed
    assert "removed.invalid" not in page
    assert "Camille Roux" in text(browsers.manager.get(PAGE, {"qui": str(named.clerk.uuid)}))


def test_an_intervention_is_named_and_reads_it(
    named: SimpleNamespace, operator: Account, invoice: Invoice
) -> None:
    ticket = impersonation.ask(operator=operator, account=named.manager, reason="Ticket 4711 : la cantine")
    inside = Client(headers={"host": "mairie.localhost"})
    inside.post(f"/gestion/intervention/{ticket}/")
    inside.post(f"/gestion/factures/{invoice.uuid}/en-ligne/", {"hold": "dispute"})
    page = rows(inside)
    assert "l'exploitant (operator@example.net) au nom de Jeanne Martin" in page
    assert "Intervention commencée" in page
    assert "/gestion/equipe/" not in inside.get(PAGE).content.decode()  # absent for an operator
    assert "manager@example.net" not in page  # the trail keeps it, and is not erased
    only = rows(inside, f"{PAGE}?qui=operateur")
    assert "Paiement en ligne d'une facture changé" in only
    in_her_place = rows(inside, f"{PAGE}?qui={named.manager.uuid}")
    assert "Paiement en ligne d'une facture changé" in in_her_place


def test_an_operator_who_never_intervened_is_named_by_the_registry(town: Any, operator: Account) -> None:
    name = f"operator:{operator.uuid}"
    assert authors_of([name]) == {name: "l'exploitant (operator@example.net)"}
    gone = f"operator:{uuid.uuid4()}"
    assert authors_of([gone, ""]) == {gone: "l'exploitant"}


def test_an_erased_person_has_no_name(
    browsers: SimpleNamespace, named: SimpleNamespace, make_payer: Any
) -> None:
    payer = make_payer(named.alice)
    billing.add_email(actor=named.clerk, payer=payer, email="alice@example.net")
    request_erasure(actor=named.alice)
    accept_erasure(actor=named.manager, account=named.alice)
    page = browsers.manager.get(PAGE).content.decode()
    assert "une personne effacée" in page
    assert "alice@" not in page
    assert "alice@" not in str(in_file(browsers.manager))
    assert str(named.alice.uuid) not in rows(browsers.manager)


def test_addresses_are_not_read_out_in_full(browsers: SimpleNamespace, named: SimpleNamespace) -> None:
    team.invite(actor=named.manager, email="paul@example.net", role=Role.CLERK, name="Paul")
    page = rows(browsers.manager)
    assert "p…@example.net" in page
    assert "paul@example.net" not in page


def test_empty_says_why(browsers: SimpleNamespace, named: SimpleNamespace) -> None:
    assert "Rien ne s'est encore passé" in text(browsers.manager.get(PAGE))
    assert "ne correspond à cette recherche" in text(browsers.manager.get(PAGE, {"q": "baleine"}))


# --- Whose page it is -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "status"), [("reader", 403), ("clerk", 403), ("cashier", 403), ("alice", 404)]
)
def test_managers_only(browsers: SimpleNamespace, who: str, status: int) -> None:
    assert getattr(browsers, who).get(PAGE).status_code == status
    assert getattr(browsers, who).get(FILE).status_code == status
    assert browsers.nobody.get(PAGE).status_code == 302


# --- Filters --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "there", "absent"),
    [
        ("?qui={clerk}", "Camille Roux", "Ali Benali"),
        ("?qui=portail", "Comptes vérifiés", "Camille Roux"),
        ("?qui=usagers", "alice@example.net", "Camille Roux"),
        ("?quoi=payment.cancelled", "Règlement annulé", "saisi au guichet"),
        ("?quoi=encaissements", "Règlement annulé", "Comptes vérifiés"),
        ("?quoi=controles", "Comptes vérifiés", "Règlement annulé"),
        ("?q=2026-777", "Facture 2026-777", "Comptes vérifiés"),
        ("?q=zoé dupré", "Règlement annulé", "Comptes vérifiés"),
        ("?objet=invoice:{invoice}", "Facture 2026-777", "Règlement annulé"),
        ("?du=2026-01-01", "Règlement annulé", "Rien dans le journal"),
        ("?q=dupré&qui={cashier}", "saisi au guichet", "Règlement annulé"),
    ],
)
def test_filters(
    browsers: SimpleNamespace,
    named: SimpleNamespace,
    invoice: Invoice,
    query: str,
    there: str,
    absent: str,
) -> None:
    filled(named, invoice)
    with transaction.atomic():
        audit.record("money.audited", actor=audit.SYSTEM, new={"differences": 0})
        audit.record("account.data_taken", actor=named.alice, obj=named.alice.audit_name)
    ids = {name: getattr(named, name).uuid for name in ("clerk", "cashier")}
    address = query.format(**ids, invoice=invoice.uuid)
    page = rows(browsers.manager, PAGE + quote(address, safe="?=&:-"))
    assert there in page
    assert absent not in page
    file = str(in_file(browsers.manager, quote(address, safe="?=&:-")))
    assert there.removeprefix("Facture ") in file
    assert absent.removeprefix("Facture ") not in file


def test_a_period_is_of_days_in_paris(browsers: SimpleNamespace, named: SimpleNamespace) -> None:
    with transaction.atomic():
        entry = audit.record("money.audited", actor=audit.SYSTEM, new={"differences": 0})
    late = datetime(2026, 3, 11, 23, 30, tzinfo=UTC)  # 12 March, half past midnight, in Paris
    AuditEntry.objects.filter(pk=entry.pk).update(at=late)
    assert "12/03/2026 00:30" in rows(browsers.manager, f"{PAGE}?du=2026-03-12&au=2026-03-12")
    assert not rows(browsers.manager, f"{PAGE}?du=2026-03-11&au=2026-03-11")
    assert in_file(browsers.manager, "?du=2026-03-12")[1][0] == "12/03/2026 00:30"


@pytest.mark.parametrize(
    "query",
    [
        "?du=hier",
        "?du=2026-03-12&au=2026-03-11",
        "?qui=personne",
        "?quoi=tout.va",
        "?qui=00000000-0000-4000-8000-000000000000",
    ],
)
def test_what_cannot_be_read_is_said(browsers: SimpleNamespace, named: SimpleNamespace, query: str) -> None:
    answer = browsers.manager.get(PAGE + query)
    assert answer.status_code == 422
    assert "Corrigez la recherche" in text(answer)
    assert browsers.manager.get(FILE + query)["Location"] == PAGE + query


def test_page_after_page(browsers: SimpleNamespace, named: SimpleNamespace) -> None:
    with transaction.atomic():
        for n in range(70):
            audit.record("money.audited", actor=audit.SYSTEM, new={"differences": n})
    first = browsers.manager.get(PAGE).content.decode()
    key = first.split("?apres=")[1].split('"')[0]
    second = rows(browsers.manager, f"{PAGE}?apres={key}")
    assert second.count("Comptes vérifiés") == 20
    assert "Différences : 19" in second
    assert rows(browsers.manager, f"{PAGE}?apres=99999999999999999999").count("Comptes vérifiés") == 50
    assert len(in_file(browsers.manager)) == 71


# --- Its file -------------------------------------------------------------------------------------


def test_no_cell_of_the_file_is_a_formula(
    browsers: SimpleNamespace, named: SimpleNamespace, make_batch: Callable[..., Batch]
) -> None:
    named.clerk.name = "=cmd|'/c calc'!A1"
    named.clerk.save()
    batch = make_batch()
    Batch.objects.filter(pk=batch.pk).update(rows_name="@SUM(1).csv")
    discard_batch(actor=named.clerk, batch=batch)
    lines = in_file(browsers.manager)
    (line,) = [line for line in lines if line[2] == "Import abandonné"]
    assert line[1] == "'=cmd|'/c calc'!A1"
    assert line[4] == "'@SUM(1).csv"
    assert lines[0] == ["Date", "Qui", "Action", "Objet", "Nom de l'objet", "Détail"]


# --- Words for every object -----------------------------------------------------------------------


def test_every_kind_of_object_has_words() -> None:
    declared = set(verbs.kinds()) - PLATFORMS
    assert declared == OF_TOWNS, "say in tenant_apps/backoffice/journal/things.py what the new kind is called"
    assert FINDERS.keys() <= declared


def test_every_fact_has_a_subject() -> None:
    known = {begin for subject in SUBJECTS for begin in subject.begin} | PLATFORMS_VERBS
    ours = {fact.verb.partition(".")[0] for fact in verbs.every() if not fact.room.startswith("tests.")}
    assert ours <= known, "add it to a subject in tenant_apps/backoffice/journal/lines.py"


def test_an_undeclared_kind_of_object_is_not_recorded(town: Any) -> None:
    with pytest.raises(UnknownFact), transaction.atomic():
        audit.record("money.audited", actor="system", obj=f"whale:{uuid.uuid4()}")


def test_odd_objects_have_a_word(town: Any) -> None:
    things = things_of(["invoice:not-an-id", f"whale:{uuid.uuid4()}", "batch:", "x"])
    assert str(things["invoice:not-an-id"]) == "facture"
    assert all(thing.is_gone for thing in things.values())
    assert len(things) == 2


def test_a_regie_is_called_by_its_name(browsers: SimpleNamespace, named: SimpleNamespace) -> None:
    product = default_product()
    change_product(
        actor=named.manager,
        product=product,
        label="Cantine",
        contact_email="",
        offers_declaration=product.offers_declaration,
    )
    assert "Régie Cantine" in rows(browsers.manager, f"{PAGE}?quoi=regies")
    assert f'href="/gestion/reglages/regies/{product.pk}/"' in browsers.manager.get(PAGE).content.decode()


def test_as_many_statements_for_many(
    browsers: SimpleNamespace, named: SimpleNamespace, make_payer: Any, make_invoice: Callable[..., Invoice]
) -> None:
    def statements(path: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            answer = browsers.manager.get(path)
            assert answer.status_code == 200
            if answer.streaming:
                list(answer.streaming_content)
        return len(seen)

    filled(named, make_invoice(make_payer(last_name="DUPRÉ")))
    paths = (PAGE, FILE, f"{PAGE}?q=dupr%C3%A9", f"{PAGE}?qui={named.clerk.uuid}")
    for path in paths:
        statements(path)
    few = [statements(path) for path in paths]
    for _ in range(8):
        filled(named, make_invoice(make_payer(last_name="DUPRÉ")))
    assert [statements(path) for path in paths] == few
    assert few[0] <= 16
