"""People who sign in. Operators live in the public schema, staff and residents in their town's."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What a person may do; staff roles are ordered reader < clerk < manager."""

    RESIDENT = "resident", _("usager")
    READER = "reader", _("lecteur")
    CLERK = "clerk", _("agent")
    MANAGER = "manager", _("responsable")
    OPERATOR = "operator", _("opérateur")


STAFF_ROLES = (Role.READER, Role.CLERK, Role.MANAGER)


class AccountManager(BaseUserManager["Account"]):
    """Find people by address, in any case."""

    def get_by_natural_key(self, username: str | None) -> "Account":
        return self.get(email__iexact=username)


class Account(AbstractBaseUser):
    """One person in one schema. An account without a usable password has not been activated."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField(_("adresse e-mail"), max_length=254)
    role = models.CharField(_("rôle"), max_length=10, choices=Role, default=Role.RESIDENT)
    is_active = models.BooleanField(_("actif"), default=True)
    language = models.CharField(max_length=2, default="fr")
    wants_alerts = models.BooleanField(default=True)
    activated_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AccountManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("compte")
        constraints = [models.UniqueConstraint(Lower("email"), name="account_email_once")]

    def __str__(self) -> str:
        return self.email

    @property
    def audit_name(self) -> str:
        """How this person is named in the trail: no address, which may change."""
        return f"account:{self.uuid}"

    @property
    def is_town_staff(self) -> bool:
        return self.role in STAFF_ROLES

    # What django.contrib.admin asks of a user. Only an operator, who exists in public alone, passes.
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
    """What a `?LIEN=` opens."""

    ACTIVATION = "activation", _("activation")
    RESET = "reset", _("nouveau mot de passe")
    ADDRESS = "address", _("nouvelle adresse")


class Link(models.Model):
    """A request for a `?LIEN=` and the link itself once the worker made it.

    The row is written for known and unknown addresses alike, so that both cost the same; the worker
    then decides. The token is kept as a hash only. A GET does not use it up; the form's POST does.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    purpose = models.CharField(max_length=10, choices=LinkPurpose)
    email = models.EmailField(max_length=254)
    account = models.ForeignKey(Account, null=True, on_delete=models.CASCADE)
    token_hash = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001 - NULL until made
    requested_at = models.DateTimeField(auto_now_add=True)
    handled_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.purpose} {self.uuid}"
