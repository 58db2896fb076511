"""Forms of the team: whom to invite, and what a member is called and may do."""

from django import forms
from django.utils.translation import gettext_lazy as _

from shared_apps.accounts.models import STAFF_ROLES, Role
from toolkit.forms.address_fields import AddressFormField
from toolkit.forms.plain_forms import PlainForm

_CHOOSE = _("Choisissez un rôle.")


class MemberForm(PlainForm):
    """What a member is called and may do."""

    name = forms.CharField(
        label=_("Prénom et nom"),
        help_text=_("Vos collègues le lisent à côté de ce que cette personne a fait."),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": _("Écrivez le prénom et le nom de cette personne."),
            "max_length": _("80 caractères au plus."),
        },
    )
    role = forms.ChoiceField(
        label=_("Rôle"),
        choices=[(role.value, role.label) for role in STAFF_ROLES],
        widget=forms.RadioSelect,
        error_messages={"required": _CHOOSE, "invalid_choice": _CHOOSE},
    )

    @property
    def roles(self) -> list[tuple[Role, bool]]:
        """Each role, for its box and its sentence, and whether it is the chosen one."""
        chosen = self["role"].value()
        return [(role, role == chosen) for role in STAFF_ROLES]

    def clean_role(self) -> Role:
        return Role(self.cleaned_data["role"])


class InvitationForm(MemberForm):
    """Whom to invite."""

    email = AddressFormField(
        label=_("Adresse e-mail professionnelle"),
        help_text=_("L'invitation y arrive ; cette adresse servira à se connecter."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Écrivez l'adresse e-mail de cette personne.")},
    )
    field_order = ("name", "email", "role")
