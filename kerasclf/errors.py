"""The error that is the user's to mend."""


class UserError(Exception):
    """A mistake in what the user gave: one line with found, expected and what to do.

    Commands print the line and exit with 2; anything else that is raised exits with 1.
    """

    def __init__(self, message: str):
        super().__init__(" ".join(message.split()))
