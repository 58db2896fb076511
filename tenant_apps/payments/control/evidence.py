"""The evidence of a finding, for staff: each field with the name that its provider gives it."""

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from tenant_apps.payments.models import Finding
from tenant_apps.payments.providers.registry import labels_of
from toolkit.money import format_euros

EUROS = ("expected", "found")
OURS = {
    "expected": _("attendu"),
    "found": _("trouvé"),
    "merchant": _("identifiant"),
    "code": _("code"),
    "detail": _("détail"),
}


def shown(finding: Finding) -> list[tuple[str, str]]:
    """(name, value) of each field that has a name. `finding` comes with its attempt or its product."""
    named = {**OURS, **labels_of(_provider(finding)).fields}
    return [
        (str(words), format_euros(Decimal(value)) if name in EUROS else value)
        for name, words in named.items()
        if (value := str(finding.details.get(name, "")))
    ]


def _provider(finding: Finding) -> str:
    if finding.attempt is not None:
        return finding.attempt.provider
    return finding.product.protocol if finding.product is not None else ""
