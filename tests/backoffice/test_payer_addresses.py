"""A payer's addresses and accounts as staff read and change them."""

from types import SimpleNamespace
from typing import Any

import pytest

from tenant_apps.residents import activation
from tenant_apps.residents.emails import billing
from tenant_apps.residents.models import Access, PayerEmail
from tenant_apps.residents.queries import payers_of
from tests.backoffice.conftest import text

NEW = "nouvelle@example.net"


@pytest.fixture
def seen(people: SimpleNamespace, make_payer: Any) -> SimpleNamespace:
    """A payer whose one address is Alice's, who has an account."""
    payer = make_payer(email=people.alice.email)
    activation.grant_known_payers(account=people.alice)
    page = f"/gestion/redevables/{payer.uuid}/"
    return SimpleNamespace(payer=payer, page=page, act=f"{page}adresses/", add=f"{page}adresses/ajouter/")


def addresses(payer: Any) -> list[str]:
    return sorted(PayerEmail.objects.filter(payer=payer).values_list("email", flat=True))


def test_who_has_an_account_with_which_address(browsers: SimpleNamespace, seen: SimpleNamespace) -> None:
    shown = text(browsers.reader.get(seen.page))
    assert "Donnée par la facturation, depuis le" in shown
    assert "Compte activé le" in shown
    assert "Donné par l'adresse alice@example.net" in shown
    assert "Dernière connexion le" in shown
    PayerEmail.objects.create(payer=seen.payer, email=NEW)
    assert "Aucun compte à cette adresse" in text(browsers.reader.get(seen.page))
    activation.request_activation(email=NEW)
    activation.handle_links()
    assert "Lien d'activation demandé le" in text(browsers.reader.get(seen.page))


def test_added_taken_away_and_put_back(
    browsers: SimpleNamespace, seen: SimpleNamespace, people: SimpleNamespace
) -> None:
    for stranger, status in ((browsers.reader, 403), (browsers.alice, 404)):
        assert stranger.post(seen.add, {"email": NEW}).status_code == status
        refused = stranger.post(seen.act, {"adresse": "alice@example.net", "quoi": "retirer"})
        assert refused.status_code == status
    assert "Ajouter une adresse" not in text(browsers.reader.get(seen.page))
    answer = browsers.clerk.post(seen.add, {"email": " Nouvelle@Example.net"}, follow=True)
    assert "nouvelle@example.net est ajoutée" in text(answer)
    assert "Ajoutée par clerk@example.net le" in text(answer)
    assert addresses(seen.payer) == ["alice@example.net", NEW]
    out = {"adresse": "alice@example.net", "quoi": "retirer"}
    answer = browsers.clerk.post(seen.act, out, follow=True)
    assert "Retirée par clerk@example.net le" in text(answer)
    assert "ce compte a été ouvert avec une adresse retirée" in text(answer)
    assert addresses(seen.payer) == [NEW]
    assert not payers_of(people.alice).exists()
    found = text(browsers.reader.get("/gestion/redevables/", {"q": "alice@example"}))
    assert seen.payer.reference in found  # its owner asks why
    answer = browsers.clerk.post(seen.act, {**out, "quoi": "remettre"}, follow=True)
    assert "est de nouveau une adresse" in text(answer)
    assert payers_of(people.alice).exists()
    assert "Adresses retirées" not in text(answer)


def test_the_access_given_back_stands(
    browsers: SimpleNamespace, seen: SimpleNamespace, people: SimpleNamespace
) -> None:
    billing.replace_emails({seen.payer.pk: []}, actor="system")
    shown = text(browsers.clerk.get(seen.page))
    assert "La facturation ne la donne plus depuis le" in shown
    assert not payers_of(people.alice).exists()
    back = {"compte": people.alice.uuid, "quoi": "rendre"}
    assert "voit de nouveau" in text(browsers.clerk.post(f"{seen.page}acces/", back, follow=True))
    billing.replace_emails({seen.payer.pk: []}, actor="system")
    assert payers_of(people.alice).exists()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "prenom.nom@exemple.fr"),
        ("pas une adresse", "contient une espace"),
        ("a@", "n'est pas complète"),
        ("alice@example.net", "déjà celle de ce redevable"),
    ],
)
def test_a_wrong_address_is_said(
    browsers: SimpleNamespace, seen: SimpleNamespace, typed: str, words: str
) -> None:
    answer = browsers.clerk.post(seen.add, {"email": typed})
    assert answer.status_code == 422
    assert words in text(answer)
    assert 'aria-invalid="true"' in answer.content.decode()
    assert addresses(seen.payer) == ["alice@example.net"]


def test_what_is_not_there(browsers: SimpleNamespace, seen: SimpleNamespace) -> None:
    assert browsers.clerk.post(seen.act, {"adresse": "x", "quoi": "danser"}).status_code == 404
    browsers.clerk.post(seen.act, {"adresse": "x@example.net", "quoi": "retirer"})
    browsers.clerk.post(seen.act, {"adresse": "x@example.net", "quoi": "remettre"})
    assert addresses(seen.payer) == ["alice@example.net"]


def test_the_page_asks_as_much_of_many_as_of_few(
    browsers: SimpleNamespace,
    seen: SimpleNamespace,
    make_account: Any,
    django_assert_max_num_queries: Any,
) -> None:
    for n in range(12):
        account = make_account(f"p{n}@example.net")
        billing.add_email(actor=account, payer=seen.payer, email=account.email)
        Access.objects.filter(account=account).update(granted_by=account.uuid)
        PayerEmail.objects.create(payer=seen.payer, email=f"q{n}@example.net")
        billing.remove_email(actor=account, payer=seen.payer, email=f"q{n}@example.net")
    browsers.reader.get(seen.page)
    with django_assert_max_num_queries(QUERIES):
        browsers.reader.get(seen.page)


QUERIES = (
    17  # addresses: five; accounts, history: two each; the payer, its source, its invoices, and every page's
)
