"""The life of a product: added, changed, made the default, closed, reopened, deleted."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from shared_apps.accounts.models import Account, Role
from shared_apps.audit.models import AuditEntry
from shared_apps.audit.verbs import changes
from tenant_apps.invoices.models import Invoice
from tenant_apps.products import services
from tenant_apps.products.codes import code_for, free_code, problem
from tenant_apps.products.errors import Ended, InUse, StillDefault
from tenant_apps.products.models import Product
from tenant_apps.products.queries import default_product, is_unused, receiving_products
from tenant_apps.products.stages import stage_of
from tenant_apps.residents.models import Payer
from tenants.models import Town


def add(label: str = "Crèche", **settings: Any) -> Product:
    return services.add_product(actor="system", label=label, **settings)


def last(verb: str) -> AuditEntry:
    return AuditEntry.objects.filter(verb=verb).latest("id")


def test_one_is_added(town: Town) -> None:
    added = add(
        "Crèche « Les Lutins »", number="001977", protocol="payfip", contact_email="creche@example.org"
    )
    assert (added.code, added.kind, added.mode, added.is_default) == (
        "CRECHE-LES-LUTINS",
        "regie",
        "T",
        False,
    )
    assert (added.numcli, added.checked_at, added.contact_email) == ("001977", None, "creche@example.org")
    assert add("Crèche, les lutins").code == "CRECHE-LES-LUTINS-2"
    assert last("product.created").new["code"] == "CRECHE-LES-LUTINS-2"
    assert stage_of(added).words == "Numéro à vérifier"
    assert default_product().code == "REGIE"


def test_the_first_of_a_town_is_its_default(town: Town) -> None:
    Product.objects.all().delete()
    assert add().is_default


def test_the_first_takes_the_place_of_what_the_town_began_with(town: Town) -> None:
    Product.objects.all().delete()
    services.set_up_first_product(actor="system")
    canteen = add("Régie cantine", number="001977", protocol="payfip")
    assert canteen.is_default
    assert list(Product.objects.all()) == [canteen]
    assert last("product.deleted").old == {"label": "Factures", "code": "GENERAL", "numcli": ""}
    assert not add("Crèche").is_default


@pytest.mark.parametrize("touched", ["label", "number", "invoice", "limited"])
def test_what_was_touched_stays(
    town: Town,
    make_account: Callable[..., Account],
    make_payer: Callable[..., Payer],
    make_invoice: Callable[..., Invoice],
    touched: str,
) -> None:
    Product.objects.all().delete()
    first = services.set_up_first_product(
        actor="system",
        label="Trésorerie" if touched == "label" else "",
        number="001977" if touched == "number" else "",
    )
    if touched == "invoice":
        make_invoice(make_payer(), product=first)
    if touched == "limited":
        services.limit_member(
            actor="system", account=make_account("a@example.net", role=Role.CLERK), products=[first]
        )
    assert not add().is_default
    assert default_product() == first


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"code": "regie"}, "code"),
        ({"code": "une régie"}, "code"),
        ({"protocol": "payfip"}, "number"),
        ({"protocol": "payfip", "number": "12"}, "number"),
        ({"protocol": "payfip", "number": "001964"}, "number"),
        ({"label": ""}, "label"),
        ({"kind": "impot"}, "kind"),
        ({"kind": "role", "takes_several": True}, "__all__"),
    ],
)
def test_what_cannot_be_added(town: Town, settings: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        add(**{"label": "Crèche", **settings})
    assert set(refused.value.error_dict) == {field}
    assert Product.objects.count() == 1


def test_titres_and_roles_of_a_budget_share_its_number(town: Town) -> None:
    add("Titres de l'eau", kind="titre", number="001977", protocol="payfip")
    add("Rôle de l'eau", kind="role", number="001977", protocol="payfip")
    for kind in ("role", "regie"):
        with pytest.raises(ValidationError, match="déjà celui de"):
            add("Autre", kind=kind, number="001977", protocol="payfip")


def test_the_database_knows_one_code_and_one_number(town: Town) -> None:
    for constraint, settings in (
        ("one_product_of_a_code", {"code": "regie"}),
        ("one_product_of_a_number", {"code": "X", "numcli": "001964"}),
        ("default_receives_invoices", {"code": "Y", "is_default": True, "ended_at": timezone.now()}),
        ("pays_after_an_end", {"code": "Z", "pays_after_end": True}),
    ):
        if constraint == "default_receives_invoices":
            Product.objects.update(is_default=False)
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            Product.objects.create(label="x", kind="regie", **settings)


def test_the_code_changes_and_stays_of_one(town: Town) -> None:
    creche = add()
    same = {"label": "Crèche", "contact_email": "", "offers_declaration": False}
    changed = services.change_product(
        actor="system", product=creche, code="PETITE-ENFANCE", reason="fusion", **same
    )
    assert changed.code == "PETITE-ENFANCE"
    fact = last("product.changed")
    assert (fact.object, fact.old, fact.new) == (
        "product:CRECHE",
        {"code": "CRECHE"},
        {"code": "PETITE-ENFANCE", "reason": "fusion"},
    )
    assert changes(fact) == "code dans les fichiers : CRECHE → PETITE-ENFANCE ; motif : fusion"
    with pytest.raises(ValidationError):
        services.change_product(actor="system", product=creche, code="Regie", **same)


def test_another_becomes_the_default(town: Town) -> None:
    creche = add()
    services.make_default(actor="system", product=creche)
    services.make_default(actor="system", product=creche)
    assert default_product() == creche
    facts = AuditEntry.objects.filter(verb="product.made_default")
    assert [(fact.old, fact.new) for fact in facts] == [({"code": "REGIE"}, {"code": "CRECHE"})]


def test_it_closes_and_opens_again(town: Town) -> None:
    creche = add()
    ended = services.end_product(actor="system", product=creche, pays_after_end=True, reason="fin de contrat")
    assert (stage_of(ended).words, ended.full_label) == (
        "Fermée aux nouvelles factures",
        "Crèche (fermée)",
    )
    services.end_product(actor="system", product=creche, pays_after_end=True)
    assert AuditEntry.objects.filter(verb="product.ended").count() == 1
    since = ended.ended_at
    again = services.end_product(actor="system", product=creche, pays_after_end=False)
    assert (again.ended_at, again.pays_after_end) == (since, False)
    assert creche not in receiving_products()
    with pytest.raises(Ended):
        services.make_default(actor="system", product=creche)
    assert services.reopen_product(actor="system", product=creche)
    assert not services.reopen_product(actor="system", product=creche)
    assert creche in receiving_products()
    assert [AuditEntry.objects.filter(verb=f"product.{act}").count() for act in ("ended", "reopened")] == [
        2,
        1,
    ]


def test_the_default_stays_open(town: Town) -> None:
    with pytest.raises(StillDefault):
        services.end_product(actor="system", product=default_product(), pays_after_end=True)
    with pytest.raises(StillDefault):
        services.delete_product(actor="system", product=default_product())
    assert default_product().ended_at is None


def test_one_without_anything_is_deleted(
    town: Town, make_account: Any, make_payer: Any, make_invoice: Any
) -> None:
    creche, other = add(), add("Eau")
    make_invoice(make_payer(make_account("alice@example.net")), product=other)
    assert (is_unused(creche), is_unused(other)) == (True, False)
    services.delete_product(actor="system", product=creche)
    services.delete_product(actor="system", product=creche)  # somebody else deleted it before
    assert not Product.objects.filter(pk=creche.pk).exists()
    assert last("product.deleted").old["code"] == "CRECHE"
    with pytest.raises(InUse):
        services.delete_product(actor="system", product=other)
    assert Product.objects.filter(pk=other.pk).exists()


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("Régie de la cantine", "REGIE-DE-LA-CANTINE"),
        ("Eau & assainissement – budget annexe", "EAU-ASSAINISSEMENT-BUDGET-ANNE"),
        ("«»", "REGIE"),
        ("日本", "REGIE"),
    ],
)
def test_a_code_is_made_of_the_label(label: str, code: str) -> None:
    assert code_for(label, taken=()) == code
    assert problem(code) == ""


def test_a_code_is_numbered_and_never_too_long() -> None:
    assert free_code("A" * 40, taken={"a" * 30}) == "A" * 28 + "-2"
    assert [bool(problem(code)) for code in ("", "A B", "é", "-A", "A" * 31, "A-1.b")] == [True] * 5 + [False]
