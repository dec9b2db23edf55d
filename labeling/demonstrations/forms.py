"""The writing form's fields: text · use_case: one of Table 1's · traits: the key of each that holds."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import QueryDict

from labeling.models import Demonstration


@dataclass(frozen=True)
class Answer:
    """What stands in the form: as it was posted, drafted or stored."""

    text: str = ""
    use_case: str = ""
    traits: Sequence[str] = ()


def read(posted: QueryDict) -> Answer:
    return Answer(
        text=str(posted.get("text", "")),
        use_case=str(posted.get("use_case", "")),
        traits=[str(key) for key in posted.getlist("traits")],
    )


def stored(demonstration: Demonstration) -> Answer:
    return Answer(demonstration.text, demonstration.use_case, demonstration.traits)
