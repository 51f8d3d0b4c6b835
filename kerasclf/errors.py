"""One-line errors: mistakes that the user can fix, and operations unsupported on this machine."""


class UserError(Exception):
    """A mistake in the user's input: one line that says what was found, expected and what to do.

    Commands print the line and exit with `exit_code`; any other exception exits with 1.
    """

    exit_code = 2

    def __init__(self, message: str):
        super().__init__(" ".join(message.split()))


class FullDiskError(UserError):
    """There is no space left for a file."""

    exit_code = 1


class UnsupportedError(UserError):
    """The input is valid, but this machine or installation does not support the operation."""

    exit_code = 3
