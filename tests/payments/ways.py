"""The same XML in every form that an XML writer or a proxy may give it."""

import re
from collections.abc import Callable

from lxml import etree


def with_prefixes(text: str) -> str:
    return re.sub(r"\bns2\b", "tpa", re.sub(r"\bS:", "soapenv:", text)).replace("xmlns:S=", "xmlns:soapenv=")


def with_default_namespaces(text: str) -> str:
    """The envelope and the operation without a prefix, so that `return` and its fields must reset the namespace."""
    text = text.replace("xmlns:S=", "xmlns=").replace("<S:", "<").replace("</S:", "</")
    text = re.sub(r"<ns2:(\w+) xmlns:ns2=", r"<\1 xmlns=", text).replace("</ns2:", "</")
    for name in ("return", "code", "descriptif", "libelle", "message", "severite"):
        text = re.sub(rf"<{name}(/?)>", rf'<{name} xmlns=""\1>', text)
    for name in ("faultcode", "faultstring", "detail"):
        text = text.replace(f"<{name}>", f'<{name} xmlns="">')
    return text.replace('<faultcode xmlns="">S:', '<faultcode xmlns="">')


def with_comments(text: str) -> str:
    return re.sub(
        r">([^<>\s])", r"><!-- de passage -->\1", text.replace("<return>", "<return><!-- ici -->", 1)
    )


def with_a_comment_inside(text: str) -> str:
    return re.sub(r">([0-9A-Za-z])([^<>]+)<", r">\1<!-- x -->\2<", text)


def with_instructions(text: str) -> str:
    return text.replace("<return>", "<return><?ici rien?>", 1).replace("<code>", "<?ici rien?><code>", 1)


def with_an_instruction_inside(text: str) -> str:
    return re.sub(r">([0-9A-Za-z])([^<>]+)<", r">\1<?ici rien?>\2<", text)


def with_cdata(text: str) -> str:
    return re.sub(r">([^<>&\s][^<>&]*)</", r"><![CDATA[\1]]></", text)


def with_spaces(text: str) -> str:
    return re.sub(r">([^<>\s][^<>]*)</", r">\n      \1\n  </", text.replace("><", ">\n  <"))


def with_references(text: str) -> str:
    return re.sub(
        r">([^<>&\s][^<>&]*)</", lambda m: ">" + "".join(f"&#x{ord(c):x};" for c in m[1]) + "</", text
    )


def with_nil(text: str) -> str:
    nil = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"'
    return re.sub(r"<(objet|mel|numauto|descriptif|message)/>", rf"<\1 {nil}/>", text)


def with_types(text: str) -> str:
    declared = (
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xs="http://www.w3.org/2001/XMLSchema"'
    )
    return re.sub(r"<(montant|refdet|code|idOp)>", rf'<\1 {declared} xsi:type="xs:string">', text)


def reordered(text: str) -> str:
    found = re.search(r"<return>(.*)</return>|(?<=<detail>)<ns2:\w+ [^>]*>(.*)</ns2:\w+>(?=</detail>)", text)
    assert found
    inside = found[1] or found[2]
    fields = re.findall(r"<(?:(\w+)>.*?</\1>|\w+/>)", inside)
    whole = [match[0] for match in re.finditer(r"<(\w+)>.*?</\1>|<\w+/>", inside)]
    assert len(fields) == len(whole)
    return text.replace(inside, "".join(reversed(whole)))


def with_a_header(text: str) -> str:
    return text.replace("<S:Body>", '<S:Header><x:seen xmlns:x="urn:proxy">1</x:seen></S:Header><S:Body>')


def with_a_bom(text: str) -> bytes:
    return b"\xef\xbb\xbf" + text.encode()


def in_latin_1(text: str) -> bytes:
    return text.replace("UTF-8", "ISO-8859-1").encode("latin-1")


def in_windows_1252(text: str) -> bytes:
    return text.replace("UTF-8", "windows-1252").encode("cp1252")


def in_utf_16(text: str) -> bytes:
    return text.replace("UTF-8", "UTF-16").encode("utf-16")


def undeclared(text: str) -> str:
    return text.split("?>", 1)[1]


WAYS: list[Callable[[str], str | bytes]] = [
    str,
    with_prefixes,
    with_default_namespaces,
    with_comments,
    with_a_comment_inside,
    with_instructions,
    with_an_instruction_inside,
    with_cdata,
    with_spaces,
    with_references,
    with_nil,
    with_types,
    reordered,
    with_a_header,
    with_a_bom,
    in_latin_1,
    in_windows_1252,
    in_utf_16,
    undeclared,
]


def written(way: Callable[[str], str | bytes], text: str) -> bytes:
    body = way(text)
    found = body.encode() if isinstance(body, str) else body
    etree.fromstring(found)  # the result must still be XML
    return found
