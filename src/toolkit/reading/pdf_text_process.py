"""The process that `toolkit.reading.pdf_text` starts: a PDF in, the texts of its pages out. It imports none of ours.

One line of JSON per page: its text as it is shown, at most `MOST_SIGNS` signs of it.
"""

import json
import resource
import sys

MOST_MEMORY = 768 * 1024 * 1024  # of address space, the file itself included
MOST_PROCESSOR_SECONDS = 180
MOST_SIGNS = 20_000
READ, UNREADABLE = 0, 5


def main(source: str) -> int:
    """`source`: the descriptor of the PDF. The numbers of the pages, from 0, come on standard input, one a line."""
    import pypdfium2 as pdfium

    try:
        document = pdfium.PdfDocument(open(int(source), "rb"))  # noqa: SIM115 - as long as the process
    except pdfium.PdfiumError:
        return UNREADABLE
    for line in sys.stdin:
        try:
            page = document[int(line)]
            text = page.get_textpage()
            words = text.get_text_range()[:MOST_SIGNS]
            text.close()
            page.close()
        except pdfium.PdfiumError:  # a page that cannot be drawn says nothing
            words = ""
        sys.stdout.write(json.dumps(words) + "\n")
    return READ


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_PROCESSOR_SECONDS, MOST_PROCESSOR_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(main(*sys.argv[1:]))
