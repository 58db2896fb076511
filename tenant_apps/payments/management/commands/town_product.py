"""`manage.py town_product --town SLUG ACT …`: the régies, titres and rôles of a town.

list: all of them. add LABEL [--kind --code --protocol --number]: a new one, at the stage of test. number CODE NUMBER
[--protocol --recognised]: give it a number; the Treasury says whose it is, and nothing changes for a number in use
until the same command is run again with --recognised. close CODE [--pays-online], reopen CODE, default CODE, delete
CODE.
"""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_tenants.utils import tenant_context

from shared_apps.audit.services import SYSTEM
from tenant_apps.payments.errors import PaymentError, ProviderError
from tenant_apps.payments.online import agreements
from tenant_apps.payments.online.agreements import Change
from tenant_apps.payments.queries import ProductFigures, figures_by_product
from tenant_apps.products import protocols, services
from tenant_apps.products.errors import ProductError
from tenant_apps.products.models import Product, ProductKind
from tenant_apps.products.queries import products, products_by_code
from tenant_apps.products.stages import stage_of
from tenants.errors import TownError
from tenants.life.services import town_named

Options = dict[str, Any]


def add(options: Options) -> str:
    added = services.add_product(
        actor=SYSTEM,
        label=options["label"],
        kind=options["kind"],
        code=options["code"],
        protocol=options["protocol"],
        number=options["number"],
        reason=options["reason"],
        payable_days_after_issue=0 if options["kind"] == ProductKind.REGIE else 1,
    )
    return f"« {added.label} » est ajoutée sous le code {added.code}. {_next_step(added)}"


def show(options: Options) -> str:
    figures = figures_by_product()
    return "\n".join(_line(one, figures.get(one.pk, ProductFigures())) for one in products())


def number(options: Options) -> str:
    product = _named(options["code"])
    wanted = {"kind": product.kind, "number": options["number"]}
    wanted["protocol"] = options["protocol"] or product.protocol
    if wanted["protocol"] == protocols.NONE:
        raise CommandError(f"Dites aussi par quoi elle se paie, avec --protocol : {_protocols()}.")
    planned = agreements.change_of(product, **wanted)
    lines = agreements.ask_number(wanted["protocol"], wanted["number"])
    said = " / ".join(lines) or "aucun libellé"
    if planned == Change.REPLACE and not options["recognised"]:
        raise CommandError(
            f"Le Trésor public donne cet identifiant à : {said}. Rien n'est changé : si c'est bien la commune, "
            "recommencez avec --recognised."
        )
    product = agreements.change_agreement(
        actor=SYSTEM,
        product=product,
        label="\n".join(lines) if options["recognised"] else "",
        pays_after_end=options["pays_online"],
        reason=options["reason"],
        **wanted,
    )
    return f"« {product.label} » a l'identifiant {product.numcli} ({said}). {_next_step(product)}"


def close(options: Options) -> str:
    product = services.end_product(
        actor=SYSTEM,
        product=_named(options["code"]),
        pays_after_end=options["pays_online"],
        reason=options["reason"],
    )
    return f"« {product.label} » est fermée : elle ne reçoit plus de factures."


def reopen(options: Options) -> str:
    product = _named(options["code"])
    done = services.reopen_product(actor=SYSTEM, product=product, reason=options["reason"])
    return f"« {product.label} » est rouverte." if done else f"« {product.label} » était déjà ouverte."


def default(options: Options) -> str:
    product = services.make_default(actor=SYSTEM, product=_named(options["code"]), reason=options["reason"])
    return f"Les fichiers qui ne nomment aucune régie vont à « {product.label} »."


def delete(options: Options) -> str:
    product = _named(options["code"])
    services.delete_product(actor=SYSTEM, product=product, reason=options["reason"])
    return f"« {product.label} » est supprimée."


ACTS: dict[str, Callable[[Options], str]] = {
    "list": show,
    "add": add,
    "number": number,
    "close": close,
    "reopen": reopen,
    "default": default,
    "delete": delete,
}


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--town", required=True)
        parser.add_argument("--reason", default="", help="kept in the town's trail")
        acts = parser.add_subparsers(dest="act", required=True)
        for name in ACTS:
            act = acts.add_parser(name)
            if name == "add":
                act.add_argument("label")
                act.add_argument("--kind", default=ProductKind.REGIE, choices=ProductKind.values)
                act.add_argument(
                    "--code", default="", help="in billing files; made from the label without it"
                )
                act.add_argument("--protocol", default=protocols.NONE, help=_protocols())
                act.add_argument("--number", default="", help="its number at the Treasury")
            elif name != "list":
                act.add_argument("code")
            if name == "number":
                act.add_argument("number")
                act.add_argument("--protocol", default="", help=_protocols())
                act.add_argument(
                    "--recognised", action="store_true", help="the Treasury's lines are the town's"
                )
            if name in ("number", "close"):
                act.add_argument(
                    "--pays-online", action="store_true", help="what is unpaid can still be paid online"
                )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            town = town_named(options["town"])
            if options.get("protocol") and options["protocol"] not in dict(protocols.choices()):
                raise CommandError(f"Aucun paiement en ligne « {options['protocol']} » : {_protocols()}.")
            with tenant_context(town):
                self.stdout.write(ACTS[options["act"]](options))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        except (TownError, ProductError, PaymentError, ProviderError) as error:
            raise CommandError(str(error)) from None


def _named(code: str) -> Product:
    known = products_by_code()
    if code.lower() not in known:
        codes = ", ".join(sorted(one.code for one in known.values()))
        raise CommandError(f"Aucune régie n'a le code « {code} ». Codes connus : {codes}.")
    return known[code.lower()]


def _protocols() -> str:
    return ", ".join(name for name, _label in protocols.choices())


def _next_step(product: Product) -> str:
    if product.is_paid_online and product.checked_at is None:
        return "Un responsable vérifie l'identifiant et fait les essais dans « Régies et PayFiP »."
    return stage_of(product).words + "."


def _line(product: Product, figures: ProductFigures) -> str:
    marks = " (par défaut)" if product.is_default else ""
    return (
        f"{product.code}{marks} – {product.full_label} – {product.get_kind_display()} – "
        f"{product.numcli or 'sans identifiant'} – {stage_of(product).words} – {figures.invoices} facture(s)"
    )
