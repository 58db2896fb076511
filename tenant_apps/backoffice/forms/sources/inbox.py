"""The form of a source's folder: watched or not, who is told, and what is done with a sound file."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenant_apps.residents import inboxes
from tenant_apps.residents.models import Source
from toolkit.forms.plain_forms import PlainForm

_CHOOSE = gettext_lazy("Choisissez qui prévenir.")


class InboxForm(PlainForm):
    """`cleaned_data` holds the arguments of `inboxes.watch`."""

    is_watched = forms.BooleanField(
        label=gettext_lazy("Importer les fichiers qui arrivent dans ce dossier"), required=False
    )
    clerk = forms.ChoiceField(
        label=gettext_lazy("Qui prévenir"),
        help_text=gettext_lazy(
            "Les fichiers sont importés dans les limites de ses régies. Cette personne reçoit un courriel quand un "
            "fichier est refusé, ou attend une vérification."
        ),
        required=False,
        error_messages={"invalid_choice": _CHOOSE},
    )
    publishes_alone = forms.ChoiceField(
        label=gettext_lazy("Quand tout est en ordre"),
        widget=forms.RadioSelect,
        choices=[
            ("", gettext_lazy("vérifier seulement : une personne publie")),
            (
                "publier",
                gettext_lazy(
                    "publier sans attendre, sauf s'il y a une question, un redevable ou une facture en ligne qui "
                    "change, ou un avertissement sur une ligne"
                ),
            ),
        ],
        required=False,
    )

    def __init__(self, data: Any = None, *, source: Source) -> None:
        initial = {
            "is_watched": source.is_watched,
            "clerk": str(source.clerk.uuid) if source.clerk else "",
            "publishes_alone": "publier" if source.publishes_alone else "",
        }
        super().__init__(data, initial=initial)
        self._people = {str(one.uuid): one for one in inboxes.who_may_import()}
        people = [(key, one.called) for key, one in self._people.items()]
        self.fields["clerk"].choices = [("", _("Choisissez…")), *people]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        clerk = self._people.get(data.get("clerk") or "")
        if data.get("is_watched") and clerk is None and "clerk" not in self.errors:
            self.add_error("clerk", str(_CHOOSE))
        return {
            "is_watched": bool(data.get("is_watched")),
            "clerk": clerk,
            "publishes_alone": data.get("publishes_alone") == "publier",
        }
