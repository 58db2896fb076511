"""« Régies et PayFiP » of a town, by the operator: in the town's schema, with a reason, under the operator's name."""

from typing import Any

import pytest
from django.test import Client
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account
from shared_apps.audit.models import AuditEntry
from tenant_apps.products.models import Product
from tenant_apps.products.queries import default_product
from tenants.models import Town
from tests.backoffice.conftest import text
from tests.payments.conftest import Simulator
from tests.payments.conftest import simulator as simulator

LIST = "/communes/mairie/regies/"
WHY = {"reason": "demande de la mairie du 30/11"}
NEW = {
    "label": "Crèche",
    "kind": "regie",
    "protocol": "payfip",
    "number": "001966",
    "payable_days_after_issue": "0",
    **WHY,
}


def act(console: Client, product: Product, key: str, **sent: str) -> Any:
    return console.post(f"{LIST}{product.pk}/{key}/", {**WHY, **sent})


def facts(town: Town) -> list[tuple[str, str, object]]:
    with tenant_context(town):
        found = AuditEntry.objects.filter(verb__startswith="product.").order_by("id")
        return [(one.verb, one.actor, one.new.get("reason")) for one in found]


def test_one_is_added_in_the_town(console: Client, operator: Account, town: Town, other_town: Town) -> None:
    answer = console.post(f"{LIST}ajouter/", NEW)
    assert answer.status_code == 302
    with tenant_context(town):
        creche = Product.objects.get(code="CRECHE")
        assert (creche.numcli, creche.mode) == ("001966", "T")
    with tenant_context(other_town):
        assert Product.objects.count() == 1
    assert facts(town)[-1] == ("product.created", f"operator:{operator.uuid}", WHY["reason"])
    listed = text(console.get(LIST))
    for words in (
        "Crèche",
        "Numéro à vérifier",
        "Régie cantine",
        "par défaut",
        "Régie ajoutée",
        operator.email,
    ):
        assert words in listed
    assert "Crèche" in text(console.get(f"{LIST}{creche.pk}/"))
    assert LIST in console.get("/communes/mairie/").content.decode()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"reason": ""}, "Écrivez le motif"),
        ({"number": "001964"}, "déjà celui de"),
        ({"number": "12"}, "six chiffres"),
        ({"code": "regie"}, "a déjà le code"),
    ],
)
def test_what_cannot_be_added(console: Client, town: Town, changed: dict[str, str], told: str) -> None:
    answer = console.post(f"{LIST}ajouter/", {**NEW, **changed})
    assert (answer.status_code, told in text(answer)) == (422, True)
    with tenant_context(town):
        assert Product.objects.count() == 1


def test_each_act(console: Client, operator: Account, town: Town) -> None:
    console.post(f"{LIST}ajouter/", NEW)
    with tenant_context(town):
        creche = Product.objects.get(code="CRECHE")
    changed = {"label": "Petite enfance", "code": "PE", "payable_days_after_issue": "0"}
    for key, sent in (
        ("modifier", changed),
        ("fermer", {"pays_after_end": "on"}),
        ("rouvrir", {}),
        ("identifiant", {"kind": "regie", "protocol": "payfip", "number": "001977"}),
        ("par-defaut", {}),
    ):
        assert act(console, creche, key, **sent).status_code == 302, key
    with tenant_context(town):
        creche.refresh_from_db()
        regie = Product.objects.get(code="REGIE")
    assert (creche.label, creche.code, creche.numcli, creche.is_default) == (
        "Petite enfance",
        "PE",
        "001977",
        True,
    )
    assert act(console, creche, "supprimer").status_code == 404  # the default: not offered
    assert act(console, regie, "par-defaut").status_code == 302
    assert act(console, creche, "supprimer").status_code == 302
    assert {(actor, reason) for _verb, actor, reason in facts(town)[1:]} == {
        (f"operator:{operator.uuid}", WHY["reason"])
    }
    assert act(console, regie, "fermer", reason="").status_code == 404
    assert console.get(f"{LIST}9999/").status_code == 404
    assert console.get("/communes/absente/regies/").status_code == 404


def test_a_number_in_use_is_replaced_once_recognised(
    console: Client, town: Town, simulator: Simulator, make_account: Any, make_payer: Any, make_invoice: Any
) -> None:
    with tenant_context(town):
        old = default_product()
        make_invoice(make_payer(make_account("alice@example.net")))
    sent = {"kind": "regie", "protocol": "payfip", "number": "001966", "pays_after_end": "on"}
    asked = act(console, old, "identifiant", **sent)
    assert (asked.status_code, "BUDGET EAU" in text(asked)) == (200, True)
    with tenant_context(town):
        assert Product.objects.count() == 1
    label = "MAIRIE DE DEMONSTRATION\nBUDGET EAU\nDEMONSTRATION"
    assert act(console, old, "identifiant", label=label, **sent).status_code == 302
    with tenant_context(town):
        new = default_product()
        old.refresh_from_db()
    assert (new.numcli, old.replaced_by_id, old.pays_after_end) == ("001966", new.pk, True)
    refused = act(console, new, "identifiant", **{**sent, "number": "001964"})
    assert (refused.status_code, "déjà celui de" in text(refused)) == (422, True)


def test_a_number_is_checked(console: Client, town: Town, simulator: Simulator) -> None:
    with tenant_context(town):
        product = default_product()
    asked = act(console, product, "verifier")
    assert "REGIE CANTINE ET PERISCOLAIRE" in text(asked)
    label = "MAIRIE DE DEMONSTRATION\nREGIE CANTINE ET PERISCOLAIRE\nDEMONSTRATION"
    assert act(console, product, "verifier", label=label).status_code == 302
    with tenant_context(town):
        assert default_product().checked_at is not None
    simulator.behave(soap="down")
    silent = act(console, product, "verifier")
    assert silent.status_code == 422
