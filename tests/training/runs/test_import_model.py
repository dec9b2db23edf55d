"""The command that queues an import."""

import pytest
from django.core.management import CommandError, call_command

from training.runs.models import Run

pytestmark = pytest.mark.django_db


def test_a_run_is_queued(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("import_model", "somebody/small", revision="v1")
    run = Run.objects.get()
    assert (run.recipe, run.spec, run.state) == (
        "import_model",
        {"model": "somebody/small", "revision": "v1"},
        "queued",
    )
    assert str(run.pk) in capsys.readouterr().out


def test_a_setting_that_cannot_work_is_refused_and_nothing_queued() -> None:
    with pytest.raises(CommandError, match="revision is for models of the hub"):
        call_command("import_model", "/models/small", revision="v1")
    assert not Run.objects.exists()
