"""What the page of figures may be asked."""

from collections.abc import Mapping

from labeling.figures.report import Choice


def choice_of(query: Mapping[str, str]) -> Choice:
    """What an address's query says."""
    asked = {name: query[name] for name in Choice._fields if query.get(name)}
    return Choice(**asked)
