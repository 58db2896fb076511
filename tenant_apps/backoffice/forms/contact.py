"""The town's answer to a resident's message."""

import uuid
from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from tenant_apps.contact.files.fields import FilesMixin
from toolkit.forms.plain_forms import PlainForm


class ThreadForm(FilesMixin, PlainForm):
    """The town's text in a thread. `seen`: the last message on the page. `key`: sending twice makes one answer."""

    body = forms.CharField(
        label=_("Votre réponse"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 8}),
        error_messages={"required": _("Écrivez votre réponse.")},
    )
    seen = forms.UUIDField(widget=forms.HiddenInput)
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    field_order = ("body",)

    def __init__(self, *args: Any, seen: uuid.UUID | None = None, can_join: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["seen"].initial = seen
        if not can_join:
            for box in self.file_boxes:
                del self.fields[box.name]

    def see(self, seen: uuid.UUID) -> None:
        """Show the page again with this new message too."""
        data = cast(QueryDict, self.data).copy()
        data["seen"] = str(seen)
        self.data = data

    def cleaned_data_of_answer(self) -> dict[str, Any]:
        """The arguments of `answer_message`."""
        return {name: self.cleaned_data[name] for name in ("body", "seen", "key")}
