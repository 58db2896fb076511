"""A product that its provider refuses: nobody is sent there again, and the town is told."""

from django.utils.translation import gettext as _

from shared_apps.audit import services as audit
from shared_apps.mail.content import Content
from shared_apps.mail.services import queue_mail
from tenant_apps.payments.control.findings import report
from tenant_apps.payments.models import FindingKind
from tenant_apps.payments.providers.registry import labels_of
from tenant_apps.products.models import Product
from tenant_apps.products.queries import contact_address
from tenant_apps.products.services import close_product
from tenant_apps.townhall.queries import letterhead
from toolkit.words import in_french


@in_french
def close_refused_product(product: Product, *, code: str, detail: str) -> None:
    """Close it, once, in the caller's transaction: a finding for staff, a message to the service."""
    if not close_product(actor=audit.TREASURY, product=product, code=code):
        return
    details = {"code": code, "detail": detail[:200], "merchant": product.numcli}
    finding = report(FindingKind.CLOSED, about=str(product.pk), product=product, details=details)
    surroundings = letterhead()
    queue_mail(
        kind="product-closed",
        to=contact_address(product),
        content=Content(
            subject=_("Paiement en ligne interrompu : %(label)s") % {"label": product.label},
            sentence=str(labels_of(product.protocol).refused_product)
            % {"merchant": product.numcli, "code": code, "label": product.label},
            button_label=_("Vérifier ce numéro"),
            button_url=f"{surroundings['address']}/gestion/commune/produits/{product.pk}/mise-en-service/",
            why=_("Vous recevez ce message parce que cette adresse est celle du service."),
        ),
        surroundings=surroundings,
        key=f"product-closed:{finding.uuid}:{finding.times}",
    )
