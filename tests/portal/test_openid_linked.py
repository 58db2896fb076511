"""An account and its identity at the provider: one each, undone in « Mes informations », here only, tried so often."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from django.test import Client
from django_tenants.utils import tenant_context

from shared_apps.accounts import errors
from shared_apps.accounts.addresses import put_address_back
from shared_apps.accounts.models import Account, Impersonation
from shared_apps.accounts.signing_in import identities
from shared_apps.accounts.signing_in.openid import attempts
from shared_apps.mail.models import OutgoingMail
from tenant_apps.portal.openid import road
from tenant_apps.residents import activation
from tenant_apps.residents.account import addresses
from tenant_apps.residents.account.identities import link_identity
from tenants.models import Town
from tests.conftest import PASSWORD
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
    link,
    offer,
    out,
    over_there,
    sign_in,
)
from tests.races import at_once
from tests.residents.mails import ask_address, lien

__all__ = ["honest", "issuer"]  # fixtures


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
    ask_address(alice, "thief@example.net")
    activation.handle_links()
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
    assert codes == [422] * 10 + [429] * 2
    assert "Trop d'essais" in text(link(client))
    for _ in range(road.FAILURES.most):
        last = client_for().get(f"{BACK}?state=x")
    assert last.status_code == 400
    assert client_for().get(f"{BACK}?state=x").status_code == 429
    for _ in range(road.STARTS.most):
        last = client_for().get(START)
    assert last.status_code == 429


def test_few_attempts_are_remembered(issuer: str, client_for: Callable[..., Client]) -> None:
    client = client_for()
    first = over_there(out(client))
    for _ in range(attempts.MOST - 1):
        out(client)
    assert len(client.session["openid"]) == attempts.MOST
    assert client.get(first)["Location"] == LINK  # five tabs are five attempts
    first = over_there(out(client))
    for _ in range(attempts.MOST):
        out(client)
    assert client.get(first).status_code == 400


def test_two_accounts_link_one_person_at_once(live_town: Town, make_account: Callable[..., Account]) -> None:
    for round_ in range(4):
        both = [make_account(f"{name}{round_}@example.net") for name in ("alice", "bob")]
        who = {"issuer": "https://fc.example", "subject": f"s{round_}", "label": "FranceConnect"}
        raised = at_once(
            live_town,
            *(lambda account=account, who=who: link_identity(actor=account, **who) for account in both),
        )
        assert [type(error) for error in raised] == [errors.IdentityTaken]
        assert Account.objects.filter(identity_subject=f"s{round_}").count() == 1
        assert OutgoingMail.objects.filter(kind="identity-linked").count() == round_ + 1
