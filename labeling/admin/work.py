"""What there is to do, and under which rules."""

from django.contrib import admin

from labeling import models as rows
from labeling.admin.shown import ReadOnly, ReadOnlyInline


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
    list_display = ["id", "batch", "lane", "control", "priority", "pos", "need", "taken", "done", "is_open"]
    list_filter = ["lane", "control", "is_open", "priority"]
    list_select_related = ["batch"]
    ordering = ["-id"]
    inlines = [CandidateInline]


@admin.register(rows.GoldAnswer)
class GoldAnswerAdmin(ReadOnly):
    list_display = ["item", "mode", "author", "revision", "created_at", "changed_at", "retired_at"]
    list_filter = ["mode"]
    list_select_related = ["item", "author"]


@admin.register(rows.DriftItem)
class DriftItemAdmin(ReadOnly):
    list_display = ["item", "added_by", "added_at"]
    list_select_related = ["item", "added_by"]


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


@admin.register(rows.Cursor)
class CursorAdmin(ReadOnly):
    list_display = ["labeler", "lane", "priority", "pos", "rescanned_at"]
    list_select_related = ["labeler"]
    list_filter = ["lane"]
