"""Errors of requests to a served model, one class for each kind."""

from kerasclf.errors import UserError


class ServingError(UserError):
    """A request failed; the message says what to do.

    Commands exit with 2 for every kind: the user can fix the URL, the texts or the server.
    """


class TextError(ServingError, TypeError):
    """The texts are not a list of strings; nothing was sent."""


class UnreachableError(ServingError):
    """The connection failed or broke before the response; raised after the last retry."""


class DeadlineError(ServingError):
    """No response within the timeout; not retried, since the server may still be computing it."""


class ModelNotFoundError(ServingError):
    """The server has no such model, version or label."""


class RequestError(ServingError):
    """The server rejected the request as invalid."""


class ServerError(ServingError):
    """The server failed or is overloaded; not retried, since that would add to the load."""


class AnswerError(ServingError):
    """The response is not one of a model that `kerasclf saved_model` published."""
