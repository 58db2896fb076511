"""The forms of imports."""

from typing import Any, BinaryIO, cast

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shared_apps.audit import services as audit
from tenant_apps.backoffice.templatetags.gestion import megabytes
from tenant_apps.invoices.importing import registry
from tenant_apps.invoices.importing.format import HEAD
from tenant_apps.invoices.importing.people.sources import sources_of_file
from tenant_apps.invoices.models import Batch
from tenant_apps.residents import sources
from tenant_apps.residents.models import Source
from toolkit.forms.plain_forms import PlainForm
from toolkit.reading.errors import FileError

OTHER_SOURCE = "autre"


class ImportForm(PlainForm):
    """The two files of an import, and their source.

    When the town has several sources, none is chosen beforehand: the same code names another person in another
    source. A file with titles that only one source has named is of that source (`told` says so).
    """

    source = forms.ChoiceField(
        required=False,
        label=gettext_lazy("D'où vient ce fichier"),
        help_text=gettext_lazy("Un même code désigne des personnes différentes d'une provenance à l'autre."),
        error_messages={
            "invalid_choice": gettext_lazy("Choisissez d'où vient ce fichier."),
        },
    )
    new_source = forms.CharField(
        label=gettext_lazy("Le nom de cette autre provenance"),
        help_text=gettext_lazy("Le logiciel ou le budget, par exemple « Eau » ou « Cantine »."),
        max_length=sources.LONGEST,
        required=False,
    )
    rows = forms.FileField(
        widget=forms.FileInput(),
        error_messages={"empty": gettext_lazy("Le fichier des factures est vide : choisissez-en un autre.")},
    )
    documents = forms.FileField(
        required=False,
        widget=forms.FileInput(),
        error_messages={"empty": gettext_lazy("L'archive des PDF est vide : choisissez-en une autre.")},
    )

    def __init__(self, *args: Any, replaces: Batch | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.recognised: Source | None = None
        self.replaces = replaces
        known = [(str(source.uuid), source.name) for source in sources.sources()]
        if replaces is not None:
            del self.fields["source"], self.fields["new_source"]
        elif len(known) == 1:
            del self.fields["source"]
        else:
            choices = [("", _("Choisissez…")), *known, (OTHER_SOURCE, _("Une autre provenance"))]
            self.fields["source"].choices = choices  # type: ignore[attr-defined]
        self._ask_for_files()

    def _ask_for_files(self) -> None:
        """Labels and accepted types of the two file fields, from the registered formats and the files that may come
        with them.
        """
        words = {"formats": registry.in_words()}
        rows, documents = self.fields["rows"], self.fields["documents"]
        rows.label = _("Le fichier des factures (%(formats)s)") % words
        rows.error_messages["required"] = _("Choisissez le fichier %(formats)s des factures.") % words
        rows.widget.attrs["accept"] = registry.accepted()
        beside = registry.companions()
        documents.label = " ; ".join(str(one.label) for one in beside)
        documents.widget.attrs["accept"] = ",".join(
            sign for one in beside for sign in (*one.extensions, *one.media_types)
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        name = " ".join((data.get("new_source") or "").split())
        if data.get("source") == OTHER_SOURCE and not name:
            self.add_error("new_source", _("Donnez un nom à cette autre provenance."))
        elif name and data.get("source") not in (None, OTHER_SOURCE):
            self.add_error("new_source", _("Choisissez « Une autre provenance », ou laissez ce nom vide."))
        elif "source" in self.fields and not data.get("source") and "source" not in self.errors and not name:
            self._recognise(data.get("rows"))
        size = sum(file.size for file in (data.get("rows"), data.get("documents")) if file)
        if size > settings.UPLOAD_MAX_BYTES:
            raise forms.ValidationError(too_large(size))
        return data

    def _recognise(self, rows: UploadedFile | None) -> None:
        """The source whose own titles the file has; asked of the clerk when none has, or several have."""
        if rows is None:
            self.add_error("source", _("Choisissez d'où vient ce fichier."))
            return
        found = _sources_of(rows)
        if len(found) == 1:
            self.recognised = found[0]
        elif found:
            sentence = _("Ces titres sont ceux de plusieurs provenances (%(names)s) : choisissez la bonne.")
            self.add_error("source", sentence % {"names": ", ".join(source.name for source in found)})
        else:
            self.add_error("source", _("Choisissez d'où vient ce fichier."))

    @property
    def told(self) -> str:
        """« Fichier reconnu : Cantine (Noethysweb). » when nobody has chosen the source; otherwise empty."""
        if self.recognised is None:
            return ""
        return _("Fichier reconnu à ses titres : %(source)s.") % {"source": self.recognised.name}

    def source_for(self, actor: audit.Actor) -> Source | None:
        """The source of a valid form, created if its name is new; None for the town's only one."""
        if self.replaces is not None:
            return self.replaces.source
        if name := self.cleaned_data["new_source"].strip():
            return sources.source_named(actor=actor, name=name)
        if self.recognised is not None:
            return self.recognised
        chosen = self.cleaned_data.get("source")
        return sources.sources().get(uuid=chosen) if chosen else None


def _sources_of(rows: UploadedFile) -> list[Source]:
    file = cast(BinaryIO, rows.open())  # it stays open: a temporary file is gone once it is closed
    head = file.read(HEAD)
    file.seek(0)
    try:
        return sources_of_file(file, registry.recognised(head, rows.name or ""))
    except FileError:
        return []


def too_large(size: int) -> str:
    """Why a request of `size` bytes is refused, and what to do."""
    return _(
        "Votre envoi pèse %(size)s ; la limite est de %(limit)s. Rien n'a été enregistré. "
        "Découpez-le en plusieurs imports, puis recommencez."
    ) % {"size": megabytes(size), "limit": megabytes(settings.UPLOAD_MAX_BYTES)}
