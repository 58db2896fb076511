"""What staff read when a page is refused or absent: the right that is missing, and the way back."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import OperationalError, connection
from django.test import Client, RequestFactory

from shared_apps.accounts.errors import TooBusy, TooManyTries
from shared_apps.accounts.models import Account, Role
from shared_apps.accounts.sessions import impersonation, steps
from shared_apps.accounts.throttling import refusals as throttled
from tenant_apps.invoices.models import Batch
from tenant_apps.payments.models import Payment
from tenant_apps.townhall.queries import current_townhall
from tenants.databases.outages import Outage
from tenants.hosts import doors
from tenants.models import Town
from tests.backoffice.conftest import text
from tests.staff import protect

BACK = 'href="/gestion/">Revenir à la gestion<'
SETTINGS = "/gestion/reglages/commune/"
ABSENT = "/gestion/factures/00000000-0000-4000-8000-000000000000/"
MISTYPED = "/gestion/factrues/"


def is_of_the_back_office(answer: Any) -> bool:
    """The menu, the search box and the way back; and nothing of the portal's foot."""
    page = answer.content.decode()
    return 'id="menu"' in page and 'id="find"' in page and BACK in page and 'class="foot"' not in page


def test_which_role_is_missing_and_who_gives_it(people: SimpleNamespace, browsers: SimpleNamespace) -> None:
    Account.objects.filter(pk=people.manager.pk).update(name="Claire Martin")
    answer = browsers.clerk.get(SETTINGS)
    assert answer.status_code == 403
    assert answer["Cache-Control"] == "no-store, private"
    page = text(answer)
    assert "Cette page demande le rôle « responsable » ; vous êtes « agent »." in page
    assert "demandez-le à Claire Martin, responsable de votre commune" in page
    assert "Rien n'a été enregistré" not in page
    assert is_of_the_back_office(answer)
    assert f'href="{SETTINGS}"' not in answer.content.decode()  # the menu still hides it


def test_several_managers_and_none(
    people: SimpleNamespace, browsers: SimpleNamespace, make_account: Callable[..., Account]
) -> None:
    make_account("second@example.net", role=Role.MANAGER)
    page = text(browsers.reader.get(SETTINGS))
    assert "un responsable de votre commune : manager@example.net, second@example.net." in page
    Account.objects.filter(role=Role.MANAGER).update(is_active=False)
    assert "adressez-vous à l'exploitant" in text(browsers.reader.get(SETTINGS))


def test_an_act_is_refused_and_nothing_is_done(browsers: SimpleNamespace) -> None:
    before = current_townhall().name
    answer = browsers.reader.post(SETTINGS, {"name": "Autre"})
    assert answer.status_code == 403
    assert "Rien n'a été enregistré." in text(answer)
    assert current_townhall().name == before


def test_a_fragment_says_it_in_a_note(browsers: SimpleNamespace) -> None:
    htmx = {"HX-Request": "true"}
    refused = browsers.reader.get("/gestion/imports/nouveau/", headers=htmx)
    assert (refused.status_code, refused["HX-Reswap"]) == (403, "outerHTML")
    assert "demande le rôle « agent »" in text(refused)
    gone = browsers.reader.get(f"/gestion/imports/{uuid4()}/etat/", headers=htmx)
    assert (gone.status_code, gone["HX-Reswap"]) == (404, "outerHTML")
    for answer in (refused, gone):
        assert "<html" not in answer.content.decode()
        assert BACK in answer.content.decode()


def test_residents_and_nobody_learn_nothing(browsers: SimpleNamespace) -> None:
    assert browsers.nobody.get(SETTINGS)["Location"].startswith("/?suite=")
    for path in (SETTINGS, ABSENT, MISTYPED, "/gestion/"):
        answer = browsers.alice.get(path)
        assert answer.status_code == 404
        for word in ("responsable", "gestion/", "Revenir à la gestion"):
            assert word not in answer.content.decode()
        assert 'href="/">Revenir au portail<' in answer.content.decode()
    mistyped = browsers.nobody.get(MISTYPED)
    assert mistyped.status_code == 404
    assert "/gestion/" not in mistyped.content.decode()


def test_half_signed_in_learns_nothing(
    people: SimpleNamespace, browsers: SimpleNamespace, client_for: Callable[..., Client]
) -> None:
    """The second factor comes before the refusal, which names people."""
    protect(people.clerk)
    browser = client_for(people.clerk)
    session = browser.session
    del session[steps.SESSION_MARK]
    session.save()
    assert browser.get(SETTINGS)["Location"].startswith("/connexion/second-facteur/")
    assert 'id="menu"' not in browser.get(MISTYPED).content.decode()


@pytest.mark.parametrize("path", [ABSENT, MISTYPED])
def test_what_is_absent_is_drawn_as_the_back_office(browsers: SimpleNamespace, path: str) -> None:
    for browser in (browsers.reader, browsers.manager):
        answer = browser.get(path)
        assert answer.status_code == 404
        assert is_of_the_back_office(answer)
        assert "Cherchez avec la case en haut de la page" in text(answer)
    outside = browsers.manager.get("/nulle-part/")  # the portal's, for staff too
    assert 'id="menu"' not in outside.content.decode()


