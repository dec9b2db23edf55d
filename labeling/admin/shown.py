"""Pages that show rows and change nothing."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest


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
