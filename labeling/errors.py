"""Errors are values for people: a sentence, a code for machines, an HTTP status. config.http answers with them."""


class PodiumError(Exception):
    """Something a person asked for cannot be done, and the sentence says why."""

    code = "refused"
    status = 422

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class BadInput(PodiumError):
    """The input is not usable; nothing was stored."""

    code = "bad-input"
    status = 422


class Conflict(PodiumError):
    """It was right once, but somebody or something came first."""

    code = "conflict"
    status = 409


class NotFound(PodiumError):
    """There is no such thing for this person: unknown and somebody else's look the same."""

    code = "not-found"
    status = 404


class NotAllowed(PodiumError):
    """The account may not do this now."""

    code = "not-allowed"
    status = 403
