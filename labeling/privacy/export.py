"""All that is held about one labeler, as a ZIP of JSON and CSV with a README. Only reads.

Columns that name other accounts are left out, and texts that are not the labeler's (prompts, completions) too: the ids
stand for them.
"""

import io
import json
import zipfile
from typing import Any

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import ForeignKey, Model
from django.utils import timezone

from labeling.labelers.models import Labeler, User
from labeling.pay import timesheet
from labeling.privacy.inventory import HELD, NOT_IN_ROWS, Held
from labeling.queue.models import ActiveSpan
from labeling.threads.models import Post


def archive(labeler: Labeler) -> bytes:
    """The ZIP."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("README.txt", readme(labeler))
        for held in HELD:
            rows = [_row(row, held, labeler) for row in _rows(held, labeler)]
            packed.writestr(held.file, json.dumps(rows, cls=DjangoJSONEncoder, indent=1, ensure_ascii=False))
        packed.writestr("timesheet.csv", _timesheet(labeler))
    return out.getvalue()


def readme(labeler: Labeler) -> str:
    lines = [
        f"What Podium holds about {labeler.pseudonym}, on {timezone.now():%d %B %Y at %H:%M} UTC.",
        "",
        "Each file is a list of rows as the database has them. Times are UTC. Rows of other people are not in it, nor",
        "columns that name them; prompts and completions, which are not yours, stand there as ids. Your password is",
        "held as a hash that nobody can read, and left out.",
        "",
        *(f"{held.file}: {held.what}" for held in HELD),
        "timesheet.csv: Active time and pay, by day, kind of work and rate; add up the column amount.",
        "",
        "Held, and not in here:",
        *(f"{name}: {what}" for name, what, _ in NOT_IN_ROWS),
        "",
    ]
    return "\n".join(lines)


def _rows(held: Held, labeler: Labeler) -> list[Model]:
    model = apps.get_model(held.model)
    owner = labeler.user_id if held.of_account else labeler.pk
    return list(model._default_manager.filter(**{held.lookup: owner}).order_by("pk"))


def _row(row: Model, held: Held, labeler: Labeler) -> dict[str, Any]:
    shown = {
        field.attname: field.value_from_object(row)
        for field in row._meta.concrete_fields
        if field.name not in held.hidden and not _names_somebody(field)
    }
    if isinstance(row, Post):
        shown["by"] = "you" if row.author_id == labeler.user_id else "a researcher"
    if isinstance(row, User):
        shown["roles"] = sorted(row.roles)
    return shown


def _names_somebody(field: Any) -> bool:
    return isinstance(field, ForeignKey) and field.related_model is User


def _timesheet(labeler: Labeler) -> str:
    """From the first day to the last."""
    out = io.StringIO(newline="")
    spans = ActiveSpan.objects.filter(labeler=labeler).order_by("started_at")
    first, last = spans.first(), spans.order_by("ended_at").last()
    rows = []
    if first and last:
        zone = timesheet.zone()
        day, end = first.started_at.astimezone(zone).date(), last.ended_at.astimezone(zone).date()
        while day <= end:
            until = min(end, day + timesheet.LONGEST)
            rows += timesheet.rows(timesheet.Period(day, until), labeler)
            day = until + timesheet.DAY
    timesheet.write_csv(rows, out)
    return out.getvalue()
