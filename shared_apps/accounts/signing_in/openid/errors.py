"""Why a sign-in through a provider failed. The view chooses what the person reads."""


class ProviderError(Exception):
    """Base of these errors. `str()` is for the log only, and names no person."""


class Unreachable(ProviderError):
    """The provider does not answer, or reports a failure of its own: try again later."""


class Misconfigured(ProviderError):
    """The settings, or what the provider publishes, are wrong (`kind`): trying again does not help."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"settings: {kind}")
        self.kind = kind


class Refused(ProviderError):
    """The person refused at the provider."""


class Untrusted(ProviderError):
    """An answer that fails verification."""


class AttemptUnknown(ProviderError):
    """This browser has no attempt for such an answer: it was used, belongs to another browser, or is forged."""


class AttemptExpired(ProviderError):
    """The answer came too late."""
