"""Close a product whose number the provider refuses, and inform the town."""

from django.conf import settings

from shared_apps.audit import services as audit
from shared_apps.mail.notifying import notify
from tenant_apps.payments.control.findings import report
from tenant_apps.payments.mails import PRODUCT_CLOSED
from tenant_apps.payments.models import FindingKind
from tenant_apps.products.models import Product
from tenant_apps.products.queries import contact_address
from tenant_apps.products.services import close_product
from toolkit.words import in_french


@in_french
def close_refused_product(product: Product, *, code: str, detail: str) -> None:
    """Close the product once, in the caller's transaction, with a finding for staff and a mail to the service."""
    if not close_product(actor=audit.TREASURY, product=product, code=code):
        return
    details = {"code": code, "detail": detail[:200], "merchant": product.numcli}
    finding = report(FindingKind.CLOSED, about=str(product.pk), product=product, details=details)
    notify(
        PRODUCT_CLOSED.about(product=product, code=code).of(product.pk),
        to=contact_address(product),
        language=settings.LANGUAGE_CODE,
        once={"finding": finding.uuid, "times": finding.times},
    )
