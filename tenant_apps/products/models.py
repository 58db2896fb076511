"""The table of products: a régie, a rôle or a budget of the town, each with its own numcli."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tenant_apps.products import protocols
from toolkit.forms.address_fields import AddressField, kept_normal


class ProductKind(models.TextChoices):
    """The kind of debts that a numcli is for (docs/payfip.md §1)."""

    TITRE = "titre", _("titres de recettes")
    ROLE = "role", _("rôle")
    REGIE = "regie", _("régie")


class Mode(models.TextChoices):
    """The stage of a product at the Treasury. It only goes forward: T, X, W."""

    TEST = "T", _("test")
    ACTIVATION = "X", _("activation")
    PRODUCTION = "W", _("en service")


class Product(models.Model):
    """A régie or a budget with its own numcli (what PayFiP calls a product)."""

    code = models.CharField(_("code dans les fichiers"), max_length=30, unique=True)
    label = models.CharField(_("nom"), max_length=80)
    kind = models.CharField(_("nature"), max_length=6, choices=ProductKind, default=ProductKind.REGIE)
    numcli = models.CharField(
        _("identifiant collectivité"), max_length=40, blank=True
    )  # its number at the provider
    protocol = models.CharField(max_length=10, choices=protocols.choices, default=protocols.NONE)
    mode = models.CharField(max_length=1, choices=Mode, default=Mode.TEST)
    payable_days_after_due = models.PositiveSmallIntegerField(
        _("jours de paiement en ligne après l'échéance"), null=True, blank=True
    )
    # A titre or a rôle can be paid from the day after the Treasury registered it (docs/payfip.md §1).
    payable_days_after_issue = models.PositiveSmallIntegerField(
        _("jours entre la date de la facture et l'ouverture du paiement en ligne"), default=0
    )
    # The three lines of recupererDetailClient for the numcli, and when a manager confirmed them.
    treasury_label = models.CharField(max_length=300, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    # Set when the Treasury refused the numcli (codes T*): no online payment until a manager checks it again.
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_code = models.CharField(max_length=10, blank=True)
    contact_email = AddressField(_("adresse du service"), blank=True)
    offers_declaration = models.BooleanField(_("propose « J'ai réglé »"), default=False)
    # Only for a régie, whose references and amounts the town decides (decision 0029).
    takes_several = models.BooleanField(_("plusieurs factures en un paiement"), default=False)
    is_default = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("produit de paiement")
        constraints = [
            kept_normal("product_contact_normal", "contact_email", blank=True),
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="one_default_product"
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None) | ~Q(closed_code=""), name="closed_with_a_code"
            ),
            models.CheckConstraint(
                condition=Q(protocol=protocols.NONE) | ~Q(numcli=""), name="online_wants_numcli"
            ),
            models.CheckConstraint(
                condition=Q(takes_several=False) | Q(kind="regie"), name="several_is_for_a_regie"
            ),
        ]

    def __str__(self) -> str:
        return self.label

    def clean(self) -> None:
        """Check that the provider can have this number. Raises ValidationError."""
        if problem := protocols.problem(self.protocol, self.numcli):
            raise ValidationError({"numcli": problem})
