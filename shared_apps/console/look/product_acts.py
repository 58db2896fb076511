"""What an operator may do to a régie of a town, as data: the same services as the town's own managers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared_apps.console.look import product_forms as forms
from tenant_apps.payments import services as payments
from tenant_apps.products import services
from tenant_apps.products.models import Product

Data = Mapping[str, Any]


class Unrecognised(Exception):
    """Somebody must say first whether these lines of the Treasury are the town's."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        super().__init__("the lines of the Treasury are not recognised")
        self.lines = lines


@dataclass(frozen=True)
class ProductAct:
    """`key` is its part of the address; `do(actor, product, data)` returns what was done, in a sentence."""

    key: str
    label: str
    explain: str
    do: Callable[[str, Product, Data], str]
    form: type[forms.ProductForm] = forms.ReasonOnlyForm
    is_offered: Callable[[Product], bool] = lambda product: True
    danger: bool = False


def _change(actor: str, product: Product, data: Data) -> str:
    changed = services.change_product(actor=actor, product=product, **data)
    return f"« {changed.label} » est enregistrée."


def _number(actor: str, product: Product, data: Data) -> str:
    """Raises Unrecognised for a number that somebody must recognise first."""
    wanted = {name: data[name] for name in ("kind", "protocol", "number")}
    if payments.change_of(product, **wanted) == payments.Change.REPLACE and not data["label"]:
        raise Unrecognised(payments.ask_number(wanted["protocol"], wanted["number"]))
    changed = payments.change_agreement(actor=actor, product=product, **data)
    if changed.pk != product.pk:
        return (
            f"« {changed.label} » a un nouvel identifiant ; l'ancien garde ses factures, sous un autre code."
        )
    return "C'est enregistré : vérifiez l'identifiant, puis la mise en service se fait dans la commune."


def _check(actor: str, product: Product, data: Data) -> str:
    """Raises Unrecognised until the lines are recognised."""
    if not data["label"]:
        raise Unrecognised(payments.ask_label(product))
    payments.recognise(actor=actor, product=product, label=data["label"])
    return "L'identifiant est vérifié."


def _end(actor: str, product: Product, data: Data) -> str:
    services.end_product(actor=actor, product=product, **data)
    return "La régie est fermée : elle ne reçoit plus de factures."


def _reopen(actor: str, product: Product, data: Data) -> str:
    done = services.reopen_product(actor=actor, product=product, **data)
    return "La régie est rouverte." if done else "Elle était déjà ouverte."


def _default(actor: str, product: Product, data: Data) -> str:
    services.make_default(actor=actor, product=product, **data)
    return "C'est désormais la régie des fichiers qui n'en nomment aucune."


def _delete(actor: str, product: Product, data: Data) -> str:
    services.delete_product(actor=actor, product=product, **data)
    return "La régie est supprimée."


ACTS: tuple[ProductAct, ...] = (
    ProductAct(
        "modifier",
        "Modifier",
        "Nom, code, adresse du service, fenêtre de paiement.",
        _change,
        form=forms.DetailsForm,
    ),
    ProductAct(
        "identifiant",
        "Changer l'identifiant",
        "Nature, paiement en ligne et identifiant. Un identifiant qui a déjà servi garde ses factures et ses "
        "règlements : un nouveau prend sa place.",
        _number,
        form=forms.AgreementForm,
    ),
    ProductAct(
        "verifier",
        "Vérifier l'identifiant",
        "Demande au Trésor public à qui est l'identifiant ; une personne de la commune doit s'y reconnaître.",
        _check,
        form=forms.CheckForm,
        is_offered=lambda product: product.is_paid_online,
    ),
    ProductAct(
        "par-defaut",
        "En faire la régie par défaut",
        "Celle des factures dont le fichier ne nomme aucune régie.",
        _default,
        is_offered=lambda product: not product.is_default and product.ended_at is None,
    ),
    ProductAct(
        "rouvrir",
        "Rouvrir",
        "Elle reçoit de nouveau des factures.",
        _reopen,
        is_offered=lambda product: product.ended_at is not None,
    ),
    ProductAct(
        "fermer",
        "Fermer",
        "Plus de nouvelles factures. Ce qui reste dû se règle au guichet, ou aussi en ligne.",
        _end,
        form=forms.EndForm,
        is_offered=lambda product: not product.is_default,
    ),
    ProductAct(
        "supprimer",
        "Supprimer",
        "Seulement tant que rien n'y est attaché.",
        _delete,
        is_offered=lambda product: not product.is_default,
        danger=True,
    ),
)


def offered(product: Product) -> list[ProductAct]:
    """What can be done to it now."""
    return [act for act in ACTS if act.is_offered(product)]
