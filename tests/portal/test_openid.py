"""Signing in through the town's provider (a real one over HTTP), and linking it: never by the e-mail address."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import oidc_provider_mock
import pytest
import requests
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django_tenants.utils import tenant_context

from shared_apps.accounts import errors, identities
from shared_apps.accounts.addresses import put_address_back
from shared_apps.accounts.models import Account, Impersonation, Role
from shared_apps.audit.models import Entry
from shared_apps.mail.models import OutgoingMail
from tenant_apps.portal import openid_attempts
from tenant_apps.portal.views import openid
from tenant_apps.residents import addresses, services
from tenant_apps.residents.identities import link_identity
from tenant_apps.townhall import queries as townhalls
from tenant_apps.townhall.identity_provider import change_identity_provider
from tenants.models import Town
from tests.accounts import provider as lies
from tests.accounts.provider import Provider
from tests.conftest import PASSWORD
from tests.portal.conftest import text
from tests.residents.test_addresses import lien

START, BACK, LINK = "/connexion/fc/", "/connexion/fc/retour/", "/connexion/fc/relier/"
MINE = "/mes-informations/connexion/"
SUBJECT = "camille-martin"


@pytest.fixture(scope="module")
def honest() -> Iterator[str]:
    """The issuer of a real provider, of another hand than ours."""
    with oidc_provider_mock.run_server_in_thread() as server:
        yield f"http://localhost:{server.server_port}"


def offer(issuer: str, **more: Any) -> None:
    values = {"client_id": lies.CLIENT, "secret": lies.SECRET, "label": "", "enabled": True, **more}
    change_identity_provider(actor="system", issuer=issuer, **values)
    townhalls.forget()


@pytest.fixture
def issuer(town: Town, honest: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The provider of the current town."""
    cache.clear()
    lies.patience(monkeypatch)
    offer(honest)
    return honest


