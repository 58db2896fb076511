"""How the files of a source are read, in a few words."""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tenant_apps.invoices.importing.records.rules import Rules
from tenant_apps.residents.models import Source


def rules_in_words(source: Source) -> list[str]:
    """One short phrase per rule that is not the usual one."""
    return list(_phrases(Rules.kept(source.rules)))


def _phrases(rules: Rules) -> Iterator[str]:
    if count := sum(1 for name in rules.columns.values() if name):
        yield ngettext("%(n)d colonne reconnue", "%(n)d colonnes reconnues", count) % {"n": count}
    if rules.by_name:
        yield _("redevables reconnus par leur nom")
    if rules.subject:
        yield _("objet : « %(subject)s »") % {"subject": rules.subject}
    if rules.due_days is not None:
        yield _("échéance à %(n)d jours") % {"n": rules.due_days}
    if rules.product:
        yield _("régie : %(code)s") % {"code": rules.product}
    if rules.prefix:
        yield _("numéros précédés de %(prefix)s") % {"prefix": rules.prefix}
    if rules.makes_documents:
        yield _("PDF faits par le portail")
