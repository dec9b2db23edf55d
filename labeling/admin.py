"""Plain admin pages. Rows that only a domain function may write are shown, not edited: a change past the door would
leave the queue's counts wrong or a label without its history."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import Model
from django.http import HttpRequest

from labeling import models as rows


class Shown:
    """Looked at; never added, changed or deleted here."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnly(Shown, admin.ModelAdmin):  # type: ignore[type-arg]
    list_per_page = 50
    show_full_result_count = False  # one count(*) over a million items is enough for a page


class ReadOnlyInline(Shown, admin.TabularInline):  # type: ignore[type-arg]
    extra = 0


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


@admin.register(rows.Invitation)
class InvitationAdmin(ReadOnly):
    list_display = ["email", "role", "cohort", "created_by", "created_at", "expires_at", "accepted_at", "revoked_at"]
    list_filter = ["role", "cohort"]
    search_fields = ["email"]
    list_select_related = ["created_by"]
    exclude = ["token"]  # whoever reads it could use it


@admin.register(rows.Prompt)
class PromptAdmin(ReadOnly):
    list_display = ["__str__", "use_case", "split", "owner", "source", "held_because", "created_at"]
    list_filter = ["split", "use_case"]
    search_fields = ["text", "owner"]


@admin.register(rows.Topic)
class TopicAdmin(ReadOnly):
    list_display = ["slug", "name", "description"]


@admin.register(rows.Proposal)
class ProposalAdmin(ReadOnly):
    list_display = ["__str__", "shape", "use_case", "labeler", "state", "decided_by", "created_at"]
    list_filter = ["state", "shape"]
    search_fields = ["text", "labeler__pseudonym"]
    list_select_related = ["labeler", "decided_by"]


@admin.register(rows.Guideline)
class GuidelineAdmin(ReadOnly):
    list_display = ["title", "purpose", "version", "published_at"]
    list_filter = ["purpose"]


@admin.register(rows.Acknowledgement)
class AcknowledgementAdmin(ReadOnly):
    list_display = ["labeler", "guideline", "acknowledged_at"]
    list_filter = ["guideline"]
    search_fields = ["labeler__pseudonym"]
    list_select_related = ["labeler", "guideline"]
    ordering = ["-acknowledged_at"]


@admin.register(rows.Rubric)
class RubricAdmin(ReadOnly):
    list_display = ["version", "ratings", "published_at"]


@admin.register(rows.Batch)
class BatchAdmin(ReadOnly):
    list_display = ["name", "kind", "purpose", "cohort", "guideline", "created_at"]
    list_filter = ["kind", "purpose", "cohort"]
    search_fields = ["name"]
    list_select_related = ["guideline"]


class CandidateInline(ReadOnlyInline):
    model = rows.WorkItemCompletion


@admin.register(rows.WorkItem)
class WorkItemAdmin(ReadOnly):
    list_display = ["id", "batch", "lane", "priority", "pos", "need", "taken", "done", "is_open", "withdrawn_at"]
    list_filter = ["lane", "is_open", "priority"]
    list_select_related = ["batch"]
    ordering = ["-id"]
    inlines = [CandidateInline]


@admin.register(rows.Assignment)
class AssignmentAdmin(ReadOnly):
    list_display = ["id", "labeler", "item", "state", "leased_at", "expires_at", "ended_at", "skip_reason"]
    list_filter = ["state", "lane"]
    search_fields = ["id", "labeler__pseudonym"]
    list_select_related = ["labeler", "item"]
    ordering = ["-leased_at"]


@admin.register(rows.Draft)
class DraftAdmin(ReadOnly):
    """That there is one, not what it says: it is the labeler's own until it is sent in."""

    list_display = ["assignment", "revision", "saved_at", "came_late_at"]
    exclude = ["content"]
    ordering = ["-saved_at"]


@admin.register(rows.ActiveSpan)
class ActiveSpanAdmin(ReadOnly):
    list_display = ["labeler", "assignment", "started_at", "ended_at"]
    search_fields = ["labeler__pseudonym"]
    list_select_related = ["labeler", "assignment"]
    ordering = ["-ended_at"]


@admin.register(rows.Cursor)
class CursorAdmin(ReadOnly):
    list_display = ["labeler", "lane", "priority", "pos", "rescanned_at"]
    list_select_related = ["labeler"]
    list_filter = ["lane"]


@admin.register(rows.Demonstration)
class DemonstrationAdmin(ReadOnly):
    list_display = ["__str__", "labeler", "language", "guideline", "created_at", "corrected_at", "frozen_at"]
    list_filter = ["guideline", "language"]
    search_fields = ["text", "labeler__pseudonym"]
    list_select_related = ["labeler", "guideline"]


@admin.register(rows.Completion)
class CompletionAdmin(ReadOnly):
    list_display = ["__str__", "run", "sample", "finished", "created_at"]
    search_fields = ["text"]
    list_select_related = ["run"]


class PlaceInline(ReadOnlyInline):
    model = rows.RankedCompletion


@admin.register(rows.Ranking)
class RankingAdmin(ReadOnly):
    list_display = ["id", "labeler", "item", "guideline", "created_at", "frozen_at"]
    list_filter = ["guideline"]
    search_fields = ["labeler__pseudonym"]
    list_select_related = ["labeler", "item", "guideline"]
    inlines = [PlaceInline]


class PostInline(ReadOnlyInline):
    model = rows.Post


@admin.register(rows.Thread)
class ThreadAdmin(ReadOnly):
    list_display = ["title", "labeler", "item", "created_at", "last_at"]
    search_fields = ["title", "labeler__pseudonym"]
    list_select_related = ["labeler", "item"]
    inlines = [PostInline]


@admin.register(rows.Export)
class ExportAdmin(ReadOnly):
    list_display = ["dataset", "filters", "created_at"]
    list_select_related = ["dataset"]


class StageInline(ReadOnlyInline):
    model = rows.Stage


@admin.register(rows.Round)
class RoundAdmin(ReadOnly):
    list_display = ["name", "state", "seed", "created_by", "created_at", "finished_at"]
    list_filter = ["state"]
    list_select_related = ["created_by"]
    inlines = [StageInline]
