"""Three ways to fail, and who should hear about it."""


class HarkenError(Exception):
    """Something went wrong."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class RefusedError(HarkenError):
    """We will not do this. Tell the caller why; wake nobody."""

    status = 409


class TryAgainError(HarkenError):
    """Not now. The same call may work later."""

    def __init__(self, message: str = "", *, after_s: float = 5) -> None:
        super().__init__(message)
        self.after_s = after_s


class UnknownCustomerError(RefusedError):
    """No event has ever mentioned this customer."""

    status = 404


class AmbiguousCustomerError(RefusedError):
    """Two sources use this name for different customers: give the full identity."""


class UnsuitableError(RefusedError):
    """What was given cannot be used: a file, a folder, a setting, a database."""


class ModelUnavailableError(TryAgainError):
    """The language model did not answer."""
