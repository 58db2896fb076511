"""The certificate of an erasure, as a page that a mayor can read."""

from django.apps import apps
from django.template.defaultfilters import date, filesizeformat
from django.utils import timezone, translation

from tenants.models import Erasure


def text_of(erasure: Erasure) -> str:
    """The certificate, in French, in plain text."""
    counts = erasure.counts
    with translation.override("fr"):
        when = date(timezone.localtime(erasure.erased_at), r"j F Y \à H \h i")
        lines = [
            "CERTIFICAT D'EFFACEMENT",
            "",
            f"Commune : {erasure.name}",
            f"Adresse : {', '.join(counts.get('hosts', [])) or erasure.slug}",
            *([f"SIREN : {erasure.siren}"] if erasure.siren else []),
            f"Identifiant : {erasure.town_uuid}",
            f"Effacée le : {when} (heure de Paris)",
            f"À la demande de : {erasure.requested_by}",
            f"Motif : {erasure.reason}",
            f"Certificat : {erasure.uuid}",
            "",
            "Ont été détruits :",
            f"- le schéma de la base de données : {_rows(sum(counts.get('tables', {}).values()))}, dont",
            *_tables(counts.get("tables", {})),
            f"- dans les tables de la plateforme : {_rows(sum(counts.get('public', {}).values()))}, dont",
            *_tables(counts.get("public", {})),
            f"- {counts.get('objects', 0)} fichier(s), {filesizeformat(counts.get('bytes', 0))}",
            f"- {counts.get('exports', 0)} archive(s) d'export gardée(s) par la plateforme",
            "- ce que le cache en gardait, et les messages qui attendaient de partir.",
            "",
            "Demeurent : ce certificat et le journal de l'exploitant, qui ne nomment aucun habitant.",
            "Les sauvegardes de la plateforme ne sont pas touchées : elles s'effacent à leur propre échéance.",
        ]
    return "\n".join(lines) + "\n"


def _tables(counts: dict[str, int]) -> list[str]:
    """One line per table that had rows, under its French name when it has one."""
    names = {
        model._meta.db_table: f"{model._meta.verbose_name} ({model._meta.db_table})"
        for model in apps.get_models()
        if "verbose_name" in model._meta.original_attrs
    }
    return [f"    {names.get(table, table)} : {number}" for table, number in counts.items() if number]


def _rows(number: int) -> str:
    return f"{number} ligne" if number < 2 else f"{number} lignes"
