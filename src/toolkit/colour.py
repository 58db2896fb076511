"""A town's two colours, and readable tones of them (WCAG 2.2, contrast)."""

BLACK, WHITE = "#000000", "#ffffff"
READABLE = 4.5


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, 0 (black) to 1 (white)."""

    def linear(channel: int) -> float:
        share = channel / 255
        return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)

    red, green, blue = (linear(channel) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def mix(colour: str, other: str, share: float) -> str:
    """`share` (0 to 1) of `other` mixed into `colour`."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def readable_on(colour: str, ground: str) -> str:
    """`colour`, darkened or lightened step by step until text in it can be read on `ground`."""
    toward = BLACK if luminance(ground) > 0.18 else WHITE
    for step in range(0, 101, 5):
        tone = mix(colour, toward, step / 100)
        if contrast(tone, ground) >= READABLE:
            return tone
    return toward


def text_on(colour: str) -> str:
    """Black or white, whichever is easier to read on `colour`."""
    return WHITE if contrast(colour, WHITE) >= contrast(colour, BLACK) else BLACK
