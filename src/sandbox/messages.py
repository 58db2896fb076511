"""`make messages`: the sentences of the code and the templates, and their catalogues; no gettext needed.

The msgids are French. `fr` holds only what has a plural, word for word: without it, gettext counts as in English, and
« 0 factures » is wrong. `en` holds everything. Catalogues name files and no lines, so that a change moves nothing
else. Sentences that are no longer in the code are removed.
"""

import io
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polib
from babel.messages.extract import extract
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent.parent
LOCALE = ROOT / "src" / "config" / "locale"
FOLDERS = ("src/config", "src/toolkit", "tenants", "shared_apps", "tenant_apps")  # of the image
PLURALS = {"fr": "nplurals=2; plural=(n > 1);", "en": "nplurals=2; plural=(n != 1);"}
_CALLS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}


class Sentence(NamedTuple):
    """A msgid as written in the code."""

    context: str | None
    one: str
    many: str


def sentences() -> dict[Sentence, list[str]]:
    """Every sentence → the files that contain it, in the order of the files."""
    found: dict[Sentence, list[str]] = {}
    for file in _files():
        name = file.relative_to(ROOT).as_posix()
        for sentence in _read(file):
            where = found.setdefault(sentence, [])
            if name not in where:
                where.append(name)
    return found


def merged(language: str) -> polib.POFile:
    """The language's catalogue with exactly the present sentences; new ones have an empty translation."""
    path = po_path(language)
    kept = (
        {(e.msgctxt, e.msgid): e for e in polib.pofile(str(path)) if not e.obsolete} if path.exists() else {}
    )
    po = polib.POFile(wrapwidth=110)
    po.metadata = {
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": PLURALS[language],
    }
    for sentence, files in _wanted(language).items():
        entry = polib.POEntry(msgctxt=sentence.context, msgid=sentence.one)
        entry.occurrences = [(file, "") for file in files]
        old = kept.get((sentence.context, sentence.one))
        if sentence.many:
            entry.msgid_plural = sentence.many
            told = {0: sentence.one, 1: sentence.many} if language == "fr" else {0: "", 1: ""}
            entry.msgstr_plural = dict(old.msgstr_plural) if old and old.msgstr_plural else told
        else:
            entry.msgstr = old.msgstr if old else ""
        if old and language != "fr":
            entry.flags, entry.tcomment = list(old.flags), old.tcomment
        entry.flags = sorted({*entry.flags, *_format(sentence)})
        po.append(entry)
    return po


def faults(entry: polib.POEntry) -> list[str]:
    """Why a translation cannot be shown, in words; empty when it can."""
    if not entry.translated():
        return ["pas traduite, ou « fuzzy »"]
    said = []
    pairs = [(entry.msgid, entry.msgstr)]
    if entry.msgid_plural:  # one form may say « une » where another counts
        pairs = [(entry.msgid_plural, entry.msgstr_plural[1]), (entry.msgid, entry.msgstr_plural[0])]
    for french, other in pairs:
        lost, new = marks(french) - marks(other), marks(other) - marks(french)
        said += [f"il manque {', '.join(sorted(lost))}"] if lost else []
        said += [f"il y a en trop {', '.join(sorted(new))}"] if new else []
        if (french[:1] == " ", french[-1:] == " ") != (other[:1] == " ", other[-1:] == " "):
            said.append("l'espace au bord n'est pas la même")
    return said


def marks(text: str) -> Counter[str]:
    """What a translation must keep: names in braces or after %, and tags, with their number."""
    return Counter(re.findall(r"%\(\w+\)[a-z]|%[sd]|\{\w*\}|</?\w[^>]*>|&\w+;", text))


def po_path(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def main() -> None:
    """Write and compile every catalogue, and list what still needs a translation."""
    for language in PLURALS:
        po, path = merged(language), po_path(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        po.save(str(path))
        path.with_suffix(".mo").write_bytes(compiled(path))
        wrong = [(entry, fault) for entry in po for fault in faults(entry)]
        print(f"{language} : {len(po)} phrases, {len(wrong)} à voir")
        for entry, fault in wrong:
            print(f"  {entry.occurrences[0][0]} : {fault} : {entry.msgid}")


def compiled(path: Path) -> bytes:
    """The catalogue for Python's gettext. A msgid used with and without a plural is in it twice.

    Some versions of Python 3.11 find the singular of a plural entry; others do not.
    """
    po = polib.pofile(str(path))
    po.extend(
        polib.POEntry(msgid=entry.msgid, msgstr=entry.msgstr_plural[0], msgctxt=entry.msgctxt)
        for entry in list(po)
        if entry.msgid_plural
    )
    return bytes(po.to_binary())


def _wanted(language: str) -> dict[Sentence, list[str]]:
    """The sentences for the catalogue. A msgid used with and without a plural has one entry, with the plural."""
    found: dict[tuple[str | None, str], tuple[Sentence, list[str]]] = {}
    for sentence, files in sentences().items():
        key = (sentence.context, sentence.one)
        known, where = found.get(key, (sentence, []))
        found[key] = (sentence if sentence.many else known, [*where, *(f for f in files if f not in where)])
    return {s: files for s, files in found.values() if s.many or language != "fr"}


def _files() -> Iterator[Path]:
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*")):
            code = file.suffix == ".py" and "migrations" not in file.parts
            if code or ("templates" in file.parts and file.suffix in (".html", ".txt")):
                yield file


def _read(file: Path) -> Iterator[Sentence]:
    text = file.read_text("utf-8")
    if file.suffix != ".py":  # Django's templatize turns a template into Python calls, with X for other text
        text = "\n".join(line.strip() for line in templatize(text, origin=str(file)).splitlines())
    source = io.BytesIO(text.encode())
    for _line, message, _comments, context in extract(
        "python", source, _CALLS, options={"encoding": "utf-8"}
    ):
        one, many = message if isinstance(message, tuple) else (message, "")
        yield Sentence(context, one, many)


def _format(sentence: Sentence) -> list[str]:
    return ["python-format"] if re.search(r"%\(\w+\)[sd]", sentence.one + sentence.many) else []


if __name__ == "__main__":
    main()
