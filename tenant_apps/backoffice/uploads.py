"""The files of an import as they arrive: their size is looked at before anything is read."""

from django.conf import settings
from django.http import HttpRequest

_FORM = 64 * 1024  # what the form itself weighs around its files
_CHUNK = 64 * 1024
_PATIENCE = 1024 * 1024 * 1024  # beyond it the connection is simply cut

# Fictitious people; the six columns that are needed, and those that are most useful.
SAMPLE = (
    "Numéro;Date;Échéance;Montant;Objet;Exercice;Code redevable;Civilité;Nom;Prénom;Adresse;CP;Ville;E-mail\r\n"
    "2026-001-000001;01/10/2026;31/10/2026;37,50;Cantine de septembre;2026;F0001;Mme;MARTIN;Alice;"
    "1 place de la Mairie;31320;PECHABOU;alice.martin@example.org\r\n"
    "2026-001-000002;01/10/2026;31/10/2026;12,00;Garderie de septembre;2026;F0002;M.;DURAND;Paul;"
    "3 rue des Écoles;31320;PECHABOU;paul.durand@example.org\r\n"
)


def announced_size(request: HttpRequest) -> int:
    """The bytes that the browser says it is sending; without a length no body is read at all."""
    try:
        return max(int(request.META.get("CONTENT_LENGTH") or 0), 0)
    except ValueError:
        return 0


def most() -> int:
    """The largest request that is accepted, in bytes."""
    return int(settings.UPLOAD_MAX_BYTES) + _FORM


def let_finish(request: HttpRequest) -> None:
    """Read and forget the body, piece by piece: a browser shows our answer only once it has sent everything."""
    if announced_size(request) <= _PATIENCE:
        while request.read(_CHUNK):
            pass
