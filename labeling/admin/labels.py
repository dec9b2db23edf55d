"""What came of it: labels, decisions on them, datasets and rounds."""

from django.contrib import admin

from labeling import models as rows
from labeling.admin.shown import ReadOnly, ReadOnlyInline


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


@admin.register(rows.Adjudication)
class AdjudicationAdmin(ReadOnly):
    list_display = ["item", "held_by", "held_until", "revisions", "decision"]
    list_select_related = ["item", "held_by", "decision"]


@admin.register(rows.Decision)
class DecisionAdmin(ReadOnly):
    list_display = ["item", "revision", "made_by", "reason", "is_withdrawal", "made_at", "frozen_at"]
    list_select_related = ["item", "made_by"]


@admin.register(rows.ErrorKind)
class ErrorKindAdmin(ReadOnly):
    list_display = ["key", "label", "explained", "retired_at"]


@admin.register(rows.Export)
class ExportAdmin(ReadOnly):
    list_display = ["dataset", "filters", "created_at"]
    list_select_related = ["dataset"]


@admin.register(rows.Exclusion)
class ExclusionAdmin(ReadOnly):
    list_display = ["labeler", "reason", "made_by", "made_at", "lifted_by", "lifted_at"]
    list_select_related = ["labeler", "made_by", "lifted_by"]


class StageInline(ReadOnlyInline):
    model = rows.Stage


@admin.register(rows.Round)
class RoundAdmin(ReadOnly):
    list_display = ["name", "state", "seed", "created_by", "created_at", "finished_at"]
    list_filter = ["state"]
    list_select_related = ["created_by"]
    inlines = [StageInline]
