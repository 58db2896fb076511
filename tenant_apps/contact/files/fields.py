"""The file fields of the contact forms, in the portal and the back office."""

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
    """Three file fields, one file each: files from several folders can be attached even without scripts."""

    file_1, file_2, file_3 = (_box(label) for label in _LABELS)
    attachments: tuple[Attachment, ...] = ()
    opens_files = True  # False: after too many tries, files are not opened

    @property
    def file_boxes(self) -> list[forms.BoundField]:
        return [self[name] for name in ("file_1", "file_2", "file_3") if name in self.fields]

    @property
    def lost_files(self) -> bool:
        """True when the page is shown again, because browsers forget the chosen files."""
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
