"""The known people: three labelers, one held-out labeler, a researcher, an admin, and a stranger without any role."""

from typing import Any

import pytest

from labeling.guidelines.acknowledge import acknowledge_all
from labeling.labelers.enroll import enroll, give_role
from labeling.models import Cohort, Labeler, Role, User

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def cheap_passwords(settings: Any) -> None:
    """A proper password hash takes a quarter of a second, and the suite makes many accounts."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def make_user(name: str, *roles: Role) -> User:
    user = User.objects.create_user(f"{name}@example.org", PASSWORD, name=name.title())
    for role in roles:
        give_role(user, role)
    return user


def make_labeler(name: str, cohort: Cohort = Cohort.TRAINING) -> Labeler:
    return acknowledge_all(enroll(make_user(name), cohort=cohort))


@pytest.fixture
def labeler(db: None) -> Labeler:
    return make_labeler("lena")


@pytest.fixture
def second_labeler(db: None) -> Labeler:
    return make_labeler("luis")


@pytest.fixture
def third_labeler(db: None) -> Labeler:
    return make_labeler("lila")


@pytest.fixture
def held_out_labeler(db: None) -> Labeler:
    return make_labeler("hana", Cohort.HELD_OUT)


@pytest.fixture
def researcher(db: None) -> User:
    return make_user("rosa", Role.RESEARCHER)


@pytest.fixture
def admin_user(db: None) -> User:
    return make_user("ada", Role.ADMIN)


@pytest.fixture
def stranger(db: None) -> User:
    return make_user("sam")
