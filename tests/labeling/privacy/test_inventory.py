"""Every relation of the database to a labeler or an account is decided about."""

from collections.abc import Iterator

from django.apps import apps
from django.db.models import Field, ForeignObjectRel, Model

from labeling.models import Labeler, User
from labeling.privacy.inventory import ACTS, COVERED, HELD


def relations() -> Iterator[tuple[str, str]]:
    """`app.Model.field` of every foreign key to a labeler or an account, also in other people's apps."""
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.get_fields():
            if isinstance(field, ForeignObjectRel) or field.many_to_many or not field.is_relation:
                continue
            if field.related_model in (Labeler, User):
                yield f"{model._meta.app_label}.{model.__name__}.{field.name}", model._meta.label


def test_every_relation_is_listed() -> None:
    listed = {f"{held.model}.{held.lookup}" for held in HELD} | ACTS | set(COVERED)
    undecided = sorted(name for name, _ in relations() if name not in listed)
    assert undecided == [], "decide in labeling/privacy/inventory.py what an export shows of it and an erasure does"


def test_nothing_is_listed_that_is_not_there() -> None:
    there = {name for name, _ in relations()}
    assert there >= ACTS
    assert there >= set(COVERED)
    for held in HELD:
        model: type[Model] = apps.get_model(held.model)
        first = held.lookup.split("__")[0]
        assert first == "pk" or isinstance(model._meta.get_field(first), Field), held
        for column in held.hidden:
            model._meta.get_field(column)


def test_files_have_names_of_their_own() -> None:
    names = [held.file for held in HELD]
    assert len(set(names)) == len(names)
