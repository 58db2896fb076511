"""The forms of the portal."""

import re
from typing import Any, cast
from uuid import uuid4

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from shared_apps.accounts.signing_in.codes import DIGITS
from tenant_apps.contact import spam
from tenant_apps.contact.files.fields import FilesMixin
from tenant_apps.invoices.models import Invoice
from toolkit.forms.address_fields import AddressFormField
from toolkit.forms.plain_forms import PlainForm

_EMAIL_MISSING = _("Écrivez votre adresse e-mail.")
_OLD_PAGE = _(
    "Cette page était ouverte depuis longtemps. Votre texte est toujours là : relisez-le, puis appuyez de nouveau "
    "sur « Envoyer »."
)
_FAST = _("Votre message est parti très vite. Relisez-le, puis appuyez de nouveau sur « Envoyer ».")
_CODE_WRONG = _("Le code du message a 6 chiffres : écrivez-les tous, et rien d'autre.")
_PASSWORD_MISSING = _("Écrivez votre mot de passe.")


def email_field(label: Any) -> AddressFormField:
    """An e-mail field, with our error messages, which the browser can fill in."""
    return AddressFormField(
        label=label,
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
        error_messages={"required": _EMAIL_MISSING},
    )


def password_field(label: Any, autocomplete: str, help_text: Any = "") -> forms.CharField:
    """A password field. Nothing is stripped from what is typed."""
    return forms.CharField(
        label=label,
        strip=False,
        max_length=256,
        help_text=help_text,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
        error_messages={"required": _PASSWORD_MISSING},
    )


def body_field() -> forms.CharField:
    """The text of a message to the town."""
    return forms.CharField(
        label=_("Mon message"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 7}),
        error_messages={"required": _("Écrivez votre message.")},
    )


class SignInForm(PlainForm):
    """Sign in (docs/manual.md, M1)."""

    email = email_field(_("Mon adresse"))
    password = password_field(_("Mon mot de passe"), "current-password")
    remember = forms.BooleanField(label=_("Se souvenir de moi"), required=False)


class LinkForm(PlainForm):
    """The town's OpenID provider identified a person: they say which account is theirs, by signing in to it."""

    email = email_field(_("Mon adresse"))
    password = password_field(_("Mon mot de passe"), "current-password")


class ConfirmForm(PlainForm):
    """The same for a person who is signed in: only the password of that account."""

    password = password_field(_("Mon mot de passe"), "current-password")


class AddressForm(PlainForm):
    """Ask for a link to activate an account or to choose a new password (docs/manual.md, M2 and M4)."""

    email = email_field(_("Mon adresse"))


class AskCodeForm(PlainForm):
    """Where to send the code, and whether the session will last (« Se souvenir de moi »)."""

    email = email_field(_("Mon adresse"))
    remember = forms.BooleanField(label=_("Se souvenir de moi"), required=False)


class TypeCodeForm(PlainForm):
    """Six digits. Blanks, dots and hyphens between them are ignored."""

    code = forms.CharField(
        label=_("Mon code"),
        max_length=40,
        help_text=_("6 chiffres, avec ou sans espaces."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        error_messages={
            "required": _("Écrivez le code du message."),
            "max_length": _CODE_WRONG,
        },
    )

    def clean_code(self) -> str:
        code = re.sub(r"[\s.\-]", "", self.cleaned_data["code"])
        if not re.fullmatch(rf"[0-9]{{{DIGITS}}}", code):
            raise forms.ValidationError(_CODE_WRONG)
        return code

    def refuse(self, sentence: str) -> None:
        """Show at the field that the six digits are wrong, like the errors of `full_clean`."""
        self.add_error("code", sentence)


class SecondStepForm(PlainForm):
    """The second step of staff: six digits of the telephone, or a recovery code."""

    code = forms.CharField(
        label=_("Mon code"),
        max_length=40,
        help_text=_("Les 6 chiffres de votre application, ou un code de secours."),
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"}
        ),
        error_messages={
            "required": _("Écrivez le code que votre application affiche."),
            "max_length": _("Ce code est trop long : écrivez les 6 chiffres, ou un code de secours."),
        },
    )


class PasswordForm(PlainForm):
    """Choose a password: typed once, with a button that shows it."""

    password = password_field(_("Mon nouveau mot de passe"), "new-password")


