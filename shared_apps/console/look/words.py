"""Labels of states, kinds, verbs and people, in French."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.template.defaultfilters import date as date_format
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html
from django.utils.safestring import SafeString

from shared_apps.accounts.models import Account
from shared_apps.audit import verbs
from shared_apps.audit.models import AuditEntry
from shared_apps.console.models import TownFigures
from tenants.models import Operation, OperationState
from tenants.states import TownState
from toolkit import clock

LATE = timedelta(minutes=15)
STATE_TONES: dict[str, str] = {
    TownState.OPEN: "ok",
    TownState.OPENING: "",
    TownState.SUSPENDED: "warn",
    TownState.CLOSING: "warn",
    TownState.CLOSED: "bad",
}
OPERATION_TONES: dict[str, str] = {
    OperationState.DONE: "ok",
    OperationState.RUNNING: "warn",
    OperationState.FAILED: "bad",
}
OUTCOME_TONES: dict[str, str] = {"opened": "ok", "refused": "bad", "waiting": "warn"}
KINDS = {
    "open": "Ouverture",
    "open-list": "Ouvertures",
    "rename": "Changement d'adresse",
    "move": "Changement de base",
    "export": "Export",
    "deposit": "Archive déposée",
    "restore": "Restauration",
    "erase": "Effacement",
}


def tag(text: str, tone: str = "") -> SafeString:
    """A label with a coloured background. The colour only repeats what the word says."""
    return format_html('<span class="console-tag {}">{}</span>', tone, text)


def kind(name: str) -> str:
    """The French name of an operation's kind."""
    return KINDS.get(name, name)


def verb(name: str) -> str:
    """Of an entry of the trail."""
    return verbs.title(name)


def verbs_here() -> list[tuple[str, str]]:
    """What the trail of the platform may hold, by the names: the facts of the rooms that are not a town's alone."""
    ours = (fact for fact in verbs.every() if fact.room.startswith("shared_apps."))
    return sorted(((fact.verb, str(fact.title)) for fact in ours), key=lambda pair: pair[1])


def number(value: int) -> str:
    """`12 345`, with narrow spaces that do not break."""
    return f"{value:,}".replace(",", "\u202f")


def day(moment: datetime | None) -> str:
    """30/10/2026; a dash for no date."""
    return date_format(moment.astimezone(clock.PARIS), "d/m/Y") if moment else "–"


def age(since: datetime) -> SafeString | str:
    """« 3 min »; coloured after `LATE`."""
    return tag(ago(since), "bad") if clock.now() - since > LATE else ago(since)


def ago(since: datetime) -> str:
    """« 3 min », « 2 h », « 4 j »."""
    minutes = max(int((clock.now() - since).total_seconds() // 60), 0)
    hours, days = minutes // 60, minutes // 1440
    return f"{days}\u00a0j" if days else f"{hours}\u00a0h" if hours else f"{minutes}\u00a0min"


def troubles(figures: TownFigures) -> list[SafeString]:
    """What is wrong in a town, the worst first, as coloured words."""
    late = clock.now() - LATE
    found = []
    if figures.stuck_mails:
        found.append(
            tag(_counted(figures.stuck_mails, "courriel ne part pas", "courriels ne partent pas"), "bad")
        )
    if figures.waiting_since is not None and figures.waiting_since < late:
        found.append(tag(f"travail en retard de {ago(figures.waiting_since)}", "bad"))
    if figures.import_since is not None and figures.import_since < late:
        found.append(tag(f"import sans nouvelles depuis {ago(figures.import_since)}", "bad"))
    if figures.failed_imports:
        found.append(tag(_counted(figures.failed_imports, "import interrompu", "imports interrompus"), "bad"))
    if figures.held_attempts:
        found.append(
            tag(_counted(figures.held_attempts, "paiement à examiner", "paiements à examiner"), "warn")
        )
    if figures.bounced_mails:
        found.append(tag(_counted(figures.bounced_mails, "adresse refusée", "adresses refusées"), "warn"))
    return found


def _counted(n: int, one: str, many: str) -> str:
    return f"{number(n)} {one if n < 2 else many}"


RESULTS = {
    "opened": "Communes ouvertes",
    "there": "Communes déjà là",
    "refused": "Communes refusées",
    "waiting": "Communes à reprendre",
    "rows": "Lignes",
    "objects": "Fichiers",
    "size": "Taille",
    "sha256": "SHA-256",
    "name": "Archive",
    "expires_at": "Gardée jusqu'au",
    "hosts": "Adresses",
    "slug": "Adresse",
    "from": "De la base",
    "to": "Vers la base",
    "tables": "Tables",
}


def result(operation: Operation) -> list[tuple[str, str]]:
    """The result of an operation for people: (label, value)."""
    return [
        (label, _value(key, operation.result[key]))
        for key, label in RESULTS.items()
        if key in operation.result
    ]


def _value(key: str, value: object) -> str:
    if key == "size":
        return filesizeformat(str(value))
    if key == "expires_at":
        return str(date_format(datetime.fromisoformat(str(value)).astimezone(clock.PARIS), "d/m/Y H:i"))
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return number(value) if isinstance(value, int) else str(value)


def operators() -> dict[str, str]:
    """Account id → address, for the accounts of the public schema. One statement; there are few."""
    return {str(uuid): email for uuid, email in Account.objects.values_list("uuid", "email")}


def actor(name: str, known: Mapping[str, str]) -> str:
    """`account:<uuid>` → the operator's address; `system` → « la plateforme »."""
    if " as " in name:
        operator, _, person = name.partition(" as ")
        return f"{actor(operator, known)} à la place de {actor(person, known)}"
    place, _, rest = name.partition(":")
    if name == "system":
        return "la plateforme"
    if name == "treasury":
        return "le Trésor public"
    if place in ("account", "operator"):
        return known.get(rest, f"compte {rest[:8]}")
    return name


def author(name: str, known: Mapping[str, str], staff: Mapping[str, str]) -> str:
    """Of a fact of a town: `known` are the operators, `staff` the town's. A resident is not named to the operator."""
    operator, _, person = name.rpartition(" as ")
    place, _, uuid = person.partition(":")
    person = staff.get(uuid, "un usager") if place == "account" else actor(person, known)
    return f"{actor(operator, known)} à la place de {person}" if operator else person


def thing(entry: AuditEntry, known: Mapping[str, str]) -> str:
    """What the entry is about: a town's or an operator's address."""
    place, _, rest = entry.object.partition(":")
    if place == "town":
        return str(entry.new.get("slug") or entry.old.get("slug") or rest[:8])
    if place == "account":
        return known.get(rest, f"compte {rest[:8]}")
    return entry.object


def change(entry: AuditEntry) -> str:
    """« état : ouverte → suspendue ; motif : … »."""
    return verbs.changes(entry)
