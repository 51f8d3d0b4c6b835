"""Errors of one line: those that the user can mend, and what cannot be done here."""


class UserError(Exception):
    """A mistake in what the user gave: one line with found, expected and what to do.

    Commands print the line and exit with `exit_code`; anything else that is raised exits with 1.
    """

    exit_code = 2

    def __init__(self, message: str):
        super().__init__(" ".join(message.split()))


class UnsupportedError(UserError):
    """Nothing is wrong with what the user gave, but this machine or installation cannot do it."""

    exit_code = 3
