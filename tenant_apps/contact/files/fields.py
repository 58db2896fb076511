"""The boxes for files, which the forms of both doors show."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from tenant_apps.contact.files.attachments import ACCEPT, Attachment, checked

_LABELS = (_("Premier fichier"), _("Deuxième fichier"), _("Troisième fichier"))


def _box(label: Any) -> forms.FileField:
    return forms.FileField(
        label=label,
        required=False,
        max_length=None,
        widget=forms.FileInput(attrs={"accept": ACCEPT}),
        error_messages={
            "empty": _("Ce fichier est vide : choisissez-en un autre."),
            "invalid": _("Ce fichier n'est pas arrivé : choisissez-le de nouveau."),
        },
    )


class FilesMixin(forms.Form):
    """Three files at most, one a box: also without scripts, a PDF and a photograph from two places can be joined."""

    file_1, file_2, file_3 = (_box(label) for label in _LABELS)
    attachments: tuple[Attachment, ...] = ()
    opens_files = True  # False: whoever sends too many is not worth the work

    @property
    def file_boxes(self) -> list[forms.BoundField]:
        return [self[name] for name in ("file_1", "file_2", "file_3") if name in self.fields]

    @property
    def lost_files(self) -> bool:
        """True when the page is shown again: a browser forgets the files that were chosen."""
        return bool(self.files)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        found = []
        for box in self.file_boxes:
            if self.opens_files and (upload := data.get(box.name)):
                try:
                    found.append(checked(upload))
                except forms.ValidationError as error:
                    self.add_error(box.name, error)
        self.attachments = tuple(found)
        return data
