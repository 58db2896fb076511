"""The operator in the place of a member of staff: in the open, for half an hour, and never otherwise."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_tenants.utils import schema_context, tenant_context

from shared_apps.accounts.errors import CannotImpersonate, NotWhileImpersonating, TicketRefused
from shared_apps.accounts.models import Account, Impersonation, Role
from shared_apps.accounts.passwords.rule import PasswordRule
from shared_apps.accounts.services import change_password
from shared_apps.accounts.sessions import impersonation
from shared_apps.accounts.signing_in.second_factor import begin
from shared_apps.audit.models import AuditEntry
from tenant_apps.contact.models import Message
from tenant_apps.contact.services import send_message
from tenants.models import Town
from tests.conftest import PASSWORD
from tests.residents.mails import ask_address

REASON = "Ticket 4711 : l'import de la cantine ne part pas"


@pytest.fixture
def clerk(town: Town, make_account: Any) -> Account:
    account: Account = make_account("agent@example.net", role=Role.CLERK)
    return account


@pytest.fixture
def ticket(operator: Account, clerk: Account) -> str:
    return impersonation.ask(operator=operator, account=clerk, reason=REASON)


@pytest.fixture
def browser(town: Town) -> Client:
    return Client(headers={"host": "mairie.localhost"})


def enter(browser: Client, ticket: str) -> Any:
    return browser.post(f"/gestion/intervention/{ticket}/")


def is_inside(browser: Client) -> bool:
    return browser.get("/gestion/").status_code == 200


# --- The ticket -----------------------------------------------------------------------------------


def test_from_the_console_to_the_town(console: Client, clerk: Account, town: Town, browser: Client) -> None:
    path = f"/communes/mairie/intervenir/{clerk.uuid}/"
    assert "agent@example.net" in console.get(path).content.decode()
    page = console.post(path, {"reason": REASON}).content.decode()
    link = page.split('href="http://mairie.localhost:')[1].split('"')[0]
    here = "/" + link.split("/", 1)[1]
    shown = browser.get(here)
    assert shown.status_code == 200
    assert "4711" in shown.content.decode()
    assert not is_inside(browser)  # looking uses nothing up and opens nothing
    assert browser.post(here)["Location"] == "/gestion/"
    page = browser.get("/gestion/").content.decode()
    for words in ("operator@example.net", "agent@example.net", "Terminer"):
        assert words in page


@pytest.mark.parametrize("reason", ["", "   ", "aide", "a        b"])
def test_no_reason_no_ticket(console: Client, clerk: Account, operator: Account, reason: str) -> None:
    answer = console.post(f"/communes/mairie/intervenir/{clerk.uuid}/", {"reason": reason})
    assert answer.status_code == 422
    assert not Impersonation.objects.exists()
    with pytest.raises(CannotImpersonate):
        impersonation.ask(operator=operator, account=clerk, reason=reason)


def test_never_a_resident(console: Client, operator: Account, town: Town, make_account: Any) -> None:
    alice = make_account("alice@example.net")
    assert console.get(f"/communes/mairie/intervenir/{alice.uuid}/").status_code == 404
    assert console.post(f"/communes/mairie/intervenir/{alice.uuid}/", {"reason": REASON}).status_code == 404
    with pytest.raises(CannotImpersonate, match="jamais d'un usager"):
        impersonation.ask(operator=operator, account=alice, reason=REASON)


@pytest.mark.parametrize("who", ["inactive operator", "manager", "inactive clerk"])
def test_only_by_an_active_operator_for_an_active_agent(
    operator: Account, clerk: Account, make_account: Any, who: str
) -> None:
    if who == "manager":
        operator = make_account("manager@example.net", role=Role.MANAGER)
    elif who == "inactive operator":
        operator.is_active = False
    else:
        clerk.is_active = False
    with pytest.raises(CannotImpersonate):
        impersonation.ask(operator=operator, account=clerk, reason=REASON)


def test_another_town_s_agent_is_absent(console: Client, clerk: Account, other_town: Town) -> None:
    assert console.get(f"/communes/pechabou/intervenir/{clerk.uuid}/").status_code == 404


def test_used_once(ticket: str, browser: Client) -> None:
    assert enter(browser, ticket).status_code == 302
    other = Client(headers={"host": "mairie.localhost"})
    assert other.get(f"/gestion/intervention/{ticket}/").status_code == 410
    assert enter(other, ticket).status_code == 410
    assert not is_inside(other)


def test_expired(ticket: str, browser: Client) -> None:
    Impersonation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert enter(browser, ticket).status_code == 410
    assert not is_inside(browser)


def test_lives_a_minute(ticket: str) -> None:
    row = Impersonation.objects.get()
    assert row.expires_at - row.created_at <= timedelta(seconds=61)
    assert ticket.partition(":")[0] not in str(Impersonation.objects.values())


def test_opens_no_other_town(ticket: str, other_town: Town, clerk: Account) -> None:
    elsewhere = Client(headers={"host": "pechabou.localhost"})
    assert elsewhere.get(f"/gestion/intervention/{ticket}/").status_code == 410
    assert enter(elsewhere, ticket).status_code == 410
    with tenant_context(other_town):  # not even with the same row there: the signature names the town
        twin = Account.objects.create(email="agent@example.net", role=Role.CLERK)
        row = Impersonation.objects.create(
            account=twin, operator=twin.uuid, operator_email="x@example.net", reason=REASON,
            ticket_hash="0" * 64, expires_at=timezone.now() + timedelta(minutes=1),
        )  # fmt: skip
        from toolkit.secrecy.secrets import fingerprint

        Impersonation.objects.filter(pk=row.pk).update(ticket_hash=fingerprint(ticket.partition(":")[0]))
    assert enter(elsewhere, ticket).status_code == 410


@pytest.mark.parametrize("forged", ["X" + "0" * 32, "X" + "0" * 32 + ":abc", "x", "a:b:c"])
def test_forged(ticket: str, browser: Client, forged: str) -> None:
    assert enter(browser, forged).status_code == 410
    assert enter(browser, ticket[:-1] + ("a" if ticket[-1] != "a" else "b")).status_code == 410


def test_the_operator_was_made_inactive_meanwhile(ticket: str, operator: Account, browser: Client) -> None:
    from tenants.current import registry

    with registry():
        Account.objects.filter(pk=operator.pk).update(is_active=False)
    assert enter(browser, ticket).status_code == 410


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": Role.RESIDENT}])
def test_the_agent_is_none_any_more(
    ticket: str, clerk: Account, browser: Client, change: dict[str, Any]
) -> None:
    Account.objects.filter(pk=clerk.pk).update(**change)
    assert enter(browser, ticket).status_code == 410


# --- The session ----------------------------------------------------------------------------------


@pytest.fixture
def inside(ticket: str, browser: Client) -> Client:
    enter(browser, ticket)
    return browser


def test_ends_by_itself(inside: Client) -> None:
    assert is_inside(inside)
    Impersonation.objects.update(until=timezone.now() - timedelta(seconds=1))
    answer = inside.get("/gestion/", follow=True)
    assert answer.redirect_chain
    assert "L&#x27;intervention est terminée" in answer.content.decode()
    Impersonation.objects.update(until=timezone.now() + timedelta(minutes=1))
    assert not is_inside(inside)  # the session is gone, not hidden


def test_lasts_half_an_hour(inside: Client) -> None:
    row = Impersonation.objects.get()
    assert row.started_at
    assert row.until
    assert row.until - row.started_at == timedelta(minutes=30)


@pytest.mark.parametrize("path", ["/gestion/intervention/terminer/", "/deconnexion/"])
def test_ends_when_asked(inside: Client, path: str) -> None:
    assert inside.post(path).status_code == 302
    assert not is_inside(inside)
    assert Impersonation.objects.get().ended_at
    assert AuditEntry.objects.filter(verb="impersonation.ended").count() == 1


def test_ends_with_the_agent_s_password(inside: Client, clerk: Account) -> None:
    """As every session of that person."""
    clerk.set_password("un tout autre mot de passe")
    clerk.save()
    assert not is_inside(inside)


def test_the_banner_is_on_every_page(inside: Client) -> None:
    for path in ("/gestion/", "/gestion/factures/", "/gestion/imports/nouveau/", "/contact/", "/activation/"):
        page = inside.get(path).content.decode()
        assert "agit à la place de" in page, path


def test_both_names_in_the_trail(inside: Client, clerk: Account, operator: Account) -> None:
    message = send_message(actor=None, email="a@example.net", subject="Bonjour", body="Merci")
    inside.post(f"/gestion/messages/{message.uuid}/traite/")
    assert Message.objects.get().handled_at
    entry = AuditEntry.objects.get(verb="message.handled")
    assert entry.actor == f"operator:{operator.uuid} as account:{clerk.uuid}"


def test_nobody_is_answered_in_somebody_s_name(inside: Client) -> None:
    message = send_message(actor=None, email="a@example.net", subject="Bonjour", body="Merci")
    assert inside.get(f"/gestion/messages/{message.uuid}/").status_code == 200
    data = {"body": "Voici", "seen": str(message.uuid), "key": str(message.uuid)[::-1].replace("-", "")}
    answer = inside.post(f"/gestion/messages/{message.uuid}/repondre/", data)
    assert answer.status_code == 409
    assert "signée de la personne qui l" in answer.content.decode()
    message.refresh_from_db()
    assert (message.read_at, message.replies.count()) == (None, 0)


def test_the_agent_was_not_here(inside: Client, clerk: Account) -> None:
    is_inside(inside)
    clerk.refresh_from_db()
    assert clerk.last_login is None


def test_what_is_personal_is_refused(clerk: Account, ticket: str) -> None:
    clerk.impersonated_by = impersonation.start(ticket=ticket)
    refused: list[Callable[[], object]] = [
        lambda: change_password(actor=clerk, current=PASSWORD, new="un tout autre mot", rule=PasswordRule()),
        lambda: ask_address(clerk, "other@example.net"),
        lambda: begin(account=clerk),
    ]
    for act in refused:
        with pytest.raises(NotWhileImpersonating):
            act()
    clerk.impersonated_by = None
    change_password(actor=clerk, current=PASSWORD, new="un tout autre mot", rule=PasswordRule())


def test_no_console_from_there(inside: Client) -> None:
    assert inside.get("/", headers={"host": "admin.localhost"}).status_code == 302


def test_the_managers_see_it(
    inside: Client, ticket: str, client_for: Callable[..., Client], make_account: Any
) -> None:
    manager = client_for(make_account("manager@example.net", role=Role.MANAGER))
    page = manager.get("/gestion/interventions/").content.decode()
    for words in ("4711", "operator@example.net", "agent@example.net", "en cours"):
        assert words in page
    assert inside.get("/gestion/interventions/").status_code == 403  # in a clerk's place, a clerk's rights
    verbs = list(AuditEntry.objects.filter(verb__startswith="impersonation.").values_list("verb", flat=True))
    assert sorted(verbs) == ["impersonation.asked", "impersonation.started"]
    assert "4711" in str(AuditEntry.objects.get(verb="impersonation.started").new)


def test_of_two_at_once_one_wins(live_town: Town, django_db_blocker: Any) -> None:
    """Two browsers, two connections, one ticket."""
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection

    from shared_apps.accounts.services import create_account
    from tenants.current import registry

    with registry():
        operator = Account.objects.create(email="race@example.net", role=Role.OPERATOR)
    clerk = create_account(actor="system", email="agent@example.net", role=Role.CLERK, password="x")
    ticket = impersonation.ask(operator=operator, account=clerk, reason=REASON)

    def one(_n: int) -> bool:
        try:
            with tenant_context(live_town):
                impersonation.start(ticket=ticket)
            return True
        except TicketRefused:
            return False
        finally:
            connection.close()

    try:
        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(one, range(4))) == 1
    finally:
        with registry():
            Account.objects.filter(pk=operator.pk)._raw_delete("default")  # no town's table is looked for


def test_it_ends_with_its_operator(operator: Account, ticket: str, browser: Client) -> None:
    enter(browser, ticket)
    assert is_inside(browser)
    with schema_context("public"):
        Account.objects.filter(pk=operator.pk).update(is_active=False)
    assert not is_inside(browser)
