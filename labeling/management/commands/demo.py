"""`manage.py demo`: one whole round of the miniature world with simulated labelers. `make demo` calls it."""

import argparse
import json
import secrets
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from config.embedded import kept_secret
from labeling.errors import PodiumError
from labeling.rounds import take_up
from labeling.rounds.models import Round, Stage
from labeling.simulation import demo, demo_report
from labeling.simulation.people import Person
from labeling.simulation.sizes import SIZES
from labeling.simulation.watching import RoundView
from training.doorbell import ring

POLL_SECONDS = 0.5
FILE_WIDTH = 100  # where the output goes into a file


class Command(BaseCommand):
    help = "Runs one whole round of the miniature world; goes on where an earlier one was interrupted."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--size", choices=list(SIZES), default="mini")
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        home = Path(settings.HOME) / "demo"
        console = Console()
        if not console.is_terminal:
            console.width = FILE_WIDTH
        size, seed = SIZES[options["size"]], options["seed"]
        password = kept_secret(home / "password", lambda: secrets.token_urlsafe(9))
        demo.make_accounts(password)
        console.print(f"[bold]{demo.round_name(size, seed)}[/bold]: prompts, texts and simulated labelers …")
        try:
            round = demo.find_or_open_round(size, seed)
        except PodiumError as error:
            raise CommandError(error.sentence) from error
        run_round(round, demo.labelers(size, seed), console)
        found = demo_report.of_demo(round, size)
        write_report(home / "report.json", found)
        demo_report.show(found, console)
        console.print(f"\nThe same figures: {home / 'report.json'}\n")
        for account in demo.ACCOUNTS:
            console.print(f"  {account.email:<28} password {password}   {account.does}", highlight=False)


def run_round(round: Round, people: list[Person], console: Console) -> None:
    """Until the round is done: people's work here, everything else by the worker, the trainers and beat.

    Raises CommandError where a stage fails.
    """
    with RoundView(round, console) as view:
        shown_at = 0.0

        def show(every: float = POLL_SECONDS) -> None:
            nonlocal shown_at
            if time.monotonic() - shown_at >= every:
                view.look()
                shown_at = time.monotonic()

        for stage in round.stages.filter(state=Stage.State.FAILED):
            take_up.retry(stage)
        while True:
            round.refresh_from_db()
            show(0)
            if round.state != Round.State.RUNNING:
                break
            for stage in round.stages.filter(state=Stage.State.HELD):
                console.print(f"[yellow]{stage.note} The demonstration goes on all the same.[/yellow]")
                take_up.go_on(stage)
            if demo.do_peoples_work(round, people, on_label=show):
                ring("labeling.tasks.advance_rounds")
            time.sleep(POLL_SECONDS)
    if round.state != Round.State.DONE:
        failed = [f"{stage.name}: {stage.note}" for stage in round.stages.filter(state=Stage.State.FAILED)]
        why = " ".join(failed) or f"It is {round.get_state_display().lower()}."
        raise CommandError(f"The round has ended early. {why} Its page has the details and “try again”.")


def write_report(path: Path, found: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=2) + "\n")