@pytest.fixture
def liar(town: Town, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """The same, which lies on demand."""
    cache.clear()
    lies.patience(monkeypatch)
    with lies.running() as found:
        offer(found.issuer)
        yield found


def out(client: Client, **query: str) -> str:
    """Where « S'identifier avec FranceConnect » leads."""
    answer = client.get(START, query)
    assert answer.status_code == 302, text(answer)
    return str(answer["Location"])


def over_there(address: str, subject: str = SUBJECT, action: str = "") -> str:
    """The person signs in at the provider; the address to which they are sent back, at the town's host."""
    sent = requests.post(address, data={"sub": subject, "action": action}, allow_redirects=False, timeout=10)
    assert sent.status_code == 302, sent.text
    parts = urlsplit(sent.headers["Location"])
    assert parts.path == BACK
    assert parts.netloc.startswith("mairie.localhost")
    return f"{parts.path}?{parts.query}"


def sign_in(client: Client, subject: str = SUBJECT, **query: str) -> Any:
    return client.get(over_there(out(client, **query), subject))


def link(client: Client, email: str = "alice@example.net", password: str = PASSWORD) -> Any:
    return client.post(LINK, {"email": email, "password": password})


def is_somebody(client: Client) -> bool:
    return client.get("/factures/").status_code == 200


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
    assert Entry.objects.filter(verb="account.identity_linked").count() == 1
    assert SUBJECT not in str(list(Entry.objects.values()))


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
    monkeypatch.setattr(time, "time", lambda now=time.time: now() + openid_attempts.LIFE + 1)
    answer = client.get(back)
    assert answer.status_code == 410
    assert "Cette demande a expiré" in text(answer)


def test_too_late_to_link(
    issuer: str, alice: Account, client_for: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_for()
    sign_in(client)
    monkeypatch.setattr(time, "time", lambda now=time.time: now() + openid_attempts.LINKING + 1)
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


@pytest.mark.parametrize("role", [Role.READER, Role.CLERK, Role.MANAGER])
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
    services.handle_links()
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
    services.handle_links()
    client.get(f"/?LIEN={lien('link-activation', 'nouvelle@example.net')}")
    assert "Relier" not in text(client.post("/lien/", {"password": "un tout nouveau mot"}))


def test_whoever_gives_up_leaves_no_name_behind(issuer: str, client_for: Callable[..., Client]) -> None:
    client = client_for()
    sign_in(client)
    assert client.session.get_expiry_age() <= openid_attempts.LINKING


def test_given_up(issuer: str, alice: Account, client_for: Callable[..., Client]) -> None:
    client = client_for()
    sign_in(client)
    assert client.post(LINK, {"quoi": "annuler"})["Location"] == "/"
    assert link(client).status_code == 410
    alice.refresh_from_db()
    assert alice.identity_subject == ""


def test_linked_and_unlinked_in_my_details(
    issuer: str, alice: Account, client_for: Callable[..., Client]
) -> None:
    client = client_for(alice)
    assert "Relier FranceConnect" in text(client.get("/mes-informations/"))
    assert "n'est pas relié" in text(client.get(MINE))
    assert sign_in(client)["Location"] == LINK
    page = text(client.get(LINK))
    assert alice.email in page
    assert "Mon adresse" not in page
    assert client.post(LINK, {"password": "faux"}).status_code == 422
    assert client.post(LINK, {"password": PASSWORD})["Location"] == MINE
    assert "Votre compte est relié à FranceConnect" in text(client.get(MINE))
    assert sign_in(client)["Location"] == MINE  # once more changes nothing
    assert client.get(MINE).status_code == 200
    alice.refresh_from_db()
    assert alice.identity_subject == SUBJECT  # a GET undoes nothing
    for _ in range(2):
        assert client.post(MINE)["Location"] == MINE
    alice.refresh_from_db()
    assert alice.identity_subject == ""
    assert [mail.kind for mail in OutgoingMail.objects.order_by("id")] == [
        "identity-linked",
        "identity-unlinked",
    ]
    assert sign_in(client_for())["Location"] == LINK


def test_somebody_else_s_password_links_nothing_of_mine(
    issuer: str, alice: Account, make_account: Callable[..., Account], client_for: Callable[..., Client]
) -> None:
    bob, client = make_account("bob@example.net"), client_for(alice)
    sign_in(client)
    client.post(LINK, {"password": PASSWORD, "email": bob.email})
    assert set(Account.objects.exclude(identity_subject="").values_list("pk", flat=True)) == {alice.pk}


def test_one_person_one_account(
    issuer: str, alice: Account, make_account: Callable[..., Account], client_for: Callable[..., Client]
) -> None:
    bob = make_account("bob@example.net")
    identities.link_identity(actor=alice, issuer=issuer, subject=SUBJECT)
    client = client_for(bob)
    answer = sign_in(client)
    assert answer.status_code == 409
    assert "déjà reliée à un autre compte" in text(answer)
    assert client.get("/mes-informations/").context["user"] == bob  # and nobody changed places
    with pytest.raises(errors.IdentityTaken):
        identities.link_identity(actor=bob, issuer=issuer, subject=SUBJECT)
    with pytest.raises(errors.OtherIdentity):
        identities.link_identity(actor=alice, issuer=issuer, subject="another")
    assert identities.link_identity(actor=alice, issuer="https://the-next.example", subject="another")


def test_whoever_began_is_who_must_come_back(
    issuer: str, alice: Account, make_account: Callable[..., Account], client_for: Callable[..., Client]
) -> None:
    client = client_for(alice)
    back = over_there(out(client))
    client.force_login(make_account("bob@example.net"))
    assert client.get(back).status_code == 400
    assert not Account.objects.exclude(identity_subject="").exists()


def test_never_without_a_way_in(issuer: str, alice: Account, client_for: Callable[..., Client]) -> None:
    identities.link_identity(actor=alice, issuer=issuer, subject=SUBJECT)
    alice.refresh_from_db()
    alice.set_unusable_password()
    alice.save()
    answer = client_for(alice).post(MINE)
    assert answer.status_code == 422
    assert "Mot de passe oublié" in text(answer)
    alice.refresh_from_db()
    assert alice.identity_subject == SUBJECT


def test_not_in_somebody_s_place(issuer: str, alice: Account) -> None:
    alice.impersonated_by = Impersonation()
    with pytest.raises(errors.NotWhileImpersonating):
        identities.link_identity(actor=alice, issuer=issuer, subject=SUBJECT)
    with pytest.raises(errors.NotWhileImpersonating):
        identities.unlink_identity(actor=alice)


def test_what_a_thief_linked_goes_with_the_thief(issuer: str, alice: Account) -> None:
    """The old address takes its account back: whoever linked themselves meanwhile is out."""
    addresses.request_address_change(actor=alice, email="thief@example.net")
    services.handle_links()
    addresses.confirm_address(token=lien("link-address", "thief@example.net"))
    identities.link_identity(actor=alice, issuer=issuer, subject="thief")
    put_address_back(token=lien("address-changed", "alice@example.net"))
    assert identities.account_of(issuer=issuer, subject="thief") is None


def test_nobody_is_linked_to_nothing(town: Town, alice: Account) -> None:
    assert identities.account_of(issuer="", subject="") is None


def test_signing_out_over_there_too(issuer: str, alice: Account, client_for: Callable[..., Client]) -> None:
    identities.link_identity(actor=alice, issuer=issuer, subject=SUBJECT)
    client = client_for()
    sign_in(client)
    answer = client.post("/deconnexion/")
    assert answer.status_code == 200
    assert not is_somebody(client)
    onwards = answer.context["onwards"]
    assert onwards.startswith(f"{issuer}/oauth2/end_session?")
    asked = parse_qs(urlsplit(onwards).query)
    assert urlsplit(asked["post_logout_redirect_uri"][0]).path == "/"
    assert asked["id_token_hint"][0].count(".") == 2
    assert requests.get(onwards, allow_redirects=False, timeout=10).status_code < 400
    assert "Vous êtes déconnecté." in text(client.get("/"))


def test_a_password_s_session_ends_here_only(
    issuer: str, alice: Account, client_for: Callable[..., Client]
) -> None:
    identities.link_identity(actor=alice, issuer=issuer, subject=SUBJECT)
    client = client_for()
    client.post("/", {"email": alice.email, "password": PASSWORD})
    assert client.post("/deconnexion/")["Location"] == "/"


def test_another_town_s_keys_state_and_session(
    issuer: str, alice: Account, other_town: Town, honest: str, client_for: Callable[..., Client]
) -> None:
    identities.link_identity(actor=alice, issuer=issuer, subject=SUBJECT)
    client = client_for()
    back = over_there(out(client))
    elsewhere = {"host": "pechabou.localhost"}
    with tenant_context(other_town):
        assert client.get(START, headers=elsewhere).status_code == 404  # it offers nothing
        offer(honest)
    answer = client.get(back, headers=elsewhere)
    assert answer.status_code == 400
    # Its own state does not open ours either, with the code of ours.
    code = parse_qs(urlsplit(back).query)["code"][0]
    theirs = client_for(host="pechabou.localhost")
    state = parse_qs(urlsplit(theirs.get(START)["Location"]).query)["state"][0]
    assert client_for().get(f"{BACK}?{urlencode({'code': code, 'state': state})}").status_code == 400
    # And the same person, over there, is nobody there.
    there = theirs.get(START)["Location"]
    sent = requests.post(there, data={"sub": SUBJECT}, allow_redirects=False, timeout=10)
    parts = urlsplit(sent.headers["Location"])
    assert parts.netloc.startswith("pechabou.localhost")
    assert theirs.get(f"{parts.path}?{parts.query}")["Location"] == LINK


def test_guessing_is_slowed_down(issuer: str, alice: Account, client_for: Callable[..., Client]) -> None:
    client = client_for()
    sign_in(client)
    codes = [link(client, password="faux").status_code for _ in range(12)]
    assert codes == [422] * 12
    assert "Trop d'essais" in text(link(client))
    for _ in range(openid.FAILURES + 1):
        last = client_for().get(f"{BACK}?state=x")
    assert last.status_code == 400
    assert client_for().get(f"{BACK}?state=x").status_code == 429
    for _ in range(openid.STARTS + 1):
        last = client_for().get(START)
    assert last.status_code == 429


def test_while_the_town_is_moved(
    issuer: str, client_for: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openid, "is_read_only", lambda: True)
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


def test_few_attempts_are_remembered(issuer: str, client_for: Callable[..., Client]) -> None:
    client = client_for()
    first = over_there(out(client))
    for _ in range(openid_attempts.MOST - 1):
        out(client)
    assert len(client.session["openid"]) == openid_attempts.MOST
    assert client.get(first)["Location"] == LINK  # five tabs are five attempts
    first = over_there(out(client))
    for _ in range(openid_attempts.MOST):
        out(client)
    assert client.get(first).status_code == 400


def test_two_accounts_link_one_person_at_once(live_town: Town, make_account: Callable[..., Account]) -> None:
    for round_ in range(4):
        both = [make_account(f"{name}{round_}@example.net") for name in ("alice", "bob")]
        barrier, outcomes = threading.Barrier(2), []

        def run(account: Account, barrier: Any = barrier, outcomes: Any = outcomes, n: int = round_) -> None:
            try:
                with tenant_context(live_town):
                    barrier.wait(10)
                    link_identity(
                        actor=account, issuer="https://fc.example", subject=f"s{n}", label="FranceConnect"
                    )
                    outcomes.append("linked")
            except errors.IdentityTaken:
                outcomes.append("taken")
            finally:
                connection.close()

        threads = [threading.Thread(target=run, args=(account,)) for account in both]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(outcomes) == ["linked", "taken"]
        assert Account.objects.filter(identity_subject=f"s{round_}").count() == 1
        assert OutgoingMail.objects.filter(kind="identity-linked").count() == round_ + 1