def test_the_operator_in_somebody_s_place(
    people: SimpleNamespace, operator: Account, client_for: Callable[..., Client]
) -> None:
    ticket = impersonation.ask(operator=operator, account=people.clerk, reason="Ticket 4711 : vérifier")
    inside = client_for()
    inside.post(f"/gestion/intervention/{ticket}/")
    own = inside.get("/gestion/mon-compte/")
    assert own.status_code == 403
    assert "Cette page n'est pas ouverte pendant une intervention" in text(own)
    assert "qui entre dans la gestion" in text(own)
    assert is_of_the_back_office(own)
    small = inside.get(SETTINGS)
    assert small.status_code == 403
    assert "la personne dont vous tenez la place est « agent »" in text(small)


def test_a_cashier_cancels_only_their_own(
    browsers: SimpleNamespace, town: Any, make_payer: Any, make_invoice: Any, people: SimpleNamespace
) -> None:
    """And a manager whose account is not protected reads what is missing."""
    invoice = make_invoice(make_payer(people.alice))
    payment = Payment.objects.create(
        product=invoice.product, provider="counter", provider_reference="1", means="cash",
        amount="1", paid_on=invoice.issued_on,
    )  # fmt: skip
    path = f"/gestion/encaissements/{payment.uuid}/annuler/"
    refused = browsers.cashier.post(path, {"reason": "erreur de saisie"})
    assert refused.status_code == 403
    assert "vous êtes « caissier »" in text(refused)
    Account.objects.filter(pk=people.manager.pk).update(second_factor_at=None)
    unprotected = browsers.manager.post(path, {"reason": "erreur de saisie"})
    assert unprotected.status_code == 403
    assert "Protégez d'abord votre compte" in text(unprotected)
    payment.refresh_from_db()
    assert payment.cancelled_at is None


def test_a_form_without_its_token_and_an_act_opened_as_a_page(
    people: SimpleNamespace, browsers: SimpleNamespace, make_batch: Callable[..., Batch]
) -> None:
    strict = Client(headers={"host": "mairie.localhost"}, enforce_csrf_checks=True)
    strict.force_login(people.clerk)
    late = strict.post("/gestion/imports/nouveau/")
    assert late.status_code == 403
    assert "restée ouverte trop longtemps" in text(late)
    assert is_of_the_back_office(late)
    act = f"/gestion/imports/{make_batch().uuid}/publier/"
    wrong = browsers.clerk.get(act)
    assert (wrong.status_code, wrong["Allow"]) == (405, "POST")
    assert is_of_the_back_office(wrong)
    assert browsers.alice.get(act).content == browsers.nobody.get(act).content == b""


def test_a_breakdown_leads_back(browsers: SimpleNamespace) -> None:
    """A 500 asks the database nothing, and remembers who was read before."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE invoices_batch RENAME COLUMN rows_name TO gone")
    browsers.reader.raise_request_exception = False
    answer = browsers.reader.get("/gestion/imports/")  # the test's transaction is broken from here on
    assert answer.status_code == 500
    assert BACK in answer.content.decode()


@pytest.mark.parametrize(("who", "leads"), [("clerk", True), ("alice", False)])
def test_too_many_tries_lead_back(
    rf: RequestFactory, town: Town, people: SimpleNamespace, who: str, leads: bool
) -> None:
    for error, status in ((TooManyTries(wait=60), 429), (TooBusy(), 503)):
        request = rf.get("/gestion/mon-compte/confirmer/")
        request.user, request.town = getattr(people, who), town
        answer = throttled.page(request, error)
        assert answer is not None
        assert answer.status_code == status
        assert (BACK in answer.content.decode()) == leads
        assert ('href="/">Revenir au portail<' in answer.content.decode()) != leads


@pytest.mark.parametrize("outage", list(Outage))
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_outage_leads_back_without_a_statement(
    rf: RequestFactory, town: Town, django_assert_num_queries: Any, outage: Outage, method: str
) -> None:
    """Nobody knows who asks: the address decides."""
    inside, outside = (getattr(rf, method)(path) for path in ("/gestion/factures/", "/factures/"))
    with django_assert_num_queries(0):
        page, other = (doors.unavailable(request, outage, town) for request in (inside, outside))
    assert BACK in page.content.decode()
    assert "/gestion/" not in other.content.decode()


def test_the_database_down_while_a_refusal_is_drawn(
    browsers: SimpleNamespace, people: SimpleNamespace
) -> None:
    """The page of a refusal reads the town; when it cannot, the answer is the one of the outage."""
    browsers.clerk.raise_request_exception = False

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "accounts_account" in sql and "activated_at" in sql and "IS NOT NULL" in sql:
            raise OperationalError("the connection is lost") from psycopg.errors.AdminShutdown("terminated")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        answer = browsers.clerk.get(SETTINGS)
    assert answer.status_code == 503
    assert BACK in answer.content.decode()


def test_a_closed_passage_leads_staff_back(browsers: SimpleNamespace) -> None:
    for browser, back in ((browsers.clerk, True), (browsers.nobody, False)):
        answer = browser.get("/gestion/intervention/X0:0/")
        assert answer.status_code == 410
        assert (BACK in answer.content.decode()) == back
