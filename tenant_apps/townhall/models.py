"""The town about itself."""

from typing import TYPE_CHECKING

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from toolkit.forms.address_fields import AddressField, kept_normal

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

HEX_COLOUR = RegexValidator(r"^#[0-9a-fA-F]{6}$", _("Une couleur s'écrit comme #1f4e79."))


class AlertAudience(models.TextChoices):
    """Whom the town tells when it puts invoices online (docs/manual.md, M14)."""

    NOBODY = "nobody", _("personne")
    ACCOUNTS = "accounts", _("les comptes activés")
    KNOWN = "known", _("toutes les adresses connues de la facturation")


class AccessRequestMode(models.TextChoices):
    """Whether a resident may join a billing record to an account with a paper invoice."""

    OFF = "off", _("non")
    AT_ONCE = "at_once", _("oui, tout de suite")
    APPROVAL = "approval", _("oui, après l'accord d'un agent")


class StaffSecondFactor(models.TextChoices):
    """Which members of staff must have a second factor. Managers always must."""

    MANAGERS = "managers", _("responsables seulement")
    ALL = "all", _("tout le personnel")


class Conformity(models.TextChoices):
    """How far the portal conforms to RGAA 4.1; a town may say more than « non » only after an audit."""

    NONE = "none", _("non conforme")
    PARTIAL = "partial", _("partiellement conforme")
    FULL = "full", _("totalement conforme")


def months(label: "_StrPromise", default: int, least: int, most: int) -> models.PositiveSmallIntegerField:
    """How many months something is kept. The database has the default, because older code may insert rows."""
    bounds = [MinValueValidator(least), MaxValueValidator(most)]
    return models.PositiveSmallIntegerField(label, default=default, db_default=default, validators=bounds)


class TownHall(models.Model):
    """One row per town: what residents read about it, and its choices."""

    name = models.CharField(_("nom"), max_length=120)
    address = models.TextField(_("adresse"), blank=True)
    phone = models.CharField(_("téléphone"), max_length=30, blank=True)
    website = models.URLField(_("site"), blank=True)
    contact_email = AddressField(_("adresse du service de facturation"))
    primary_colour = models.CharField(_("couleur"), max_length=7, default="#1f4e79", validators=[HEX_COLOUR])
    accent_colour = models.CharField(
        _("couleur d'accent"), max_length=7, default="#8a4b08", validators=[HEX_COLOUR]
    )
    password_minimum = models.PositiveSmallIntegerField(
        _("longueur minimale du mot de passe"),
        default=12,
        validators=[MinValueValidator(5), MaxValueValidator(64)],
    )
    mailed_codes = models.BooleanField(
        _("connexion avec un code reçu par e-mail"), default=True, db_default=True
    )
    staff_second_factor = models.CharField(
        _("second facteur du personnel"),
        max_length=8,
        choices=StaffSecondFactor,
        default=StaffSecondFactor.MANAGERS,
        db_default=StaffSecondFactor.MANAGERS,
    )
    alert_audience = models.CharField(
        _("qui prévenir des nouvelles factures"),
        max_length=10,
        choices=AlertAudience,
        default=AlertAudience.ACCOUNTS,
    )
    payer_claims = models.CharField(
        _("rattachement d'un dossier avec une facture papier"),
        max_length=8,
        choices=AccessRequestMode,
        default=AccessRequestMode.APPROVAL,
        db_default=AccessRequestMode.APPROVAL,
    )
    # Days; None: no such reminder. Reminders go to the same people as new invoices.
    remind_before = models.PositiveSmallIntegerField(
        _("rappel, en jours avant l'échéance"),
        null=True,
        blank=True,
        default=7,
        db_default=7,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
    )
    remind_after = models.PositiveSmallIntegerField(
        _("rappel, en jours après l'échéance"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
    )
    # Keys in S3 (toolkit.files.storage.identity_key); empty without a logo. The size keeps the page still.
    logo = models.CharField(max_length=130, blank=True)
    logo_width = models.PositiveSmallIntegerField(default=0)
    logo_height = models.PositiveSmallIntegerField(default=0)
    icon = models.CharField(max_length=130, blank=True)
    conformity = models.CharField(
        _("accessibilité du portail"), max_length=7, choices=Conformity, default=Conformity.NONE
    )
    # Empty: the default text, filled from the town's data (townhall.notices).
    legal_notice = models.TextField(_("mentions légales"), max_length=20_000, blank=True)
    privacy_notice = models.TextField(_("données personnelles"), max_length=20_000, blank=True)
    accessibility_notice = models.TextField(_("accessibilité"), max_length=20_000, blank=True)
    # The town's registration at its OpenID provider, with the secret sealed (townhall.identity_provider), or empty.
    identity_provider = models.JSONField(default=dict, db_default={}, blank=True)
    # The same for the provider of its staff.
    staff_identity_provider = models.JSONField(default=dict, db_default={}, blank=True)
    # What the list of first steps remembers (townhall.first_day); empty for a town that nobody has touched yet.
    first_day = models.JSONField(default=dict, db_default={}, blank=True)
    # After so many months, what no accounting rule keeps is deleted (residents.erasure.retention).
    keep_messages = months(_("messages des usagers"), 36, 6, 120)
    keep_mails = months(_("courriels envoyés"), 12, 3, 60)
    keep_alerts = months(_("alertes"), 12, 3, 60)
    keep_links = months(_("liens d'activation et de mot de passe"), 12, 1, 60)
    keep_claims = months(_("rattachements décidés"), 12, 3, 60)
    keep_unused = months(_("comptes jamais activés"), 12, 1, 60)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="one_townhall"),
            kept_normal("townhall_contact_normal", "contact_email"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def logo_version(self) -> str:
        """Part of the logo's address, so that browsers may cache each picture (portal.views.town.identity)."""
        return self.logo.rpartition("/")[2][:12]

    @property
    def conformity_in_words(self) -> str:
        """For the foot of every page; `get_conformity_display` is slower, as it translates all the choices."""
        return str(Conformity(self.conformity).label)

    @property
    def icon_version(self) -> str:
        """The same for the icon, which is drawn from the name and the colour when there is none."""
        drawn = self.name[:1] + self.primary_colour[1:]
        return self.icon.rpartition("/")[2][:12] or drawn.encode().hex()
