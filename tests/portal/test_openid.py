"""Signing in through the town's provider (a real one over HTTP), and linking it: never by the e-mail address."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from shared_apps.accounts import errors
from shared_apps.accounts.models import STAFF_ROLES, Account, Role
from shared_apps.accounts.signing_in import identities
from shared_apps.accounts.signing_in.openid import attempts
from shared_apps.audit.models import AuditEntry
from shared_apps.mail.models import OutgoingMail
from tenant_apps.portal.openid import road
from tenant_apps.residents import activation
from tenants.models import Town
from tests.accounts import provider as lies
from tests.accounts.provider import Provider
from tests.portal.conftest import text
from tests.portal.openid import (
    BACK,
    LINK,
    MINE,
    START,
    SUBJECT,
    honest,
    is_somebody,
    issuer,
    liar,
    link,
    offer,
    out,
    over_there,
    sign_in,
)
from tests.residents.mails import lien
from tests.staff import protect

__all__ = ["honest", "issuer", "liar"]  # fixtures


def test_the_button_is_there_only_when_the_town_offers_it(
    town: Town, honest: str, client_for: Callable[..., Client]
) -> None:
    assert "S'identifier avec" not in text(client_for().get("/"))
    offer(honest, enabled=False)
    assert "S'identifier avec" not in text(client_for().get("/"))
    assert client_for().get(START).status_code == 404
    offer(honest, label="Ma région")
    page = text(client_for().get("/"))
    assert "S'identifier avec Ma région" in page
    assert "Qu'est-ce que FranceConnect" not in page  # it is another one
    offer("https://oidc.franceconnect.gouv.fr/api/v2")
    page = text(client_for().get("/"))
    assert "S'identifier avec FranceConnect" in page
    assert "Qu'est-ce que FranceConnect" in page


def test_unknown_then_linked_by_the_password_then_one_click(
    issuer: str, alice: Account, client_for: Callable[..., Client]
) -> None:
    client = client_for()
    answer = sign_in(client, suite="/reglements/")
    assert answer["Location"] == LINK
    assert not is_somebody(client)
    assert "Relier FranceConnect à mon compte" in text(client.get(LINK))
    assert link(client, password="un mauvais mot de passe").status_code == 422
    alice.refresh_from_db()
    assert alice.identity_subject == ""
    answer = link(client)
    assert answer["Location"] == "/reglements/"
    assert "la prochaine fois, un appui suffira" in text(client.get("/reglements/"))
    alice.refresh_from_db()
    assert (alice.identity_issuer, alice.identity_subject) == (issuer, SUBJECT)
    mail = OutgoingMail.objects.get(kind="identity-linked")
    assert mail.to == alice.email
    assert "FranceConnect" in mail.subject
    again = client_for()
    assert sign_in(again)["Location"] == "/factures/"
    assert is_somebody(again)
    assert OutgoingMail.objects.filter(kind="identity-linked").count() == 1
    assert AuditEntry.objects.filter(verb="account.identity_linked").count() == 1
    assert SUBJECT not in str(list(AuditEntry.objects.values()))


def test_the_provider_s_address_proves_nothing(
    issuer: str, alice: Account, client_for: Callable[..., Client]
) -> None:
    """This provider says that the person's e-mail address is Alice's."""
    client = client_for()
    assert sign_in(client, subject=alice.email)["Location"] == LINK
    assert not is_somebody(client)
    assert alice.email not in text(client.get(LINK))
    alice.refresh_from_db()
    assert alice.identity_subject == ""


def test_the_session_is_a_new_one_for_this_browser_and_is_listed(
    issuer: str, alice: Account, client_for: Callable[..., Client]
) -> None:
    identities.link_identity(actor=alice, issuer=issuer, subject=SUBJECT)
    client = client_for()
    back = over_there(out(client))
    before = client.cookies["session"].value
    client.get(back)
    after = client.cookies["session"]
    assert after.value != before
    assert not after["max-age"]  # until the browser is closed
    page = text(client.get("/mes-informations/"))
    assert "cet appareil" in page
    assert "Votre compte est relié à FranceConnect" in page


def test_an_answer_serves_once_and_in_its_browser(
    issuer: str, alice: Account, client_for: Callable[..., Client]
) -> None:
    identities.link_identity(actor=alice, issuer=issuer, subject=SUBJECT)
    client, thief = client_for(), client_for()
    out(thief)
    back = over_there(out(client))
    stolen = thief.get(back)
    assert stolen.status_code == 400
    assert "Cette demande n'est pas connue" in text(stolen)
    assert not is_somebody(thief)
    assert client.get(back).status_code == 302
    again = client.get(back)
    assert again.status_code == 400
    assert "Revenir à mes informations" in text(again)


@pytest.mark.parametrize(
    "change", [{"state": "x"}, {"state": ""}, {"code": "x"}, {"iss": "https://evil.example"}]
)
def test_an_answer_that_was_changed(
    issuer: str, alice: Account, client_for: Callable[..., Client], change: dict[str, str]
) -> None:
    identities.link_identity(actor=alice, issuer=issuer, subject=SUBJECT)
    client = client_for()
    query = {name: values[0] for name, values in parse_qs(urlsplit(over_there(out(client))).query).items()}
    answer = client.get(BACK, {**query, **change})
    assert answer.status_code == 400
    assert "Aller à la connexion" in text(answer)
    assert not is_somebody(client)


def test_refused_over_there(issuer: str, client_for: Callable[..., Client]) -> None:
    client = client_for()
    address = out(client)
    state = parse_qs(urlsplit(address).query)["state"][0]
    back = over_there(address, action="deny")
    answer = (
        client.get(f"{BACK}?error=access_denied&state={state}") if "state" not in back else client.get(back)
    )
    assert answer.status_code == 200
    assert "Vous n'avez pas continué avec FranceConnect" in text(answer)
    assert "Recommencer" in text(answer)


def test_too_late(issuer: str, client_for: Callable[..., Client], monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_for()
    back = over_there(out(client))
    monkeypatch.setattr(time, "time", lambda now=time.time: now() + attempts.LIFE + 1)
    answer = client.get(back)
    assert answer.status_code == 410
    assert "Cette demande a expiré" in text(answer)


def test_too_late_to_link(
    issuer: str, alice: Account, client_for: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_for()
    sign_in(client)
    monkeypatch.setattr(time, "time", lambda now=time.time: now() + attempts.LINKING + 1)
    assert link(client).status_code == 410
    alice.refresh_from_db()
    assert alice.identity_subject == ""


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/jwks", "/token", "/userinfo"])
def test_the_provider_is_down(liar: Provider, client_for: Callable[..., Client], path: str) -> None:
    client = client_for()
    if path.startswith("/."):
        liar.faults[path] = lies.status(503)
        answer = client.get(START)
    else:
        back = liar.sign_in(out(client))
        liar.faults[path] = lies.status(503)
        answer = client.get(BACK, back)
    assert answer.status_code == 503
    assert "FranceConnect ne répond pas" in text(answer)
    assert "Aller à la connexion" in text(answer)


def test_a_lie_is_told_calmly(liar: Provider, alice: Account, client_for: Callable[..., Client]) -> None:
    identities.link_identity(actor=alice, issuer=liar.issuer, subject="camille")
    client = client_for()
    assert client.get(BACK, liar.sign_in(out(client)))["Location"] == "/factures/"
    for lie in ({"nonce": "another"}, {"aud": "another-town"}, {"iss": "https://evil.example"}):
        liar.claims, client = lie, client_for()
        answer = client.get(BACK, liar.sign_in(out(client)))
        assert answer.status_code == 400
        assert "n'a pas pu être vérifiée" in text(answer)
        assert not is_somebody(client)


def test_wrong_keys_are_the_town_s_affair(liar: Provider, client_for: Callable[..., Client]) -> None:
    offer(liar.issuer, secret="another")
    client = client_for()
    answer = client.get(BACK, liar.sign_in(out(client)))
    assert answer.status_code == 503
    assert "Un réglage de la commune est à revoir" in text(answer)
    assert "Recommencer" not in text(answer)


def test_the_person_s_name_is_shown_and_nothing_is_kept_of_it(
    liar: Provider, alice: Account, client_for: Callable[..., Client]
) -> None:
    client = client_for()
    client.get(BACK, liar.sign_in(out(client)))
    assert "Camille MARTIN" in text(client.get(LINK))
    link(client)
    assert "MARTIN" not in str(dict(client.session))
    assert "MARTIN" not in str(Account.objects.values().get(pk=alice.pk))


@pytest.mark.parametrize(
    "suite", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_only_pages_of_this_host_are_next(
    issuer: str, alice: Account, client_for: Callable[..., Client], suite: str
) -> None:
    identities.link_identity(actor=alice, issuer=issuer, subject=SUBJECT)
    assert sign_in(client_for(), suite=suite)["Location"] == "/factures/"


@pytest.mark.parametrize("role", STAFF_ROLES)
def test_staff_keep_their_password(
    issuer: str, make_account: Callable[..., Account], client_for: Callable[..., Client], role: Role
) -> None:
    agent = make_account("agent@example.net", role=role)
    client = client_for()
    sign_in(client)
    answer = link(client, email=agent.email)
    assert "réservée aux usagers" in text(answer)
    assert not client.session.get("_auth_user_id")
    with pytest.raises(errors.NotForStaff):
        identities.link_identity(actor=agent, issuer=issuer, subject=SUBJECT)
    Account.objects.filter(pk=agent.pk).update(identity_issuer=issuer, identity_subject=SUBJECT)
    assert sign_in(client_for())["Location"] == LINK  # a resident who became an agent: unknown again
    for path in (START, BACK, LINK, MINE):
        assert client_for(agent).get(path).status_code == 404


def test_for_staff_a_provider_would_be_the_first_step_only(
    issuer: str, make_account: Callable[..., Account], client_for: Callable[..., Client], monkeypatch: Any
) -> None:
    """Should a member of staff ever be found by a provider, the second factor is asked for (decision 65)."""
    manager = make_account("chef@example.net", role=Role.MANAGER)
    protect(manager)
    monkeypatch.setattr("tenant_apps.portal.views.entry.openid.account_of", lambda **_: manager)
    client = client_for()
    assert sign_in(client, suite="/gestion/reglages/commune/")["Location"] == "/connexion/second-facteur/"
    assert not client.session.get("_auth_user_id")
    assert client.get("/gestion/reglages/commune/")["Location"].startswith("/connexion/second-facteur/")


def test_a_closed_account_opens_no_more(
    issuer: str, alice: Account, client_for: Callable[..., Client]
) -> None:
    identities.link_identity(actor=alice, issuer=issuer, subject=SUBJECT)
    Account.objects.filter(pk=alice.pk).update(is_active=False)
    client = client_for()
    assert sign_in(client)["Location"] == LINK
    assert link(client).status_code == 422


def test_who_has_no_account_activates_one_first(
    issuer: str, make_payer: Any, client_for: Callable[..., Client]
) -> None:
    make_payer(email="nouvelle@example.net")
    client = client_for()
    sign_in(client)
    assert "Activer mon compte" in text(client.get(LINK))
    client.post("/activation/", {"email": "nouvelle@example.net"})
    activation.handle_links()
    client.get(f"/?LIEN={lien('link-activation', 'nouvelle@example.net')}")
    done = client.post("/lien/", {"password": "un tout nouveau mot"})
    assert "Relier FranceConnect à mon compte" in text(done)
    assert not Account.objects.get(email="nouvelle@example.net").identity_subject  # not without being asked
    assert link(client, "nouvelle@example.net", "un tout nouveau mot")["Location"] == "/factures/"
    assert sign_in(client_for())["Location"] == "/factures/"


def test_activated_elsewhere_nothing_is_said(
    issuer: str, make_payer: Any, client_for: Callable[..., Client]
) -> None:
    make_payer(email="nouvelle@example.net")
    client = client_for()
    client.post("/activation/", {"email": "nouvelle@example.net"})
    activation.handle_links()
    client.get(f"/?LIEN={lien('link-activation', 'nouvelle@example.net')}")
    assert "Relier" not in text(client.post("/lien/", {"password": "un tout nouveau mot"}))


def test_whoever_gives_up_leaves_no_name_behind(issuer: str, client_for: Callable[..., Client]) -> None:
    client = client_for()
    sign_in(client)
    assert client.session.get_expiry_age() <= attempts.LINKING


def test_given_up(issuer: str, alice: Account, client_for: Callable[..., Client]) -> None:
    client = client_for()
    sign_in(client)
    assert client.post(LINK, {"quoi": "annuler"})["Location"] == "/"
    assert link(client).status_code == 410
    alice.refresh_from_db()
    assert alice.identity_subject == ""


def test_while_the_town_is_moved(
    issuer: str, client_for: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(road, "is_read_only", lambda: True)
    client = client_for()
    client.raise_request_exception = False
    for path in (START, BACK, LINK):
        answer = client.get(path)
        assert answer.status_code == 503
        assert answer["Retry-After"]


def test_only_by_get_or_post(issuer: str, client_for: Callable[..., Client]) -> None:
    for path in (START, BACK):
        assert client_for().post(path).status_code == 405
    answer = client_for().get(START)
    assert "no-store" in answer["Cache-Control"]
