"""One large PDF as the PDFs of an import: each invoice's pages, copied into a file of their own when asked for."""

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from threading import Lock
from typing import BinaryIO

import pikepdf
from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.documents import acts
from tenant_apps.invoices.importing.documents.kinds import DocumentError, Pdf
from tenant_apps.invoices.importing.documents.names import Pattern, base_name
from tenant_apps.invoices.importing.documents.sound import MOST_PAGES
from tenant_apps.invoices.importing.documents.split.plan import Part, Plan, label_of, planned
from tenant_apps.invoices.importing.documents.split.quick import quick_text
from tenant_apps.invoices.importing.documents.split.words import LABELS, Page, numbers_in, page_of, shape_of
from tenant_apps.invoices.importing.records.fields import key_of
from tenant_apps.invoices.importing.records.rules import USUAL, Rules
from toolkit.reading.errors import FileError
from toolkit.reading.pdf_text import texts_of

MOST_PAGES_IN_ALL = 20_000
_COMPARED = 24  # pages whose quick text is compared with PDFium's
_MOST_BOOKMARKS = 40_000
_AT_ONCE = 100  # files made from one copy of the fonts
# All that a page keeps. What is left out leads to other pages: threads, fields of forms, structure, scripts.
_KEPT = {
    *(
        "/Type",
        "/Parent",
        "/Contents",
        "/Resources",
        "/MediaBox",
        "/CropBox",
        "/TrimBox",
        "/BleedBox",
        "/ArtBox",
    ),
    *("/Rotate", "/UserUnit", "/Group", "/Annots"),
}


class OnePdf:
    """The PDF of all invoices. Raises FileError when it cannot be read, or when nothing tells the invoices apart.

    `numbers`: those of the rows, in their order, for a PDF without readable numbers; `plan` then says that a person
    must confirm.
    """

    parallel = True  # several threads may read at once

    def __init__(self, file: BinaryIO, rules: Rules = USUAL.rules, numbers: Sequence[str] = ()) -> None:
        self._lock = Lock()  # qpdf's objects are of one thread at a time
        self._pdf = _opened(file)
        self._pages = list(self._pdf.pages)
        self._out, self._made = pikepdf.new(), 0
        self._rules = rules
        self._pattern = Pattern(rules.document_pattern) if rules.document_pattern else None
        self._shares = _shares_resources(self._pages)
        found = planned(_read(file, self._pages), _bookmarks(self._pdf), numbers)
        if found is None:
            sentence = _(
                "Ce PDF de %(n)d pages ne se découpe pas : aucun numéro de facture n'est lisible sur ses pages ni "
                "dans ses signets. Donnez un PDF par facture, dans une archive ZIP."
            )
            raise FileError(sentence % {"n": len(self._pages)})
        self.plan: Plan = found
        self._parts: dict[str, Part] = {}
        for part in found.parts:
            if part.doubt or part.key not in self._parts:
                self._parts[part.key] = part
        self._letters = _common_letters([part.number for part in found.parts])

    def find(self, name: str, *, is_file: bool = False) -> str | None:
        """The key of the invoice's pages, or None; `is_file`: the name of the file that billing would have made."""
        wanted = {key_of(base_name(name) if is_file else name)}
        if is_file and self._pattern:
            wanted |= self._pattern.numbers_in(name)
        prefix = key_of(self._rules.prefix)
        for one in list(wanted):
            wanted.add(one.removeprefix(prefix).strip("-"))
            wanted |= {f"{letters}{one}" for letters in (prefix, self._letters)}
        found = sorted(one for one in wanted if one in self._parts)
        return found[0] if len(found) == 1 else None

    def read(self, key: str) -> Pdf:
        """The pages of that key as a PDF, always the same bytes. Raises KeyError, DocumentError."""
        part = self._parts[key]
        if part.doubt:
            raise DocumentError(part.doubt)
        if len(part.pages) > MOST_PAGES:
            sentence = _("La facture %(number)s aurait %(n)d pages ; une facture en a de 1 à %(most)d.")
            raise DocumentError(sentence % {"number": part.number, "n": len(part.pages), "most": MOST_PAGES})
        try:
            with self._lock:
                content = self._copied(part.pages)
        except (pikepdf.PdfError, ValueError, RuntimeError):
            sentence = _("Les pages de la facture %(number)s sont abîmées : produisez de nouveau le PDF.")
            raise DocumentError(sentence % {"number": part.number}) from None
        return Pdf(f"{part.number}.pdf", content, hashlib.sha256(content).hexdigest(), len(part.pages))

    def names(self) -> Iterator[tuple[str, str]]:
        """Yield (key, name) of each invoice's pages."""
        for key, part in self._parts.items():
            yield key, f"{part.number}.pdf"

    def _copied(self, places: Sequence[int]) -> bytes:
        if self._made % _AT_ONCE == 0:
            self._out = pikepdf.new()
        self._made += 1
        for place in places:
            page = self._pages[place]
            _keep_to_itself(page)
            if self._shares:  # otherwise the file would carry the pictures of everybody
                page.remove_unreferenced_resources()
            self._out.pages.append(page)
        written = io.BytesIO()
        self._out.save(written, deterministic_id=True)
        del self._out.pages[:]
        return written.getvalue()


