"""Querysets whose SQL is compiled once a process.

For a query with a few joins the ORM takes some 2 ms of CPU to build and compile what PostgreSQL answers in a tenth of
that. What every piece of work asks for is therefore compiled at its first use, and bound to other values afterwards;
rows become model instances by Django's own code, as always.
"""

import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Generic, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model, QuerySet
from django.db.models.query import ModelIterable

M = TypeVar("M", bound=Model)


class Compiled(Generic[M]):
    """The queryset that `build` makes of values, of which only the values change from call to call.

    `stand_ins` are values that `build` is called with once, to see where they end up among the parameters: one for
    each of its arguments, of the right kind, and each found nowhere else in the query. A queryset whose shape depends
    on its values (None, an empty list) cannot be compiled once.
    """

    def __init__(self, build: Callable[..., QuerySet[M]], *stand_ins: Any) -> None:
        self._build, self._stand_ins = build, stand_ins
        self._compiled: tuple[Any, str, tuple[Any, ...], list[int]] | None = None

    def first(self, *values: Any) -> M | None:
        """The first row for these values, or None.

        Rows that the queryset locks (`select_for_update`) stay locked until the transaction ends; the caller opens it.
        """
        if self._compiled is None:
            self._compiled = self._compile()
        compiler, sql, parameters, places = self._compiled
        bound = list(parameters)
        for place, value in zip(places, values, strict=True):
            bound[place] = value
        compiler = copy.copy(compiler)
        compiler.connection = connections[DEFAULT_DB_ALIAS]  # each thread has its own
        compiler.as_sql = lambda: (sql, tuple(bound))
        query = SimpleNamespace(get_compiler=lambda using: compiler)
        queryset = SimpleNamespace(db=DEFAULT_DB_ALIAS, query=query, _known_related_objects={})
        rows: ModelIterable[M] = ModelIterable(cast(Any, queryset))
        return next(iter(rows), None)

    def _compile(self) -> tuple[Any, str, tuple[Any, ...], list[int]]:
        compiler = self._build(*self._stand_ins).query.get_compiler(DEFAULT_DB_ALIAS)
        sql, parameters = compiler.as_sql()
        places = [position for value in self._stand_ins for position, p in enumerate(parameters) if p == value]
        if len(places) != len(self._stand_ins):
            raise ValueError(f"Of the stand-ins {self._stand_ins} each must be found once among {parameters}.")
        return compiler, sql, parameters, places
