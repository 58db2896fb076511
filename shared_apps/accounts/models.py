"""People who sign in. Operators live in the public schema, staff and residents in their town's."""

import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import check_password
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from toolkit.forms.address_fields import AddressField, kept_normal
from toolkit.scope import EVERYTHING, NOTHING, Scope

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


class Role(models.TextChoices):
    """What a person may do. A staff role may do what the ones before it may: reader < clerk < cashier < manager."""

    RESIDENT = "resident", _("usager")
    READER = "reader", _("lecteur")
    CLERK = "clerk", _("agent")
    CASHIER = "cashier", _("caissier")
    MANAGER = "manager", _("responsable")
    OPERATOR = "operator", _("opérateur")

    @property
    def explained(self) -> "StrPromise | str":
        """What a staff role lets do, in one sentence; empty for the others."""
        return _EXPLAINED.get(self.value, "")


_EXPLAINED = {
    "reader": _("Voit les factures, les règlements et les messages, sans rien changer."),
    "clerk": _(
        "Importe et publie les factures, répond aux messages et tient à jour les adresses, sans toucher à l'argent."
    ),
    "cashier": _(
        "Fait ce que fait un agent, encaisse au guichet, prépare les remises et rapproche les encaissements."
    ),
    "manager": _(
        "Fait tout : règle le portail, gère l'équipe, annule un règlement, réduit ou annule une facture."
    ),
}
STAFF_ROLES = (Role.READER, Role.CLERK, Role.CASHIER, Role.MANAGER)


class AccountManager(BaseUserManager["Account"]):
    """Find people by address, however it is typed (toolkit.forms.address_fields)."""

    def get_by_natural_key(self, username: str | None) -> "Account":
        return self.get(email=username)


class Account(AbstractBaseUser):
    """One person in one schema. An account without a usable password has not been activated."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = AddressField(_("adresse e-mail"), max_length=254)
    # What colleagues and the trail call a member of staff; empty for residents.
    name = models.CharField(_("nom"), max_length=80, blank=True, default="", db_default="")
    role = models.CharField(_("rôle"), max_length=10, choices=Role, default=Role.RESIDENT)
    is_active = models.BooleanField(_("actif"), default=True)
    language = models.CharField(max_length=2, blank=True, default="")  # empty: never chosen
    refused_alerts = models.JSONField(default=list, db_default=[])  # choices (mail.notices)
    # Ids of the products that a member of staff works for; empty: every one. No foreign key: their room is above.
    limited_to = models.JSONField(default=list, db_default=[])
    activated_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sign_outs = models.PositiveIntegerField(
        default=0, db_default=0
    )  # « Se déconnecter partout »: sessions with a smaller count have ended
    devices = models.JSONField(
        default=dict, db_default={}
    )  # where the person is signed in (accounts.sessions)
    # The person's identity at the town's OpenID provider (accounts.signing_in.identities); both empty: not linked.
    identity_issuer = models.CharField(max_length=300, blank=True, default="", db_default="")
    identity_subject = models.CharField(max_length=255, blank=True, default="", db_default="")
    # Since when the account has a second factor: a confirmed application, or a passkey. Empty: none.
    # Every page of staff needs it (accounts.sessions.steps), so it is here and not only in the rows that it sums up.
    second_factor_at = models.DateTimeField(null=True)
    # Erasure (GDPR, article 17): when it was asked for, why it was refused, when it was done.
    erasure_asked_at = models.DateTimeField(null=True)
    erasure_refused_at = models.DateTimeField(null=True)
    erasure_answer = models.CharField(max_length=500, blank=True, default="", db_default="")
    erased_at = models.DateTimeField(null=True)
    # A member of staff who left (accounts.team). The row stays, with the name: the trail refers to its uuid.
    removed_at = models.DateTimeField(null=True)

    objects = AccountManager()
    # Set on the account in a session of impersonation (accounts.sessions.impersonation), never stored.
    impersonated_by: "Impersonation | None" = None

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("compte")
        constraints = [
            models.UniqueConstraint(fields=["email"], name="account_email_once"),
            kept_normal("account_email_normal"),
            models.UniqueConstraint(
                fields=["identity_issuer", "identity_subject"],
                condition=~models.Q(identity_subject=""),
                name="account_identity_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["erasure_asked_at"],
                name="account_erasure_waits",
                condition=models.Q(erasure_asked_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def audit_name(self) -> str:
        """The person's name in the trail, without the address, which may change. Two names for an impersonation."""
        if self.impersonated_by is not None:
            return f"operator:{self.impersonated_by.operator} as account:{self.uuid}"
        return f"account:{self.uuid}"

    def check_password(self, raw_password: str | None) -> bool:
        """Whether the password is right. Unlike Django's, writes nothing (accounts.backends). Raises TooBusy."""
        return check_password(raw_password, self.password)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """The hash that a session must hold. It changes with the password and with « Se déconnecter partout »."""
        salt = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"
        value = f"{self.password}:{self.sign_outs}" if self.sign_outs else self.password
        return salted_hmac(salt, value, secret=secret, algorithm="sha256").hexdigest()

    def end_sessions(self) -> None:
        """End every session, once this account is saved."""
        self.sign_outs += 1
        self.devices = {}

    @property
    def reads(self) -> str:
        """The language in which to write to this person."""
        return self.language or settings.LANGUAGE_CODE

    @property
    def refused(self) -> set[str]:
        """The kinds of messages this person does not want."""
        return set(self.refused_alerts)

    @property
    def is_town_staff(self) -> bool:
        return self.role in STAFF_ROLES

    @property
    def called(self) -> str:
        """What colleagues read: the name, or the address of somebody without one."""
        return self.name or self.email

    @property
    def scope(self) -> Scope:
        """What this person works for: a manager always for the whole town, somebody who is no staff for nothing."""
        if not self.is_town_staff:
            return NOTHING
        return EVERYTHING if self.role == Role.MANAGER else Scope.kept(self.limited_to)

    # django.contrib.admin reads these. Only operators, who exist in `public` only, may enter.
    @property
    def is_staff(self) -> bool:
        return self.role == Role.OPERATOR

    is_superuser = is_staff

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return self.is_active and self.is_staff

    def has_perms(self, perm_list: list[str], obj: Any = None) -> bool:
        return self.is_active and self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and self.is_staff


