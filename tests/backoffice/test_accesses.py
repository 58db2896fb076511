"""The accounts that see a payer's invoices: staff read who gave what, cut and restore it."""

from types import SimpleNamespace
from typing import Any

from tenant_apps.residents.models import Access
from tenant_apps.residents.queries import payers_of
from tests.backoffice.conftest import text


def test_cut_and_restored(
    browsers: SimpleNamespace, people: SimpleNamespace, make_payer: Any, make_account: Any
) -> None:
    bob, payer = make_account("bob@example.net"), make_payer(people.alice)
    Access.objects.create(account=bob, payer=payer, granted_by=people.alice.uuid)
    page, act = f"/gestion/redevables/{payer.uuid}/", f"/gestion/redevables/{payer.uuid}/acces/"
    shown = text(browsers.reader.get(page))
    assert "Accordé par alice@example.net, sur invitation" in shown
    assert "Donné par la mairie, ou par une facture papier" in shown
    assert "Retirer l'accès bob" not in shown  # a reader only reads
    assert "Retirer l'accès bob@example.net" in text(browsers.clerk.get(page))
    cut = {"compte": bob.uuid, "quoi": "retirer"}
    assert browsers.reader.post(act, cut).status_code == 403
    assert browsers.alice.post(act, cut).status_code == 404
    assert payers_of(bob).exists()
    answer = browsers.clerk.post(act, cut, follow=True)
    assert "bob@example.net ne voit plus ces factures." in text(answer)
    assert not payers_of(bob).exists()
    assert "voit de nouveau" in text(browsers.clerk.post(act, {**cut, "quoi": "rendre"}, follow=True))
    assert payers_of(bob).exists()


def test_what_is_not_there(browsers: SimpleNamespace, people: SimpleNamespace, make_payer: Any) -> None:
    payer, other = make_payer(), make_payer(people.alice)
    act = f"/gestion/redevables/{payer.uuid}/acces/"
    assert browsers.clerk.post(act, {"compte": people.alice.uuid, "quoi": "retirer"}).status_code == 404
    act = f"/gestion/redevables/{other.uuid}/acces/"
    assert browsers.clerk.post(act, {"compte": people.alice.uuid, "quoi": "danser"}).status_code == 404
    assert browsers.clerk.post(act, {"compte": "x", "quoi": "retirer"}).status_code == 302
    assert payers_of(people.alice).exists()
