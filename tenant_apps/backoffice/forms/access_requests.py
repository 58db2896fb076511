"""The answers of staff to an access request."""

from django import forms
from django.utils.translation import gettext_lazy

from toolkit.forms.plain_forms import PlainForm


class RefuseAccessRequestForm(PlainForm):
    """Why an access request is refused, in words for the person who asked."""

    reason = forms.CharField(
        label=gettext_lazy("Votre réponse, si vous refusez"),
        help_text=gettext_lazy("La personne qui demande la recevra par courriel."),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Écrivez à cette personne pourquoi vous refusez.")},
    )
