"""The filters of the journal, in the address of its page: who, what, about what, when."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shared_apps.accounts.team.names import names_of
from shared_apps.accounts.team.queries import members
from shared_apps.audit import queries, verbs
from shared_apps.audit.models import AuditEntry
from shared_apps.audit.services import SYSTEM, TREASURY
from tenant_apps.backoffice.forms.money import _DAY_FORMATS
from tenant_apps.backoffice.journal.finding import objects_named
from tenant_apps.backoffice.journal.lines import SUBJECTS, verbs_about
from toolkit.forms.plain_forms import PlainForm
from toolkit.scope import Scope
from toolkit.typed import words_of

Choices = list[tuple[str, Any]]
OBJECTS = 20  # in one address
NOT_A_DAY = {"invalid": gettext_lazy("Indiquez une date, par exemple 30/10/2026.")}


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=_DAY_FORMATS,
        error_messages=NOT_A_DAY,
    )


class JournalForm(PlainForm):
    """Empty boxes filter nothing."""

    q = forms.CharField(
        label=gettext_lazy("Numéro, nom, fichier ou régie"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    qui = forms.ChoiceField(label=gettext_lazy("Qui"), required=False)
    quoi = forms.ChoiceField(label=gettext_lazy("Action"), required=False)
    du = _day(gettext_lazy("Du"))
    au = _day(gettext_lazy("Au"))

    def __init__(self, address: Mapping[str, Any], *, objects: list[str]) -> None:
        super().__init__(
            {**{name: address.get(name, "") for name in self.base_fields}, "q": words_of(address, "q")}
        )
        self.objects = [name for name in dict.fromkeys(objects) if "\0" not in name][:OBJECTS]
        self.people = {str(one.account.uuid): one.account.called for one in members()}
        self._choices("qui", self._who(address.get("qui", "")))
        self._choices("quoi", [("", _("Toutes")), *_what()])

    def _choices(self, name: str, choices: Choices) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices
        field.error_messages = {"invalid_choice": _("Choisissez dans la liste.")}

    def _who(self, asked: str) -> Choices:
        """The team, whoever left too; then the others; and the person of a link that leads here."""
        others = [
            ("usagers", _("Les usagers")),
            ("portail", _("Le portail")),
            ("tresor", _("Le Trésor public")),
            ("operateur", _("L'exploitant")),
        ]
        if _is_uuid(asked) and asked not in self.people:
            others += [(asked, name) for name in names_of([f"account:{asked}"]).values()]
        return [("", _("Tout le monde")), (_("L'équipe"), list(self.people.items())), (_("Autres"), others)]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("du") and data.get("au") and data["au"] < data["du"]:
            self.add_error("au", gettext_lazy("La fin est avant le début : vérifiez les deux dates."))
        return data

    @property
    def filters(self) -> bool:
        """Whether anything is asked for."""
        return bool(self.objects) or any(self.data.get(name) for name in self.fields)

    def entries(self, scope: Scope) -> QuerySet[AuditEntry]:
        """The facts that match, newest first; none when a box has an error."""
        if not self.is_valid():
            return AuditEntry.objects.none().order_by("-id")
        data = self.cleaned_data
        found = queries.entries(
            by=self._by(data["qui"]),
            verbs=_verbs(data["quoi"]),
            objects=self.objects or None,
            first=data["du"],
            last=data["au"],
        )
        return found.filter(object__in=objects_named(scope, data["q"])) if data["q"] else found

    def _by(self, who: str) -> Q | None:
        known = {
            "": None,
            "portail": Q(actor=SYSTEM),
            "tresor": Q(actor=TREASURY),
            "operateur": queries.by_operators(),
            "usagers": queries.by_accounts_except([f"account:{uuid}" for uuid in self.people]),
        }
        return known[who] if who in known else queries.by_person(f"account:{who}")


def _what() -> Iterator[tuple[str, Any]]:
    for subject in SUBJECTS:
        label = str(subject.label)
        everything = (subject.name, _("Tout : %(subject)s") % {"subject": label})
        yield label, [everything, *((verb, verbs.title(verb)) for verb in verbs_about(subject))]


def _verbs(what: str) -> list[str] | None:
    if not what:
        return None
    return next((verbs_about(subject) for subject in SUBJECTS if subject.name == what), [what])


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
