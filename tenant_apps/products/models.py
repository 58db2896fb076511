"""The table of products: a régie, a rôle or a budget of the town, each with its own numcli."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext
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
    numcli = models.CharField(_("identifiant collectivité"), max_length=40, blank=True)  # at the provider
    protocol = models.CharField(
        _("paiement en ligne"), max_length=10, choices=protocols.choices, default=protocols.NONE
    )
    mode = models.CharField(_("étape"), max_length=1, choices=Mode, default=Mode.TEST)
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
    is_default = models.BooleanField(_("régie par défaut"), default=False)
    # Set when the town closed it: it gets no new invoice. Unpaid ones can be paid at the counter, and online if
    # `pays_after_end` is set (decision 61).
    ended_at = models.DateTimeField(_("fermée le"), null=True, editable=False)
    pays_after_end = models.BooleanField(
        _("paiement en ligne de ce qui reste dû"), default=False, db_default=False, editable=False
    )
    # The product that replaced this one: the same régie with its new number. It has the code in files (decision 61).
    replaced_by = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="replaces", editable=False
    )

    class Meta:
        verbose_name = _("régie")
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
            # Billing files may write a code in capitals or not (queries.products_by_code).
            models.UniqueConstraint(Lower("code"), name="one_product_of_a_code"),
            # The titres and the rôles of one budget may share its number (docs/payfip.md §1).
            models.UniqueConstraint(
                fields=["numcli", "kind"], condition=~Q(numcli=""), name="one_product_of_a_number"
            ),
            models.CheckConstraint(
                condition=Q(is_default=False) | Q(ended_at=None), name="default_receives_invoices"
            ),
            models.CheckConstraint(
                condition=Q(pays_after_end=False) | Q(ended_at__isnull=False), name="pays_after_an_end"
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def full_label(self) -> str:
        """The name for staff. It distinguishes the products of one régie with two numbers."""
        if self.ended_at is None:
            return self.label
        if self.replaced_by_id is not None:
            return gettext("%(label)s (ancien numéro %(number)s)") % {
                "label": self.label,
                "number": self.numcli,
            }
        return gettext("%(label)s (fermée)") % {"label": self.label}

    @property
    def is_paid_online(self) -> bool:
        """Whether the product has a protocol of online payment. It may still be in test, or closed."""
        return self.protocol != protocols.NONE

    def clean(self) -> None:
        """Check that the provider can have this number. Raises ValidationError."""
        if problem := protocols.problem(self.protocol, self.numcli):
            raise ValidationError({"numcli": problem})
