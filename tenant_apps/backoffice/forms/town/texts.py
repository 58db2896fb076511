"""The legal texts. The proposed text stands in the box; left as it is, the field stays empty and follows the town."""

import hashlib
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from tenant_apps.townhall.models import TownHall
from tenant_apps.townhall.notices import FIELDS
from toolkit.forms.plain_forms import PlainModelForm


class TextsForm(PlainModelForm):
    """« Textes légaux ». `proposals`: field → the text that the portal proposes today."""

    class Meta:
        model = TownHall
        fields = ("conformity", *FIELDS)
        labels = {
            "conformity": _("Ce que l'audit RGAA a montré"),
            "legal_notice": _("Mentions légales"),
            "privacy_notice": _("Données personnelles"),
            "accessibility_notice": _("Déclaration d'accessibilité"),
        }
        help_texts = {
            "conformity": _("Sans audit, un site public doit se dire « non conforme »."),
        }
        error_messages = {
            "conformity": {"invalid_choice": _("Choisissez une réponse de la liste.")},
            **{name: {"max_length": _("20 000 caractères au plus.")} for name in FIELDS},
        }

    def __init__(self, *args: Any, proposals: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.proposals = proposals
        for name in FIELDS:
            self.fields[name].widget = forms.Textarea(attrs={"rows": 14, "lang": "fr"})
            self.initial[name] = self.initial[name].strip() or proposals[name]

    def is_proposal(self, name: str, text: str) -> bool:
        """Whether `text` is what the portal proposes."""
        return mark(text) == mark(self.proposals[name])

    def _clean(self, name: str) -> str:
        text: str = self.cleaned_data[name]
        return "" if self.is_proposal(name, text) else text

    def clean_legal_notice(self) -> str:
        return self._clean("legal_notice")

    def clean_privacy_notice(self) -> str:
        return self._clean("privacy_notice")

    def clean_accessibility_notice(self) -> str:
        return self._clean("accessibility_notice")


def followed(data: QueryDict, proposals: Mapping[str, str]) -> QueryDict:
    """What was sent, with today's proposal in each box that is empty or holds the proposal that the page showed.

    The two differ when the town's data, or the level of accessibility in the same form, have changed meanwhile.
    """
    sent = data.copy()
    for name in FIELDS:
        text = str(data.get(name, ""))
        if not text.strip() or mark(text) == data.get(f"{name}_proposed"):
            sent[name] = proposals[name]
    return sent


def mark(text: str) -> str:
    """Tells a text when it comes back. Of its words: browsers end lines in their own way, and forms strip."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()
