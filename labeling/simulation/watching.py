"""A round on the terminal: one bar per stage, with the time left, drawn from the rows that its pages show too."""

from datetime import datetime

from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from labeling.queue.models import Batch
from labeling.rounds.models import Round, Stage

ENDED = {Stage.State.DONE: "done", Stage.State.FAILED: "failed", Stage.State.HELD: "waits for a person"}
LINE_EVERY = 30.0  # seconds between two lines about a running stage, where nobody looks at a terminal


class RoundView:
    """Draws a round's stages; to be used as a context, and told to look now and then."""

    def __init__(self, round: Round, console: Console) -> None:
        self.round = round
        self.console = console
        self.bars: dict[str, int] = {}
        self.said: dict[str, tuple[str, datetime]] = {}
        columns = (TextColumn("{task.description:<16}"), BarColumn(30), TextColumn("{task.fields[what]:<34}"), Left())
        self.progress = Progress(*columns, console=console, disable=not console.is_terminal)

    def __enter__(self) -> "RoundView":
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def look(self) -> None:
        """Read the rows and draw them."""
        stages = list(self.round.stages.select_related("run"))
        ids = [stage.batch_id for stage in stages if stage.batch_id]
        batches = Batch.objects.with_progress().filter(pk__in=ids)
        labels = {batch.pk: (batch.done, batch.wanted) for batch in batches}
        for stage in stages:
            if stage.state != Stage.State.PENDING:
                self._show(stage, *_far(stage, labels))

    def _show(self, stage: Stage, done: int, total: int, unit: str, left: float | None) -> None:
        ended = ENDED.get(Stage.State(stage.state), "")
        what = ended or (f"{done}/{total} {unit}s" if total else stage.run.phase if stage.run else "")
        if stage.started_at and stage.finished_at:
            what = f"{ended} in {(stage.finished_at - stage.started_at).total_seconds():.0f} s"
        if not self.console.is_terminal:
            self._say(stage, ended, what, left)
            return
        if stage.name not in self.bars:
            self.bars[stage.name] = self.progress.add_task(stage.name, what="")
        full = (1, 1) if ended else (done, total or None)
        task = self.progress.tasks[self.bars[stage.name]].id
        self.progress.update(task, completed=full[0], total=full[1], what=what, left=None if ended else left)

    def _say(self, stage: Stage, ended: str, what: str, left: float | None) -> None:
        """Without a terminal: a line when a stage starts or ends, and one now and then between."""
        now = timezone.now()
        word, at = self.said.get(stage.name, ("", now))
        if word == stage.state and (ended or (now - at).total_seconds() < LINE_EVERY):
            return
        self.said[stage.name] = (stage.state, now)
        self.console.print(f"{stage.name}: {what or 'starts'}{f', {clock(left)} left' if left and not ended else ''}")


class Left(ProgressColumn):
    """The time left, as the recipe itself or the pace of the labels tells it."""

    def render(self, task: Task) -> Text:
        left = task.fields.get("left")
        return Text("" if left is None else f"{clock(left)} left")


def clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _far(stage: Stage, labels: dict[int, tuple[int, int]]) -> tuple[int, int, str, float | None]:
    """Done, total, unit, seconds left."""
    if stage.run:
        return stage.run.step, stage.run.total, stage.run.unit, stage.run.eta_seconds
    done, wanted = labels.get(stage.batch_id or 0, (0, 0))
    passed = (timezone.now() - stage.started_at).total_seconds() if stage.started_at else 0.0
    return done, wanted, "label", passed / done * (wanted - done) if done else None
