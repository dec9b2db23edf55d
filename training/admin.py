"""Plain admin pages: to look, not to touch. Runs and checkpoints are made by launch and watch alone."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from training.models import Checkpoint, Dataset, Run, RunInput, RunParent


class ReadOnly:
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class InputInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = RunInput


class ParentInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = RunParent


@admin.register(Run)
class RunAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "recipe", "state", "phase", "step", "total", "attempts", "created_at", "finished_at")
    list_filter = ("recipe", "state")
    search_fields = ("name", "id")
    inlines = [InputInline, ParentInline]


@admin.register(Dataset)
class DatasetAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("kind", "sha256", "rows", "created_at")
    list_filter = ("kind",)


@admin.register(Checkpoint)
class CheckpointAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "kind", "path", "created_at")
    list_filter = ("kind",)
