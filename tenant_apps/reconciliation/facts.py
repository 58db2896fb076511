"""What happens to statements and to their rows."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from shared_apps.audit.saying import FILE, REASON, how_many, one_of
from shared_apps.audit.verbs import Fact, Key, declare
from tenant_apps.reconciliation.states import StatementRowState

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

WHY = Key("why", _("motif"))
MAPPING = Key("mapping")  # JSON: field → title of its column
STATE = Key("state", _("état"), one_of(StatementRowState))
DECIDED = (STATE, REASON, Key("payment"))


def _statement_row_fact(state: StatementRowState, title: "StrPromise") -> Fact:
    return Fact(f"line.{state}", title, before=(STATE, REASON), after=DECIDED)


declare(
    Fact("statement.received", _("Relevé envoyé"), after=(FILE,)),
    Fact(
        "statement.import_asked",
        _("Lecture du relevé demandée"),
        after=(MAPPING, Key("account", _("compte"))),
    ),
    Fact(
        "statement.imported",
        _("Relevé importé"),
        after=(
            Key("new", _("nouvelles lignes"), how_many),
            Key("known", _("déjà connues"), how_many),
            MAPPING,
        ),
    ),
    Fact("statement.refused", _("Relevé refusé"), after=(WHY,)),
    Fact("statement.failed", _("Lecture du relevé interrompue"), after=(WHY,)),
    Fact("statement.put_back", _("Fichier du relevé envoyé de nouveau")),
    Fact("statement.tried_again", _("Lecture du relevé recommencée")),
    Fact("statement.looked_again", _("Relevé rapproché de nouveau")),
    Fact("statement.withdrawn", _("Relevé retiré"), before=(Key("lines", _("lignes"), how_many),)),
    Fact("statement.discarded", _("Relevé abandonné"), before=(FILE, Key("sha256"))),
    _statement_row_fact(StatementRowState.MATCHED, _("Ligne rapprochée")),
    _statement_row_fact(StatementRowState.UNMATCHED, _("Ligne inconnue")),
    _statement_row_fact(StatementRowState.DOUBTFUL, _("Ligne douteuse")),
    _statement_row_fact(StatementRowState.DUPLICATE, _("Ligne en double")),
    _statement_row_fact(StatementRowState.IGNORED, _("Ligne écartée")),
    _statement_row_fact(StatementRowState.KNOWN, _("Ligne déjà connue")),
    room=__name__,
    objects={"statement": _("relevé"), "line": _("ligne de relevé")},
)
