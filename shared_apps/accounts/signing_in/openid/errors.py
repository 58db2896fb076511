"""Why a sign-in through a provider came to nothing. What the person reads is the door's affair."""


class ProviderError(Exception):
    """`str()` is for the log and for nobody's eyes: it names no person."""


class Unreachable(ProviderError):
    """The provider does not answer, or says itself that it is ill: trying again later helps."""


class Misconfigured(ProviderError):
    """`kind` says what is wrong with the settings, or with what the provider publishes; trying again helps nobody."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"settings: {kind}")
        self.kind = kind


class Refused(ProviderError):
    """The person said no at the provider."""


class Untrusted(ProviderError):
    """An answer that does not prove what it must."""


class AttemptUnknown(ProviderError):
    """No attempt of this browser waits for such an answer: used already, another browser's, or forged."""


class AttemptExpired(ProviderError):
    """The answer came too late."""
