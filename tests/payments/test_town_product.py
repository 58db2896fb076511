"""`manage.py town_product`: the régies of a town without a browser."""

import io
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tenant_apps.products.models import Product
from tenant_apps.products.queries import default_product
from tenants.models import Town
from tests.payments.conftest import Simulator


def run(*words: str) -> str:
    told = io.StringIO()
    call_command("town_product", "--town", "mairie", *words, stdout=told)
    return told.getvalue()


def test_from_one_to_two_and_back(town: Town, simulator: Simulator) -> None:
    said = run("add", "Titres de l'eau", "--kind", "titre", "--protocol", "payfip", "--number", "001966")
    assert "sous le code TITRES-DE-L-EAU" in said
    water = Product.objects.get(code="TITRES-DE-L-EAU")
    assert (water.kind, water.numcli, water.payable_days_after_issue) == ("titre", "001966", 1)
    assert "TITRES-DE-L-EAU – Titres de l'eau – titres de recettes – 001966 – Numéro à vérifier" in run(
        "list"
    )
    assert "REGIE (par défaut) – Régie cantine – régie – 001964 – En service – 0 facture(s)" in run("list")
    assert "COMMUNE DE PECHABOU" in run("number", "titres-de-l-eau", "001965")
    assert "vont à" in run("default", "titres-de-l-eau")
    assert "est fermée" in run("close", "REGIE", "--pays-online")
    assert Product.objects.get(code="REGIE").pays_after_end
    assert "est rouverte" in run("reopen", "REGIE")
    assert "était déjà ouverte" in run("reopen", "REGIE")
    run("default", "REGIE")
    assert "est supprimée" in run("delete", "TITRES-DE-L-EAU")


def test_a_number_in_use_wants_to_be_recognised(
    town: Town, simulator: Simulator, make_account: Any, make_payer: Any, make_invoice: Any
) -> None:
    make_invoice(make_payer(make_account("alice@example.net")))
    with pytest.raises(CommandError, match=r"BUDGET EAU.*--recognised"):
        run("number", "REGIE", "001966")
    assert Product.objects.count() == 1
    assert "a l'identifiant 001966" in run("number", "REGIE", "001966", "--recognised")
    assert default_product().numcli == "001966"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("close", "REGIE"), "choisissez d'abord une autre"),
        (("close", "EAU"), "Codes connus : REGIE"),
        (("number", "REGIE", "12"), "six chiffres"),
        (("number", "REGIE", "999902"), "999902"),
        (("add", "X", "--protocol", "paypal"), "Aucun paiement en ligne « paypal »"),
        (("add", "X", "--code", "REGIE"), "a déjà le code"),
        (("add", "X", "--protocol", "payfip"), "Indiquez l'identifiant"),
    ],
)
def test_what_is_refused(town: Town, simulator: Simulator, words: tuple[str, ...], told: str) -> None:
    with pytest.raises(CommandError, match=told):
        run(*words)
    assert Product.objects.count() == 1


def test_an_unknown_town(town: Town) -> None:
    with pytest.raises(CommandError):
        call_command("town_product", "--town", "absente", "list")