def _opened(file: BinaryIO) -> pikepdf.Pdf:
    file.seek(0)
    try:
        pdf = pikepdf.open(file)
        count = len(pdf.pages)
    except pikepdf.PasswordError:
        sentence = _(
            "Le PDF des factures est protégé par un mot de passe : enregistrez-le sans mot de passe."
        )
        raise FileError(sentence) from None
    except Exception:  # whatever error the parser raises, the file is not sound
        sentence = _("Le PDF des factures est abîmé : produisez-le à nouveau.")
        raise FileError(sentence) from None
    if acts.is_portfolio(pdf) or acts.is_xfa_only(pdf):
        sentence = _(
            "Le PDF des factures est un porte-documents ou un formulaire XFA : ses pages ne sont pas les factures."
        )
        raise FileError(sentence)
    if not 1 <= count <= MOST_PAGES_IN_ALL:
        sentence = _("Le PDF des factures a %(n)d pages ; %(most)d au plus. Découpez-le en plusieurs envois.")
        raise FileError(sentence % {"n": count, "most": MOST_PAGES_IN_ALL})
    return pdf


def _read(file: BinaryIO, pages: Sequence[pikepdf.Page]) -> list[Page]:
    """What each page says.

    Where PDFium and the quick text say the same on some pages, the quick text counts for every page that has one
    number of a form met there. PDFium reads all others, and those before them, whose « page 1 / 2 » may matter.
    """
    step = max(1, len(pages) // _COMPARED)
    compared = list(range(0, len(pages), step))
    found = dict(zip(compared, map(page_of, texts_of(file, compared)), strict=True))
    label = label_of(list(found.values()))
    if label is not None:
        agreed = _agreed(pages, found, label)
        for place, page in enumerate(pages) if agreed else ():
            if place not in found:
                numbers = numbers_in(quick_text(page), label)
                if len(numbers) == 1 and shape_of(numbers[0]) in agreed:
                    found[place] = Page(tuple(numbers if n == label else () for n in range(len(LABELS))))
    asked = [place for place in range(len(pages)) if place not in found]
    asked = sorted(
        {place for one in asked for place in (one - 1, one) if place >= 0 and place not in compared}
    )
    found.update(zip(asked, map(page_of, texts_of(file, asked)), strict=True))
    return [found[place] for place in range(len(pages))]


def _agreed(pages: Sequence[pikepdf.Page], found: Mapping[int, Page], label: int) -> set[str]:
    """The forms of the numbers on which both texts agree; none when they differ on one page."""
    if any(
        numbers_in(quick_text(pages[place]), label) != page.numbers[label] for place, page in found.items()
    ):
        return set()
    numbers = [page.numbers[label] for page in found.values()]
    return {shape_of(one[0]) for one in numbers if len(one) == 1}


def _bookmarks(pdf: pikepdf.Pdf) -> dict[int, str]:
    """Page → the number in the title of the first bookmark that leads to it. Only the first level counts."""
    found: dict[int, str] = {}
    if "/Outlines" not in pdf.Root:
        return found
    places = {page.objgen: place for place, page in enumerate(pdf.pages)}
    try:
        for item in islice(pdf.open_outline(max_depth=1).root, _MOST_BOOKMARKS):
            place = _place_of(item, places)
            if place is not None:
                numbers = page_of(item.title).numbers
                found.setdefault(place, next((one[0] for one in numbers if len(one) == 1), ""))
    except Exception:  # an outline in disorder says nothing
        return {}
    return found


def _place_of(item: pikepdf.OutlineItem, places: dict[tuple[int, int], int]) -> int | None:
    target = item.destination
    if target is None and item.action is not None:
        target = item.action.get("/D")
    if isinstance(target, pikepdf.Array) and len(target) and isinstance(target[0], pikepdf.Dictionary):
        return places.get(target[0].objgen)
    return None


def _shares_resources(pages: Sequence[pikepdf.Page]) -> bool:
    """Whether pages have one list of fonts and pictures in common."""
    seen: set[tuple[int, int]] = set()
    for page in pages:
        resources = page.obj.get("/Resources")
        if resources is None:
            return True  # inherited
        for one in (resources, resources.get("/XObject")):
            if one is not None and one.objgen != (0, 0):
                if one.objgen in seen:
                    return True
                seen.add(one.objgen)
    return False


def _keep_to_itself(page: pikepdf.Page) -> None:
    """Take away from a page what leads to others, or acts. Of its links only those to the web remain."""
    for name in set(page.obj.keys()) - _KEPT:
        del page.obj[name]
    links = [mark for mark in page.obj.get("/Annots", []) if _is_link(mark)]
    if links:
        page.obj["/Annots"] = pikepdf.Array(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Annot,
                Subtype=pikepdf.Name.Link,
                Rect=mark["/Rect"],
                Border=[0, 0, 0],
                A=pikepdf.Dictionary(S=pikepdf.Name.URI, URI=mark["/A"]["/URI"]),
            )
            for mark in links
        )
    elif "/Annots" in page.obj:
        del page.obj["/Annots"]


def _is_link(mark: pikepdf.Object) -> bool:
    action = mark.get("/A")
    return (
        mark.get("/Subtype") == "/Link"
        and isinstance(action, pikepdf.Dictionary)
        and action.get("/S") == "/URI"
        and isinstance(action.get("/URI"), pikepdf.String)
    )


def _common_letters(numbers: Sequence[str]) -> str:
    """The letters before every number, when all have the same: « can » of CAN20260301, CAN20260302."""
    letters = {number[: len(number) - len(number.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))] for number in numbers}
    return letters.pop().lower() if len(letters) == 1 else ""
