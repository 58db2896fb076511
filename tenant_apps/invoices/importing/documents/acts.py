"""What a PDF does by itself, or carries inside: looked for where the catalogue and the pages point.

Reading every object would decompress them all.
"""

import itertools

import pikepdf

_MOST_PAGES = 200
_MOST_MARKS = 5000  # links, fields and the like in a PDF
_MOST_FILES = 50
_ON_A_CLICK = {"/Launch", "/ImportData", "/GoToE"}
_ON_OPENING = _ON_A_CLICK | {"/JavaScript"}

_OF_ROOT = {"/AA", "/OpenAction", "/Names", "/AcroForm", "/NeedsRendering", "/Collection"}
_OF_PAGE = {"/AA", "/Annots"}


def is_plain(pdf: pikepdf.Pdf) -> bool:
    """Whether it has nothing of what the functions below look at, as most invoices: told five times faster."""
    return _OF_ROOT.isdisjoint(pdf.Root.keys()) and all(
        _OF_PAGE.isdisjoint(page.obj.keys()) for page in itertools.islice(pdf.pages, _MOST_PAGES)
    )


def runs(pdf: pikepdf.Pdf) -> bool:
    """Whether it runs something when it is opened, or starts a program on a click.

    The script of a form's field runs only when somebody fills it in, and is allowed.
    """
    root = pdf.Root
    if "/AA" in root or "/JavaScript" in root.get("/Names", {}):
        return True
    if _starts(root.get("/OpenAction"), _ON_OPENING):
        return True
    marks = 0
    for page in itertools.islice(pdf.pages, _MOST_PAGES):
        if "/AA" in page.obj:
            return True
        for mark in page.obj.get("/Annots", []):
            marks += 1
            if marks > _MOST_MARKS or _starts(mark.get("/A"), _ON_A_CLICK):
                return True
    return False


def is_portfolio(pdf: pikepdf.Pdf) -> bool:
    """Whether its real pages are in files inside it."""
    return "/Collection" in pdf.Root


def is_xfa_only(pdf: pikepdf.Pdf) -> bool:
    """Whether only Adobe's reader shows it: browsers show « Please wait »."""
    form = pdf.Root.get("/AcroForm")
    if not isinstance(form, pikepdf.Dictionary) or "/XFA" not in form:
        return False
    return bool(pdf.Root.get("/NeedsRendering", False)) or not len(form.get("/Fields", []))


def carries(pdf: pikepdf.Pdf, *, allowed: tuple[str, ...] = ()) -> bool:
    """Whether it contains files, apart from those whose names end in `allowed`."""
    for page in itertools.islice(pdf.pages, _MOST_PAGES):
        for mark in itertools.islice(page.obj.get("/Annots", []), _MOST_MARKS):
            if mark.get("/Subtype") == "/FileAttachment":
                return True
    if "/EmbeddedFiles" not in pdf.Root.get("/Names", {}):
        return False
    if not allowed:
        return True
    names = list(itertools.islice(pdf.attachments.values(), _MOST_FILES + 1))
    return len(names) > _MOST_FILES or any(not one.filename.lower().endswith(allowed) for one in names)


def _starts(action: object, kinds: set[str], depth: int = 0) -> bool:
    """Whether the action, or a following one, is of these kinds."""
    if not isinstance(action, pikepdf.Dictionary):
        return False
    after = action.get("/Next", [])
    following = after if isinstance(after, pikepdf.Array) else [after]
    return (
        depth > 5
        or str(action.get("/S")) in kinds
        or any(_starts(one, kinds, depth + 1) for one in itertools.islice(following, 20))
    )
