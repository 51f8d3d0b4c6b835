"""What can go wrong between a client and a server, a type each."""

from kerasclf.errors import UserError


class ServingError(UserError):
    """A request without an answer; the message says what to do.

    Commands end with 2 for each kind: the URL, the texts or the server are the user's to mend.
    """


class TextError(ServingError, TypeError):
    """What was to be labelled is not a list of strings; nothing was sent."""


class UnreachableError(ServingError):
    """No connection, or it broke before the answer; tried again as often as was asked for."""


class DeadlineError(ServingError):
    """No answer within the timeout; not tried again, since the server may be at work on it."""


class ModelNotFoundError(ServingError):
    """The server has no such model, version or label."""


class RequestError(ServingError):
    """The server refuses the request as it is."""


class ServerError(ServingError):
    """The server failed, or has too much to do; not tried again, which would add to that."""


class AnswerError(ServingError):
    """The answer is not that of a model that `kerasclf saved_model` published."""
