"""What a PES file is, from its first bytes: its encoding and its root; and why one without invoices is refused."""

import codecs
import re
from dataclasses import dataclass
from typing import BinaryIO

from django.utils.translation import gettext as _

from toolkit.reading.errors import FileError

HEAD = 64 * 1024  # the root element begins within these bytes
_CHUNK = 1024 * 1024
# Declared name (its Python name) → what is read. Many files that declare ISO-8859-1 hold € and ’ of Windows-1252,
# which has the same letters and no others in their places.
_ENCODINGS = {
    **{"utf-8": "utf-8", "ascii": "utf-8", "iso8859-1": "cp1252", "cp1252": "cp1252"},
    **{"iso8859-15": "iso8859-15", "cp850": "cp850", "mac-roman": "mac-roman"},
    **{"utf-16": "utf-16", "utf-16-le": "utf-16-le", "utf-16-be": "utf-16-be"},
}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)
_BESIDE = re.compile(r"<!--.*?-->|<\?.*?\?>", re.DOTALL)
_ROOT = re.compile(r"<(?:[\w.-]+:)?(PES_\w+)[\s/>]")
_DECLARED = re.compile(r"""<\?xml\s[^>]*?encoding\s*=\s*["']([\w.:-]+)["']""")


@dataclass(frozen=True)
class Opening:
    """The first bytes of a PES file. `encoding`: of Python; empty: nothing says it."""

    root: str
    encoding: str
    has_doctype: bool = False


def opening(head: bytes) -> Opening | None:
    """What a file begins with, or None when it is no PES."""
    marked = next((encoding for mark, encoding in _BOMS if head.startswith(mark)), "")
    text = head[:HEAD].decode(marked or "latin-1", "ignore").lstrip("\ufeff \t\r\n")
    if not text.startswith("<"):
        return None
    declared = _DECLARED.match(text)
    body = _BESIDE.sub("", text).lstrip()
    has_doctype = body[:9].upper() == "<!DOCTYPE"
    root = _ROOT.search(body) if has_doctype else _ROOT.match(body)
    if root is None:
        return None
    return Opening(root[1], marked or (declared[1] if declared else ""), has_doctype)


def opened(file: BinaryIO) -> tuple[str, bool]:
    """(encoding, whether nothing declared it) of a PES Aller. Raises FileError for what is none, in words."""
    file.seek(0)
    head = file.read(HEAD)
    found = opening(head)
    if found is None:
        raise FileError(_("Ce fichier n'est pas un PES : il ne commence pas par une balise PES_Aller."))
    if found.has_doctype:
        raise FileError(
            _(
                "Ce fichier PES contient une DTD, qu'un PES n'a jamais : demandez-en un autre à votre logiciel."
            )
        )
    if found.root.lower() != "pes_aller":
        raise FileError(_other_root(found.root, of_expenses=b"PES_DepenseRetour" in head))
    if not found.encoding:
        return ("utf-8", True) if _is_utf8(file) else ("cp1252", True)
    try:
        known = _ENCODINGS.get(codecs.lookup(found.encoding).name)
    except LookupError:
        known = None
    if known is None:
        sentence = _(
            "Ce fichier PES déclare l'encodage « %(name)s », qui n'est pas lu : exportez-le en UTF-8."
        )
        raise FileError(sentence % {"name": found.encoding[:30]})
    return known, False


def _is_utf8(file: BinaryIO) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := file.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _other_root(root: str, *, of_expenses: bool) -> str:
    name = root.lower()
    if name == "pes_retour" and of_expenses:
        return _(
            "Ce fichier est un PES Retour de dépenses : le Trésor y parle des mandats que la commune paie. "
            "Il n'y a rien à "
            "importer ici."
        )
    if name == "pes_retour":
        return _(
            "Ce fichier est un PES Retour : il vient du Trésor et dit ce qui a été payé. Il n'apporte aucune "
            "facture ; "
            "déposez-le sur la page « Rapprochement »."
        )
    if name == "pes_acquit":
        return _(
            "Ce fichier est un PES Acquit : le Trésor y accuse réception d'un envoi. Il n'apporte aucune facture ; "
            "déposez ici le PES Aller que votre logiciel de facturation a produit."
        )
    sentence = _(
        "Ce fichier est un PES « %(root)s » : seul le PES Aller de recettes (titres ou rôle ORMC) apporte "
        "des factures."
    )
    return sentence % {"root": root[:40]}


def without_pieces(blocks: set[str]) -> str:
    """Why a PES Aller that has these blocks, and no piece of income, is refused."""
    if "PES_RecetteAller" in blocks:
        return _(
            "Ce PES de recettes ne contient aucune pièce : choisissez dans votre logiciel le lot à exporter, "
            "puis recommencez."
        )
    if "PES_DepenseAller" in blocks:
        return _(
            "Ce fichier est un PES de dépenses : ce sont des mandats que la commune paie, pas des factures. "
            "Déposez le "
            "PES de recettes (titres ou rôle ORMC)."
        )
    if "PES_PJ" in blocks:
        return _(
            "Ce PES ne contient que des pièces jointes : déposez-le à côté du PES des titres ou du rôle, dans la case "
            "des PDF."
        )
    return _("Ce PES ne contient pas de recettes : déposez le PES Aller des titres ou du rôle ORMC.")
