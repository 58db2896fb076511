"""The console's forms, dressed as unfold's own."""

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from shared_apps.accounts.passwords import PasswordRule

OPERATOR_RULE = PasswordRule()  # twelve characters, none of the most used


class ConsoleForm(forms.Form):
    """Plain fields get unfold's widgets."""

    required_css_class = "required"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        for field in self.fields.values():
            attrs = {**field.widget.attrs, **({"required": True} if field.required else {})}
            choices = getattr(field, "choices", None)
            kind = _WIDGETS.get(type(field.widget))
            if kind is not None:
                field.widget = kind(attrs=attrs)
                field.widget.is_required = field.required
                if choices is not None:
                    field.widget.choices = choices


_WIDGETS: dict[type[forms.Widget], Any] = {
    forms.TextInput: UnfoldAdminTextInputWidget,
    forms.EmailInput: UnfoldAdminEmailInputWidget,
    forms.PasswordInput: UnfoldAdminPasswordWidget,
    forms.Textarea: UnfoldAdminTextareaWidget,
    forms.Select: UnfoldAdminSelectWidget,
    forms.CheckboxInput: UnfoldBooleanWidget,
}


class PasswordStep(ConsoleForm):
    """First the password."""

    email = forms.EmailField(
        label="Adresse e-mail",
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
        error_messages={
            "required": "Écrivez votre adresse e-mail.",
            "invalid": "Cette adresse n'est pas complète : vérifiez-la.",
        },
    )
    password = forms.CharField(
        label="Mot de passe",
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": "Écrivez votre mot de passe."},
    )


class CodeStep(ConsoleForm):
    """Then the code."""

    code = forms.CharField(
        label="Code de vérification",
        max_length=20,
        help_text="Les six chiffres de l'application, ou un code de secours.",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True}),
        error_messages={"required": "Écrivez le code que l'application affiche."},
    )


class OwnPasswordForm(ConsoleForm):
    """An operator's own password."""

    current = forms.CharField(
        label="Mot de passe actuel",
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label="Nouveau mot de passe",
        strip=False,
        max_length=300,
        help_text=OPERATOR_RULE.sentence,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
