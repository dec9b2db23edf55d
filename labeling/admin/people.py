"""Accounts, and what is known of the people behind them."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import Model
from django.http import HttpRequest

from labeling import models as rows
from labeling.admin.shown import ReadOnly, ReadOnlyInline


@admin.register(rows.User)
class AccountAdmin(UserAdmin):  # type: ignore[type-arg]
    """Accounts: roles are groups; new accounts come by invitation."""

    ordering = ["email"]
    list_display = ["email", "name", "is_active", "is_staff", "date_joined"]
    list_filter = ["is_active", "is_staff", "groups"]
    search_fields = ["email", "name"]
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = (
        (None, {"fields": ["email", "name", "password"]}),
        ("May", {"fields": ["is_active", "is_staff", "is_superuser", "groups"]}),
        ("When", {"fields": ["last_login", "date_joined"]}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(rows.Labeler)
class LabelerAdmin(ReadOnly):
    """A state is changed on the labeler's page, with its reason; the cohort stays, or held-out would mean nothing."""

    list_display = ["pseudonym", "user", "cohort", "state", "is_simulated", "created_at"]
    list_filter = ["cohort", "state", "is_simulated"]
    search_fields = ["pseudonym", "user__email"]
    fields = ["pseudonym", "user", "cohort", "state", "is_simulated", "created_at"]
    list_select_related = ["user"]


@admin.register(rows.StateChange)
class StateChangeAdmin(ReadOnly):
    list_display = ["labeler", "before", "after", "by", "why", "at"]
    list_filter = ["after"]
    search_fields = ["labeler__pseudonym"]
    list_select_related = ["labeler", "by"]


@admin.register(rows.Rate)
class RateAdmin(ReadOnly):
    list_display = ["labeler", "hourly_rate", "currency", "since", "set_by"]
    search_fields = ["labeler__pseudonym"]
    list_select_related = ["labeler", "set_by"]
    ordering = ["-since"]


@admin.register(rows.Erasure)
class ErasureAdmin(ReadOnly):
    list_display = ["labeler", "wish", "asked_at", "cancelled_at", "done_at", "done_by", "choice"]
    list_select_related = ["labeler", "done_by"]


@admin.register(rows.Invitation)
class InvitationAdmin(ReadOnly):
    list_display = ["email", "role", "cohort", "created_by", "created_at", "expires_at", "accepted_at", "revoked_at"]
    list_filter = ["role", "cohort"]
    search_fields = ["email"]
    list_select_related = ["created_by"]
    exclude = ["token"]  # whoever reads it could use it


@admin.register(rows.Acknowledgement)
class AcknowledgementAdmin(ReadOnly):
    list_display = ["labeler", "guideline", "acknowledged_at"]
    list_filter = ["guideline"]
    search_fields = ["labeler__pseudonym"]
    list_select_related = ["labeler", "guideline"]
    ordering = ["-acknowledged_at"]


@admin.register(rows.ActiveSpan)
class ActiveSpanAdmin(ReadOnly):
    list_display = ["labeler", "assignment", "started_at", "ended_at"]
    search_fields = ["labeler__pseudonym"]
    list_select_related = ["labeler", "assignment"]
    ordering = ["-ended_at"]


@admin.register(rows.ScreeningSet)
class ScreeningSetAdmin(ReadOnly):
    """The set alone. Who sat it, and what they answered, is shown without names where it is graded and decided on."""

    list_display = ["name", "is_open", "flag_cutoff", "ranking_cutoff", "grade_cutoff", "created_by", "created_at"]
    list_select_related = ["created_by"]


@admin.register(rows.Survey)
class SurveyAdmin(ReadOnly):
    """Without the answers that wait: so few could tell whose they are."""

    list_display = ["title", "kind", "opened_by", "opened_at", "closed_at"]
    list_select_related = ["opened_by"]
    exclude = ["waiting"]


class PostInline(ReadOnlyInline):
    model = rows.Post


@admin.register(rows.Thread)
class ThreadAdmin(ReadOnly):
    list_display = ["title", "labeler", "item", "created_at", "last_at"]
    search_fields = ["title", "labeler__pseudonym"]
    list_select_related = ["labeler", "item"]
    inlines = [PostInline]
