"""Change a product's agreement with the Treasury, on the product itself or with a new product (decision 61).

A number that has received money, or may have, stays with its invoices, attempts and payments.
"""

from enum import StrEnum

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from shared_apps.audit import services as audit
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.errors import NotYet, ProductRefused, ProviderUnavailable
from tenant_apps.payments.models import Attempt
from tenant_apps.payments.providers.registry import provider
from tenant_apps.products import agreements, protocols
from tenant_apps.products.models import Mode, Product
from tenant_apps.products.numbers import number_problem
from tenant_apps.products.services import confirm_number, lock_products, lock_staff
from tenants.databases.postgresql.again import atomic_again


class Change(StrEnum):
    """How an agreement is changed."""

    NOTHING = "nothing"
    CORRECT = "correct"  # the product itself changes
    REPLACE = "replace"  # a new product replaces it


def number_is_in_use(product: Product) -> bool:
    """Whether the present number has received money, or may have. It then stays with its invoices."""
    if not product.numcli or not Invoice.objects.filter(product=product).exists():
        return False
    return product.mode == Mode.PRODUCTION or Attempt.objects.filter(product=product).exists()


def change_of(product: Product, *, kind: str, protocol: str, number: str) -> Change:
    """How this change must be made now. Raises ValidationError when it cannot be made."""
    if (kind, protocol, number) == (product.kind, product.protocol, product.numcli):
        return Change.NOTHING
    if kind != product.kind and Invoice.objects.filter(product=product).exists():
        raise ValidationError(
            {
                "kind": _(
                    "Des factures suivent déjà les règles de cette nature : ajoutez plutôt une autre régie."
                )
            }
        )
    others = Product.objects.exclude(pk=product.pk)
    if wrong := number_problem(others, kind=kind, protocol=protocol, number=number):
        raise ValidationError({"number": wrong})
    if number == product.numcli or not number_is_in_use(product):
        return Change.CORRECT
    if protocol == protocols.NONE:
        raise ValidationError(
            {"number": _("Cet identifiant a servi à des paiements : gardez-le, même sans paiement en ligne.")}
        )
    if product.ended_at is not None:
        raise ValidationError(
            {"number": _("Cette régie est fermée : rouvrez-la avant de changer d'identifiant.")}
        )
    return Change.REPLACE


def ask_number(protocol: str, number: str) -> tuple[str, ...]:
    """The lines of text that the provider shows for `number`, of any owner, without empty ones.

    Raises ProductRefused (unknown number) or ProviderUnavailable, in words for staff, or NotYet without a number.
    """
    if protocol == protocols.NONE or not number:
        raise NotYet(_("Sans identifiant, il n'y a rien à vérifier auprès du Trésor public."))
    try:
        return provider(protocol).identify(number)
    except ProductRefused as error:
        sentence = _(
            "Le Trésor public ne connaît pas l'identifiant %(number)s, ou ne l'a pas encore ouvert (code %(code)s). "
            "Vérifiez-le sur votre convention ; s'il est juste, demandez au comptable public."
        ) % {"number": number, "code": error.code}
        raise ProductRefused(sentence, code=error.code, detail=error.detail) from None
    except ProviderUnavailable as error:
        sentence = _("Le Trésor public ne répond pas. Rien n'est perdu : recommencez dans quelques minutes.")
        raise ProviderUnavailable(sentence, code=error.code, detail=error.detail) from None


def same_lines(protocol: str, number: str, label: str) -> str:
    """Ask the provider again for the lines that a person confirmed (`label`), and return them.

    Raises NotYet when they have changed, and ProviderError.
    """
    lines = "\n".join(ask_number(protocol, number))
    if not lines or lines != label.replace("\r\n", "\n"):
        raise NotYet(_("Le libellé a changé entre-temps : vérifiez-le de nouveau."))
    return lines


def change_agreement(
    *,
    actor: audit.Actor,
    product: Product,
    kind: str,
    protocol: str,
    number: str,
    label: str = "",
    pays_after_end: bool = True,
    reason: str = "",
) -> Product:
    """Change kind, protocol and number. Returns the product that has them: `product`, or the one that replaces it.

    A number in use is replaced only by a number that a person confirmed. `label` has the provider's lines that they
    saw, and the provider is asked again. `pays_after_end`: unpaid invoices can still be paid at the old number. Raises
    ValidationError, NotYet, ProviderRefused or ProviderUnavailable; nothing has changed then.
    """
    wanted = {"kind": kind, "protocol": protocol, "number": number}
    planned = change_of(product, **wanted)
    lines = same_lines(protocol, number, label) if label or planned == Change.REPLACE else ""
    return _change(actor, product, wanted, planned, lines, pays_after_end, reason)


@atomic_again
def _change(
    actor: audit.Actor,
    product: Product,
    wanted: dict[str, str],
    planned: Change,
    lines: str,
    pays_after_end: bool,
    reason: str,
) -> Product:
    if planned == Change.REPLACE:
        lock_staff()
    locked = next(one for one in lock_products() if one.pk == product.pk)
    if change_of(locked, **wanted) != planned:
        raise NotYet(_("Cette régie a changé entre-temps : regardez-la de nouveau."))
    if planned == Change.NOTHING:
        changed = locked
    elif planned == Change.CORRECT:
        changed = agreements.set_agreement(actor=actor, product=locked, reason=reason, **wanted)
    else:
        changed = agreements.replace_product(
            actor=actor,
            product=locked,
            protocol=wanted["protocol"],
            number=wanted["number"],
            pays_after_end=pays_after_end,
            reason=reason,
        )
    return confirm_number(actor=actor, product=changed, label=lines) if lines else changed
