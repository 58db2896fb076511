"""Whether some bytes are a PDF that every browser opens, and that does nothing by itself. They are kept as sent."""

import io
from collections.abc import Callable
from typing import TypeVar

import pikepdf
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenant_apps.invoices.importing.documents import acts
from tenant_apps.invoices.importing.documents.kinds import DocumentError

T = TypeVar("T")
MOST_PAGES = 200
_BEFORE = 1024  # bytes that readers accept before « %PDF- »
_AFTER = 2048  # and after « %%EOF », zeros not counted
# What else is called .pdf, by its first bytes.
_OTHERS = (
    (
        (b"\xff\xd8\xff",),
        gettext_lazy("« %(name)s » n'est pas un PDF mais une image JPEG : imprimez-la en PDF."),
    ),
    ((b"\x89PNG",), gettext_lazy("« %(name)s » n'est pas un PDF mais une image PNG : imprimez-la en PDF.")),
    (
        (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"{\\rtf"),
        gettext_lazy("« %(name)s » n'est pas un PDF mais un document de bureau : enregistrez-le en PDF."),
    ),
    ((b"<",), gettext_lazy("« %(name)s » n'est pas un PDF mais une page web : imprimez-la en PDF.")),
)

# Opening a PDF decompresses its tables, which may be bombs too. The limit is for the whole process: set once, here.
pikepdf.settings.set_qpdf_limits(
    flate_max_memory=64 * 1024 * 1024, parser_max_container_size=500_000, doc_max_warnings=100
)


def look_into(name: str, content: bytes, look: Callable[[pikepdf.Pdf], T]) -> T:
    """`look(pdf)` for these bytes. Raises DocumentError when they are not a sound PDF that everybody can open."""
    begin = content.find(b"%PDF-", 0, _BEFORE + 5)
    other = next((why for signs, why in _OTHERS if content.startswith(signs)), None)
    if other is not None:
        raise DocumentError(str(other) % {"name": name})
    if begin < 0:
        raise DocumentError(_("« %(name)s » n'est pas un PDF.") % {"name": name})
    end = content.rfind(b"%%EOF")
    if end < 0 or (len(content) - end > _AFTER and len(content[end + 5 :].strip(b"\0")) > _AFTER):
        # pikepdf would repair the file and silently drop what is missing
        raise DocumentError(
            _("« %(name)s » est abîmé : la fin manque. Produisez-le à nouveau.") % {"name": name}
        )
    is_padded = len(content) - end > 1000
    try:
        with pikepdf.open(io.BytesIO(content[: end + 5] if is_padded else content)) as pdf:
            return look(pdf)
    except DocumentError:
        raise
    except pikepdf.PasswordError:
        raise DocumentError(_("« %(name)s » est protégé par un mot de passe.") % {"name": name}) from None
    except Exception:  # whatever error the parser raises, the file is not sound
        raise DocumentError(
            _("« %(name)s » est un PDF abîmé : produisez-le à nouveau.") % {"name": name}
        ) from None


def pages_of(name: str, content: bytes) -> int:
    """The number of pages. Raises DocumentError when a resident could not read it, or when it does something."""
    return look_into(name, content, lambda pdf: checked(name, pdf))


def checked(name: str, pdf: pikepdf.Pdf, *, most_pages: int = MOST_PAGES) -> int:
    """The number of pages of an open PDF. Raises DocumentError."""
    pages = len(pdf.pages)
    if 1 <= pages <= most_pages and acts.is_plain(pdf):
        return pages
    sentence = ""
    if acts.is_xfa_only(pdf):
        sentence = _(
            "« %(name)s » est un formulaire XFA : les navigateurs n'affichent que « Please wait ». Imprimez-le en PDF."
        )
    elif acts.is_portfolio(pdf):
        sentence = _(
            "« %(name)s » est un porte-documents : la facture est dans un fichier joint, que les navigateurs "
            "n'affichent pas. Donnez la facture elle-même."
        )
    elif not 1 <= pages <= most_pages:
        sentence = _("« %(name)s » a %(n)d pages ; une facture en a de 1 à %(most)d.")
    elif acts.runs(pdf):
        sentence = _(
            "« %(name)s » contient un programme (JavaScript ou lancement) : imprimez-le en PDF, sans programme."
        )
    elif acts.carries(pdf, allowed=(".xml",)):  # Factur-X: the invoice as data, for companies
        sentence = _("« %(name)s » contient d'autres fichiers : imprimez-le en PDF, sans pièce jointe.")
    if sentence:
        raise DocumentError(sentence % {"name": name, "n": pages, "most": most_pages})
    return pages
