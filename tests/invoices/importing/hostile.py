"""Hostile archives and PDFs, made here: nothing of them is read from outside."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable

import pikepdf

from tenant_apps.invoices.importing.formats.pdfs import page_saying

GOOD = page_saying("Bonjour")
Make = Callable[[], bytes]


class RawName(zipfile.ZipInfo):
    """An entry whose name is these bytes, without the flag of UTF-8."""

    def __init__(self, raw: bytes) -> None:
        super().__init__("x")
        self.raw = raw
        self.create_system = 0

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.raw, self.flag_bits & ~0x800


def zipped(
    *files: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED, comment: bytes = b""
) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.comment = comment
        for name, content in files:
            archive.writestr(name, content, compress_type=method)
    return out.getvalue()


def pdf(change: Callable[[pikepdf.Pdf], object], **save: object) -> bytes:
    document, out = pikepdf.new(), io.BytesIO()
    document.add_blank_page()
    change(document)
    document.save(out, **save)  # type: ignore[arg-type]
    return out.getvalue()


def script() -> pikepdf.Dictionary:
    return pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")


def action(kind: str) -> pikepdf.Dictionary:
    return pikepdf.Dictionary(S=pikepdf.Name(kind), F="calc.exe")


def _on_page(document: pikepdf.Pdf, **entries: object) -> None:
    mark = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Rect=[0, 0, 9, 9], **entries)  # type: ignore[arg-type]
    document.pages[0].obj.Annots = pikepdf.Array([mark])


def _form(document: pikepdf.Pdf) -> None:
    document.Root.AcroForm = pikepdf.Dictionary(Fields=[], XFA=document.make_stream(b"<xdp/>"))


def _attached(name: str) -> Callable[[pikepdf.Pdf], object]:
    return lambda document: document.attachments.__setitem__(name, b"MZ")


def _table_bomb() -> bytes:
    """A PDF whose table of objects grows from 600 kB to 600 MB."""
    packer = zlib.compressobj(9)
    table = b"".join(packer.compress(bytes(1_000_000)) for _ in range(600)) + packer.flush()
    body = b"1 0 obj <</Type/XRef/W[1 2 1]/Size 9/Root 2 0 R/Filter/FlateDecode/Length %d>> stream\n" % len(
        table
    )
    return b"%PDF-1.7\n" + body + table + b"\nendstream endobj\nstartxref\n9\n%%EOF\n"


def _million_objects() -> bytes:
    """A million empty objects in compressed lists: 70 kB in the archive."""
    parts = [b"%PDF-1.7\n"]
    packed = zlib.compress(
        b" ".join(b"%d %d" % (n, 2 * n) for n in range(10, 100_010)) + b"\n" + b"0 " * 100_000, 9
    )
    parts += [
        b"%d 0 obj <</Type/ObjStm/N 100000/First 1000000/Filter/FlateDecode/Length %d>> stream\n%s\nendstream endobj\n"
        % (n, len(packed), packed)
        for n in range(10)
    ]
    return b"".join(parts) + b"trailer <</Size 1000010/Root 1 0 R>>\nstartxref\n0\n%%EOF\n"


def _xref_loop() -> bytes:
    good = GOOD.replace(b"/Root 1 0 R >>", b"/Root 1 0 R /Prev 00000 >>")
    place = good.index(b"xref\n0 6")
    return good.replace(b"/Prev 00000", b"/Prev %05d" % place)


def _deep() -> bytes:
    return GOOD.replace(b"/Type /Catalog", b"/Type /Catalog /X " + b"[" * 60_000 + b"]" * 60_000)


def _kids_loop(document: pikepdf.Pdf) -> None:
    document.Root.Pages.Kids.append(document.Root.Pages)


def _overlapping() -> bytes:
    """Two entries of the list share one compressed file (as in the bombs that hold terabytes)."""
    raw = zipped(("1.pdf", GOOD))
    place, end = raw.index(b"PK\x01\x02"), raw.index(b"PK\x05\x06")
    entry = raw[place:end]
    tail = bytearray(raw[end:])
    tail[8:12] = struct.pack("<HH", 2, 2)
    tail[12:16] = struct.pack("<I", 2 * len(entry))
    return raw[:place] + entry + entry.replace(b"1.pdf", b"2.pdf") + bytes(tail)


def _sizes(compressed: int, size: int) -> bytes:
    raw = bytearray(zipped(("1.pdf", GOOD)))
    place = raw.index(b"PK\x01\x02")
    raw[place + 20 : place + 28] = struct.pack("<II", compressed, size)
    return bytes(raw)


def _checksum() -> bytes:
    raw = bytearray(zipped(("1.pdf", GOOD)))
    place = raw.index(b"PK\x01\x02")
    raw[place + 16] ^= 1
    return bytes(raw)


def _zip64() -> bytes:
    """The list says 4 GB and refers to an extra field that is not there."""
    return _sizes(0xFFFFFFFF, 0xFFFFFFFF)


def _link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("1.pdf")
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def _locked() -> bytes:
    raw = bytearray(zipped(("1.pdf", GOOD)))
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    return bytes(raw)


def _nested() -> bytes:
    inner = zipped(("1.pdf", GOOD))
    for _ in range(5):
        inner = zipped(("dedans.zip", inner))
    return inner


def _many_names() -> bytes:
    """A list of 300,000 entries, all the same: 18 MB."""
    raw = zipped(("1.pdf", GOOD))
    place, end = raw.index(b"PK\x01\x02"), raw.index(b"PK\x05\x06")
    entry, tail = raw[place:end], bytearray(raw[end:])
    tail[8:12] = b"\xff\xfe\xff\xfe"
    tail[12:16] = struct.pack("<I", len(entry) * 300_000)
    return raw[:place] + entry * 300_000 + bytes(tail)


# Name → (how it is made, words of the sentence about the archive).
ARCHIVES: dict[str, tuple[Make, str]] = {
    "nothing": (lambda: b"", "ZIP lisible"),
    "no zip": (lambda: b"hello" * 1000, "ZIP lisible"),
    "another archive's bytes": (lambda: b"Rar!\x1a\x07\x01" + bytes(1000), "ZIP lisible"),
    "cut short": (lambda: zipped(("1.pdf", GOOD))[:-10], "ZIP lisible"),
    "climbs": (lambda: zipped(("../../1.pdf", GOOD)), "interdit"),
    "climbs as Windows": (lambda: zipped(("..\\..\\1.pdf", GOOD)), "interdit"),
    "absolute": (lambda: zipped(("/etc/1.pdf", GOOD)), "interdit"),
    "a drive": (lambda: zipped(("C:/1.pdf", GOOD)), "interdit"),
    "a zero in the name": (lambda: zipped((RawName(b"1.pdf\x00.exe"), GOOD)), "interdit"),
    "a link": (lambda: zipped((_link(), b"/etc/passwd")), "lien"),
    "a password": (_locked, "mot de passe"),
    "LZMA": (lambda: zipped(("1.pdf", GOOD), method=zipfile.ZIP_LZMA), "inhabituelle"),
    "BZIP2": (lambda: zipped(("1.pdf", GOOD), method=zipfile.ZIP_BZIP2), "inhabituelle"),
    "a bomb": (lambda: zipped(("1.pdf", b"%PDF-" + bytes(60_000_000))), "anormalement compressé"),
    "ZIP in ZIP": (_nested, "une autre archive, « dedans.zip »"),
    "shared bytes": (_overlapping, "anormale"),
    "300,000 names": (_many_names, "20 000"),
    "twice": (lambda: zipped(("a/1.pdf", GOOD), ("A.pdf", GOOD), ("a/1.pdf", GOOD)), "deux fois"),
}

# Name → (how it is made, words of the sentence about the PDF 1.pdf inside a sound archive).
PDFS: dict[str, tuple[Make, str]] = {
    "empty": (lambda: b"", "n'est pas un PDF"),
    "a program": (lambda: b"MZ\x90\x00" * 100, "n'est pas un PDF"),
    "JPEG": (lambda: b"\xff\xd8\xff\xe0" + bytes(500), "image JPEG"),
    "PNG": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(500), "image PNG"),
    "Word": (lambda: zipped(("word/document.xml", b"<x/>")), "document de bureau"),
    "a page of the web": (lambda: b"<html>" + GOOD, "page web"),
    "starts too late": (lambda: bytes(1025) + GOOD, "n'est pas un PDF"),
    "the end is missing": (lambda: GOOD[:-40], "la fin manque"),
    "a tail of rubbish": (lambda: GOOD + b"x" * 5000, "la fin manque"),
    "25 MB": (lambda: GOOD[:-6] + bytes(25 * 1024 * 1024) + b"%%EOF\n", "20 Mo"),
    "a password ": (
        lambda: pdf(lambda _: None, encryption=pikepdf.Encryption(user="secret", owner="x")),
        "mot de passe",
    ),
    "JavaScript on opening": (lambda: pdf(lambda d: setattr(d.Root, "OpenAction", script())), "programme"),
    "JavaScript by name": (
        lambda: pdf(lambda d: setattr(d.Root, "Names", pikepdf.Dictionary(JavaScript=pikepdf.Dictionary()))),
        "programme",
    ),
    "JavaScript of a page": (
        lambda: pdf(lambda d: setattr(d.pages[0].obj, "AA", pikepdf.Dictionary(O=script()))),
        "programme",
    ),
    "JavaScript after a jump": (
        lambda: pdf(
            lambda d: setattr(
                d.Root, "OpenAction", pikepdf.Dictionary(S=pikepdf.Name.GoTo, D=[0], Next=[script()])
            )
        ),
        "programme",
    ),
    "starts a program": (
        lambda: pdf(lambda d: _on_page(d, Subtype=pikepdf.Name.Link, A=action("/Launch"))),
        "programme",
    ),
    "fills from a file": (
        lambda: pdf(lambda d: setattr(d.Root, "OpenAction", action("/ImportData"))),
        "programme",
    ),
    "XFA": (lambda: pdf(_form), "XFA"),
    "a portfolio": (
        lambda: pdf(lambda d: setattr(d.Root, "Collection", pikepdf.Dictionary())),
        "porte-documents",
    ),
    "a file inside": (lambda: pdf(_attached("facture.exe")), "d'autres fichiers"),
    "a file on a page": (
        lambda: pdf(lambda d: _on_page(d, Subtype=pikepdf.Name.FileAttachment)),
        "d'autres fichiers",
    ),
    "a bomb in its table": (_table_bomb, "abîmé"),
    "a million objects": (_million_objects, "abîmé"),
    "arrays in arrays": (_deep, "abîmé"),
    "pages in a circle": (lambda: pdf(_kids_loop), "1.pdf"),
    "no page": (lambda: pdf(lambda d: d.pages.__delitem__(0)), "1.pdf"),
    "201 pages": (lambda: pdf(lambda d: [d.add_blank_page() for _ in range(200)]), "201 pages"),
}

# What looks strange and is harmless: kept byte for byte.
HARMLESS: dict[str, Make] = {
    "a mark of bytes before": lambda: b"\xef\xbb\xbf" + GOOD,
    "1,024 bytes before": lambda: b"\n" * 1024 + GOOD,
    "4 kB of zeros after": lambda: GOOD + bytes(4096),
    "a table that refers to itself": _xref_loop,
    "an invoice as data inside (Factur-X)": lambda: pdf(_attached("factur-x.xml")),
    "a form that is filled in on paper": lambda: pdf(
        lambda d: setattr(d.Root, "AcroForm", pikepdf.Dictionary(Fields=[]))
    ),
    "it only forbids changes": lambda: pdf(lambda _: None, encryption=pikepdf.Encryption(user="", owner="x")),
    "a link to the web": lambda: pdf(
        lambda d: _on_page(
            d,
            Subtype=pikepdf.Name.Link,
            A=pikepdf.Dictionary(S=pikepdf.Name.URI, URI="https://www.payfip.gouv.fr"),
        )
    ),
}

# Archives that are opened, and whose only file is refused in words.
LYING: dict[str, tuple[Make, str]] = {
    "another checksum": (_checksum, "abîmé"),
    "says it is smaller": (lambda: _sizes(300, 10), "abîmé"),
}
ZIP64 = _zip64
