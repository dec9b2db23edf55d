"""Who uses Podium: accounts with roles, labelers with a cohort and a state, invitations."""

import secrets
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone


class Role(models.TextChoices):
    """Roles are Django groups of the same names."""

    LABELER = "labeler", "Labeler"
    RESEARCHER = "researcher", "Researcher"
    ADMIN = "admin", "Admin"


class UserManager(BaseUserManager["User"]):
    """Accounts are known by their e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        if not email:
            raise ValueError("An account needs an e-mail address.")
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person's account (or a simulated labeler's)."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "email"

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once")]

    def __str__(self) -> str:
        return self.name or self.email

    @cached_property
    def roles(self) -> frozenset[str]:
        """The names of this account's roles; a superuser has all of them but 'labeler'."""
        known: list[str] | None = self.__dict__.get("group_names")  # a request's account brings them along
        names = set(self.groups.values_list("name", flat=True) if known is None else known)
        if self.is_superuser:
            names |= {Role.RESEARCHER, Role.ADMIN}
        return frozenset(names)


class Cohort(models.TextChoices):
    """Held-out labelers judge and never produce training data (Ouyang et al. 2022, §3.4)."""

    TRAINING = "training", "Training"
    HELD_OUT = "held_out", "Held-out"


class Labeler(models.Model):
    """A person's side as a labeler. What leaves the database carries the pseudonym, never the name."""

    class State(models.TextChoices):
        INVITED = "invited", "Invited"
        SCREENING = "screening", "Screening"
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"
        LEFT = "left", "Left"

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="labeler")
    pseudonym = models.CharField(max_length=20, unique=True)
    cohort = models.CharField(max_length=10, choices=Cohort)
    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    is_simulated = models.BooleanField(default=False)
    must_read = models.BooleanField(
        default=True, help_text="A guideline waits to be acknowledged; guidelines/acknowledge.py alone writes this."
    )
    unwanted_topics = ArrayField(models.SlugField(), default=list, blank=True, help_text="Topics opted out of.")
    hourly_rate = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, default="USD")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pseudonym"]
        constraints = [
            models.CheckConstraint(condition=models.Q(cohort__in=Cohort.values), name="labeler_cohort_known"),
            models.CheckConstraint(condition=models.Q(hourly_rate__gte=0), name="labeler_rate_not_negative"),
        ]

    def __str__(self) -> str:
        return self.pseudonym

    @property
    def may_work(self) -> bool:
        return self.state == self.State.ACTIVE

    @property
    def was_declined(self) -> bool:
        """Whether this labeler left by not being chosen in the screening."""
        last = self.changes.first() if self.state == self.State.LEFT else None
        return last is not None and last.before == self.State.SCREENING


class StateChange(models.Model):
    """One step of a labeler from state to state. `standing.py` alone writes it; rows are never changed."""

    labeler = models.ForeignKey(Labeler, on_delete=models.CASCADE, related_name="changes")
    before = models.CharField(max_length=10, choices=Labeler.State)
    after = models.CharField(max_length=10, choices=Labeler.State)
    by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Empty: a program."
    )
    why = models.CharField(max_length=1000, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(before=models.F("after")), name="state_change_changes"),
        ]

    def __str__(self) -> str:
        return f"{self.labeler_id}: {self.before} → {self.after}"


def new_token() -> str:
    return secrets.token_urlsafe(32)


def in_two_weeks() -> datetime:
    return timezone.now() + timedelta(days=14)


class Invitation(models.Model):
    """The only way to an account: a link with a role, and for labelers a cohort."""

    token = models.CharField(max_length=64, unique=True, default=new_token)
    email = models.EmailField()
    role = models.CharField(max_length=12, choices=Role, default=Role.LABELER)
    cohort = models.CharField(max_length=10, choices=Cohort, blank=True)
    screened = models.BooleanField(
        default=False, db_default=False, help_text="The labeler is screened first and works once selected."
    )
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="invitations_made")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(default=in_two_weeks)
    revoked_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.OneToOneField(User, on_delete=models.PROTECT, null=True, blank=True, related_name="invitation")

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(role=Role.LABELER) | models.Q(cohort__in=Cohort.values),
                name="invitation_labeler_has_cohort",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.email}"

    @property
    def is_open(self) -> bool:
        return self.accepted_at is None and self.revoked_at is None and self.expires_at > timezone.now()

    @property
    def state(self) -> str:
        """`open`, `used`, `revoked` or `expired`; what happened first counts."""
        if self.accepted_at:
            return "used"
        if self.revoked_at:
            return "revoked"
        return "open" if self.is_open else "expired"
