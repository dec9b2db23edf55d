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