class ChangePasswordForm(PlainForm):
    """« Mes informations »: change the password (docs/manual.md, M12)."""

    current = password_field(_("Mon mot de passe actuel"), "current-password")
    new = password_field(_("Mon nouveau mot de passe"), "new-password")


class ChangeAddressForm(PlainForm):
    """« Mes informations »: change the e-mail address (docs/manual.md, M12)."""

    email = email_field(_("Ma nouvelle adresse"))
    current = password_field(
        _("Mon mot de passe actuel"),
        "current-password",
        _("Vous l'avez oublié ? Déconnectez-vous, puis appuyez sur « Mot de passe oublié »."),
    )


class ProofForm(PlainForm):
    """« Mes données »: the password again, when the person signed in more than half an hour ago."""

    password = password_field(_("Mon mot de passe"), "current-password")


class ErasureForm(PlainForm):
    """« Effacer mon compte »: the request, confirmed with a check box."""

    sure = forms.BooleanField(
        label=_("J'ai compris : mon compte sera effacé, et je ne pourrai pas le retrouver"),
        error_messages={"required": _("Cochez la case pour confirmer votre demande.")},
    )


class KeyNameForm(PlainForm):
    """A passkey's name."""

    name = forms.CharField(
        label=_("Le nom de cette clé"),
        max_length=60,
        help_text=_("Par exemple : mon téléphone."),
        error_messages={
            "required": _("Écrivez un nom pour cette clé."),
            "max_length": _("Écrivez un nom plus court : 60 caractères au plus."),
        },
    )


class AlertForm(PlainForm):
    """One check box for each kind of message that the town sends (docs/manual.md, M14)."""

    def __init__(self, *args: Any, offered: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind, label in offered.items():
            self.fields[kind] = forms.BooleanField(label=label, required=False)

    @property
    def wanted(self) -> list[str]:
        return [kind for kind, wants in self.cleaned_data.items() if wants]


class InviteForm(PlainForm):
    """The address of a person who may see a payer's invoices too."""

    email = email_field(_("L'adresse e-mail de cette personne"))


class ContactForm(FilesMixin, PlainForm):
    """Write to the town's billing service (docs/manual.md, M13).

    People do not see the field `site`: only a program fills it in. `stamp` says when somebody without an account
    opened the form; a form that is sent twice with the same stamp makes one message.
    """

    email = email_field(_("Mon adresse"))
    invoice = forms.ModelChoiceField(
        label=_("La facture concernée"),
        queryset=Invoice.objects.none(),
        required=False,
        to_field_name="uuid",
        empty_label=_("Aucune en particulier"),
        error_messages={"invalid_choice": _("Choisissez une facture de la liste.")},
    )
    subject = forms.CharField(
        label=_("Le sujet"),
        max_length=120,
        error_messages={"required": _("Écrivez le sujet de votre message.")},
    )
    body = body_field()
    wants_copy = forms.BooleanField(label=_("Recevoir une copie par e-mail"), required=False)
    site = forms.CharField(label=_("Ne rien écrire ici"), required=False)
    stamp = forms.CharField(widget=forms.HiddenInput, required=False, initial=spam.new_stamp)
    field_order = ("email", "invoice", "subject", "body")

    def __init__(self, *args: Any, invoices: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["invoice"]
        assert isinstance(field, forms.ModelChoiceField)
        self.is_stranger = invoices is None
        if self.is_stranger:
            del self.fields["invoice"]
            # Nobody has proven that this address is theirs: we must not mail it what anybody can type here.
            self.fields["wants_copy"].label = _("Recevoir un accusé de réception par e-mail")
        else:
            field.queryset = invoices
            del self.fields["email"]  # it is the account's
        self.fields["site"].widget.attrs.update({"tabindex": "-1", "autocomplete": "off"})

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        stamp = spam.read_stamp(data.get("stamp", ""))
        self.public_id = stamp.public_id if stamp else None
        if self.is_stranger and (stamp is None or stamp.is_too_old):
            self._stamp_again()
            self.add_error(None, _OLD_PAGE)
        elif self.is_stranger and stamp is not None and stamp.is_too_fast:
            self.add_error(None, _FAST)
        return data

    def _stamp_again(self) -> None:
        data = cast(QueryDict, self.data).copy()
        data["stamp"] = spam.new_stamp()
        self.data = data


class ReplyForm(FilesMixin, PlainForm):
    """A resident's reply in a thread."""

    body = body_field()
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)  # sending twice makes one reply
    field_order = ("body",)