class LinkPurpose(models.TextChoices):
    """What a `?LIEN=`, or the six digits of a message (accounts.signing_in.codes), is for."""

    ACTIVATION = "activation", _("activation")
    RESET = "reset", _("nouveau mot de passe")
    ADDRESS = "address", _("nouvelle adresse")
    ACCESS_REQUEST = "claim", _("rattachement d'un dossier")
    REGRET = "regret", _("ancienne adresse à rétablir")
    SHARE = "share", _("accès aux factures d'une autre personne")
    CODE = "code", _("code de connexion")
    TEAM = "team", _("invitation dans l'équipe")


class Link(models.Model):
    """A request for a `?LIEN=`, and the link itself once the worker has made it.

    A row is written for known and unknown addresses, so that both take the same time; the worker
    decides later. Only a hash of the token is stored. A GET does not use it up; the form's POST does.
    A sign-in code is such a request too; its hash has a key, and wrong tries are counted.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    purpose = models.CharField(max_length=10, choices=LinkPurpose)
    email = AddressField(max_length=254)
    account = models.ForeignKey(Account, null=True, on_delete=models.CASCADE)
    # The language of the page; the message uses it when the person has chosen none.
    language = models.CharField(max_length=2, default="fr", db_default="fr")
    # SHARE: whose invoices (residents.Payer.uuid), `account` invites. TEAM: the account that invites, if one does.
    about = models.UUIDField(null=True)
    token_hash = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001 - NULL until made
    requested_at = models.DateTimeField(auto_now_add=True)
    handled_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)  # wrong codes

    class Meta:
        constraints = [kept_normal("link_email_normal")]

    def __str__(self) -> str:
        return f"{self.purpose} {self.uuid}"


class SecondFactor(models.Model):
    """The application on a person's telephone that shows a code every thirty seconds (TOTP, RFC 6238).

    At most one per person. Without `confirmed_at` it was never proven, and does not work. The recovery codes are
    here too: somebody whose only second factor is a passkey has a row without a secret.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="second_factor")
    secret = models.CharField(max_length=255)  # sealed (toolkit.secrecy.sealing)
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=0)  # step of the last accepted code: no code works twice
    recovery_hashes = models.JSONField(default=list)  # the single-use codes that remain
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"second factor {self.uuid}"


class Passkey(models.Model):
    """The public key of a passkey, which the person's telephone, computer or security key holds (WebAuthn).

    It works at one host only (`rp_id`): browsers offer it nowhere else.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="passkeys")
    rp_id = models.CharField(max_length=253)
    credential_id = models.BinaryField(unique=True)  # at most 1023 bytes
    public_key = models.BinaryField()  # COSE (RFC 9052)
    # The counter of the last signature. It only grows; it stays zero for keys shared by several devices.
    sign_count = models.BigIntegerField(default=0, db_default=0)
    name = models.CharField(max_length=60)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"passkey {self.uuid}"


class Impersonation(models.Model):
    """An operator acted in the place of a member of staff: who, why, until when. The town keeps it for ever.

    It starts as a ticket valid one minute, whose hash is here. It is in the town's schema, so it opens no other town.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="impersonations")
    operator = models.UUIDField()  # of an account of the public schema
    operator_email = AddressField(max_length=254)
    reason = models.CharField(max_length=500)
    ticket_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()  # of the ticket
    started_at = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [kept_normal("impersonation_email_normal", "operator_email")]

    def __str__(self) -> str:
        return f"{self.operator_email} → {self.account_id}"
