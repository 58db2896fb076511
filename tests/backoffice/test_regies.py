"""« Régies et PayFiP »: what a manager adds, changes, numbers and closes, and what is refused with a reason."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shared_apps.audit.models import AuditEntry
from tenant_apps.invoices.models import Invoice
from tenant_apps.products.models import Product
from tenant_apps.products.queries import default_product
from tenant_apps.products.services import add_product
from tests.backoffice.conftest import text
from tests.payments.conftest import Simulator
from tests.payments.conftest import simulator as simulator

LIST = "/gestion/reglages/regies/"
ADD = f"{LIST}ajouter/"
NEW = {
    "label": "Crèche",
    "kind": "regie",
    "protocol": "payfip",
    "number": "001966",
    "code": "",
    "contact_email": "",
}

NUMBER = {name: NEW[name] for name in ("kind", "protocol", "number")}


def page_of(product: Product, rest: str = "") -> str:
    return f"{LIST}{product.pk}/{rest}"


def step(browsers: SimpleNamespace, product: Product, name: str, **more: str) -> str:
    """Press a button of the page; what the next page says."""
    answer = browsers.manager.post(page_of(product), {"step": name, **more}, follow=True)
    assert answer.status_code == 200
    return text(answer)


@pytest.fixture
def invoice(people: SimpleNamespace, make_payer: Any, make_invoice: Any) -> Invoice:
    found: Invoice = make_invoice(make_payer(people.alice))
    return found


def test_what_the_town_may_change_whenever_it_likes(browsers: SimpleNamespace) -> None:
    product = default_product()
    type(product).objects.update(offers_declaration=False)
    path = page_of(product)
    page = text(browsers.manager.get(path))
    assert "001964" in page
    assert "Vos responsables le changent ici" in page
    sent = {
        "label": "Cantine",
        "code": "cantine",
        "contact_email": "",
        "offers_declaration": "on",
        "number": "999999",
        "numcli": "999999",
        "mode": "T",
    }
    assert browsers.manager.post(path, sent).status_code == 302
    product.refresh_from_db()
    assert (product.label, product.code, product.offers_declaration) == ("Cantine", "cantine", True)
    assert (product.numcli, product.mode) == ("001964", "W")  # the number has its own page
    fact = AuditEntry.objects.filter(verb="product.changed").latest("id")
    assert fact.new == {"label": "Cantine", "code": "cantine", "offers_declaration": True}
    assert browsers.manager.post(path, {**sent, "takes_several": "on"}).status_code == 302
    product.refresh_from_db()
    assert product.takes_several
    type(product).objects.update(kind="titre", takes_several=False)
    assert "plusieurs factures en un seul paiement" not in text(browsers.manager.get(path))
    assert browsers.manager.post(path, {**sent, "takes_several": "on"}).status_code == 302
    product.refresh_from_db()
    assert not product.takes_several  # the Treasury imposes the reference and the amount of a titre
    assert browsers.manager.post(path, {"label": ""}).status_code == 422
    refused = browsers.manager.post(path, {**sent, "code": "a b"})
    assert (refused.status_code, "sans espace" in text(refused)) == (422, True)
    assert browsers.clerk.post(path, sent).status_code == 403
    assert browsers.manager.get(f"{LIST}9999/").status_code == 404


def test_one_is_added_and_the_treasury_says_whose_it_is(
    browsers: SimpleNamespace, simulator: Simulator
) -> None:
    answer = browsers.manager.post(ADD, NEW, follow=True)
    creche = Product.objects.get(code="CRECHE")
    assert (creche.numcli, creche.mode, creche.checked_at) == ("001966", "T", None)
    shown = text(answer)
    for words in ("« Crèche » est ajoutée", "BUDGET EAU", "C'est bien nous", "Ce n'est pas nous"):
        assert words in shown
    listed = text(browsers.manager.get(LIST))
    for words in ("Régie cantine", "par défaut", "En service", "Crèche", "CRECHE", "Numéro à vérifier"):
        assert words in listed
    assert "produit" not in listed.lower().replace("?produit=", "")


@pytest.mark.parametrize(("number", "code"), [("999901", "T1"), ("999902", "T2"), ("999904", "T4")])
def test_a_number_that_the_treasury_refuses_is_kept_to_be_corrected(
    browsers: SimpleNamespace, simulator: Simulator, number: str, code: str
) -> None:
    answer = browsers.manager.post(ADD, {**NEW, "number": number}, follow=True)
    assert Product.objects.get(code="CRECHE").numcli == number
    assert f"ne connaît pas l'identifiant {number}, ou ne l'a pas encore ouvert (code {code})" in text(answer)


@pytest.mark.parametrize("soap", ["down", "technical", "garbage"])
def test_nothing_is_lost_while_the_treasury_is_silent(
    browsers: SimpleNamespace, simulator: Simulator, invoice: Invoice, soap: str
) -> None:
    simulator.behave(soap=soap)
    answer = browsers.manager.post(ADD, {**NEW, "number": "001977"}, follow=True)
    assert "Le Trésor public ne répond pas. Rien n'est perdu" in text(answer)
    assert Product.objects.get(code="CRECHE").numcli == "001977"
    refused = browsers.manager.post(page_of(default_product(), "identifiant/"), NEW)
    assert refused.status_code == 422  # one in use is not replaced by one that nobody recognised
    assert 'value="001966"' in refused.content.decode()  # what was typed stays
    assert default_product().numcli == "001964"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"label": ""}, "Écrivez le nom"),
        ({"number": ""}, "Indiquez l'identifiant"),
        ({"number": "12"}, "six chiffres"),
        ({"number": "001964"}, "déjà celui de « Régie cantine »"),
        ({"code": "REGIE"}, "a déjà le code"),
        ({"kind": "role", "takes_several": "on"}, "d'une régie seulement"),
        ({"kind": "impot"}, "impot"),
        ({"payable_days_after_due": "9999"}, "de 0 à 366"),
    ],
)
def test_what_cannot_be_added(browsers: SimpleNamespace, changed: dict[str, str], told: str) -> None:
    answer = browsers.manager.post(ADD, {**NEW, **changed})
    assert answer.status_code == 422
    assert told in text(answer)
    assert Product.objects.count() == 1


def test_titres_open_the_day_after(browsers: SimpleNamespace) -> None:
    browsers.manager.post(ADD, {**NEW, "kind": "titre"})
    browsers.manager.post(ADD, {**NEW, "label": "Rôle", "kind": "role", "payable_days_after_issue": "3"})
    browsers.manager.post(ADD, {**NEW, "label": "Eau", "number": "001977"})
    days = dict(Product.objects.values_list("label", "payable_days_after_issue"))
    assert days == {"Régie cantine": 0, "Crèche": 1, "Rôle": 3, "Eau": 0}


def test_a_number_in_use_is_replaced_once_recognised(
    browsers: SimpleNamespace, simulator: Simulator, invoice: Invoice
) -> None:
    old = default_product()
    path = page_of(old, "identifiant/")
    assert "L'identifiant 001964 sert déjà" in text(browsers.manager.get(path))
    asked = browsers.manager.post(path, {**NUMBER, "number": "00 19 66"})
    shown = text(asked)
    assert asked.status_code == 200
    for words in ("Est-ce bien vous ?", "BUDGET EAU", "001966", "à l'ancien identifiant"):
        assert words in shown
    assert Product.objects.count() == 1  # nothing yet
    label = "MAIRIE DE DEMONSTRATION\r\nBUDGET EAU\r\nDEMONSTRATION"
    done = browsers.manager.post(path, {**NUMBER, "label": label, "pays_after_end": "non"}, follow=True)
    new = default_product()
    old.refresh_from_db()
    assert (new.numcli, new.checked_at is not None, old.replaced_by, old.pays_after_end) == (
        "001966",
        True,
        new,
        False,
    )
    assert done.request["PATH_INFO"] == page_of(new)
    listed = text(browsers.manager.get(LIST))
    assert "Régie cantine (ancien numéro 001964)" in listed
    assert "Les nouvelles factures vont à" in text(browsers.manager.get(page_of(old)))
    chips = text(browsers.manager.get("/gestion/factures/"))
    assert "Régie cantine (ancien numéro 001964)" in chips


def test_a_number_is_corrected_and_asked_about(browsers: SimpleNamespace, simulator: Simulator) -> None:
    product = add_product(actor="system", label="Eau")
    answer = browsers.manager.post(page_of(product, "identifiant/"), NUMBER, follow=True)
    product.refresh_from_db()
    assert (product.numcli, product.mode, product.is_default) == ("001966", "T", False)
    assert "BUDGET EAU" in text(answer)


def test_it_closes_opens_and_goes(browsers: SimpleNamespace) -> None:
    creche = add_product(actor="system", label="Crèche")
    assert "ne reçoit plus de factures" in step(browsers, creche, "close", pays_after_end="oui")
    creche.refresh_from_db()
    assert creche.pays_after_end
    assert "se paie encore en ligne" in text(browsers.manager.get(page_of(creche)))
    assert "rouvrez-la avant" in step(browsers, creche, "default")
    assert "est rouverte" in step(browsers, creche, "reopen")
    assert "iront à « Crèche »" in step(browsers, creche, "default")
    assert "choisissez d'abord une autre" in step(browsers, creche, "close")
    regie = Product.objects.get(code="REGIE")
    step(browsers, regie, "default")
    assert "est supprimée" in step(browsers, creche, "delete")
    assert list(Product.objects.all()) == [regie]
    actors = set(
        AuditEntry.objects.filter(verb__startswith="product.", old__has_any_keys=["code"]).values_list(
            "actor", flat=True
        )
    )
    assert len(actors) == 1
    assert "account:" in actors.pop()


def test_one_with_invoices_is_not_deleted(
    browsers: SimpleNamespace, people: SimpleNamespace, make_payer: Any, make_invoice: Any
) -> None:
    creche = add_product(actor="system", label="Crèche")
    assert "Supprimer cette régie" in text(browsers.manager.get(page_of(creche)))
    make_invoice(make_payer(people.alice), product=creche)
    assert "Supprimer cette régie" not in text(browsers.manager.get(page_of(creche)))
    assert "elle se ferme" in step(browsers, creche, "delete")
    assert Product.objects.filter(pk=creche.pk).exists()


def test_closed_ones_are_offered_where_they_have_invoices(
    browsers: SimpleNamespace, people: SimpleNamespace, make_payer: Any, make_invoice: Any
) -> None:
    creche = add_product(actor="system", label="Crèche")
    assert "Crèche" in text(browsers.manager.get("/gestion/factures/"))
    step(browsers, creche, "close")
    assert "Crèche" not in text(browsers.manager.get("/gestion/factures/"))
    make_invoice(make_payer(people.alice), product=creche)
    assert "Crèche (fermée)" in text(browsers.manager.get("/gestion/factures/"))
    for code, shown in (("CRECHE", True), ("REGIE", False)):
        kept = text(browsers.manager.get(f"/gestion/factures/?produit={code}"))
        assert ("2026-001-000001" in kept) == shown


@pytest.mark.parametrize("who", ["reader", "clerk"])
def test_managers_only(browsers: SimpleNamespace, who: str) -> None:
    browser, product = getattr(browsers, who), default_product()
    assert browser.get(LIST).status_code == 403
    for path in (ADD, page_of(product), page_of(product, "identifiant/")):
        assert browser.get(path).status_code == 403
        assert browser.post(path, {"step": "close", **NEW}).status_code == 403
    assert Product.objects.count() == 1


def test_as_many_statements_for_many(browsers: SimpleNamespace) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert browsers.manager.get(LIST).status_code == 200
        return len(seen)

    statements()
    few = statements()
    for n in range(12):
        add_product(actor="system", label=f"Régie {n}")
    assert statements() == few
