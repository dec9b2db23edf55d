"""`manage.py simulate_labelers`: simulated labelers at the queue, so that a team can rehearse before it pays people."""

import argparse
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from labeling.simulation.people import population
from labeling.simulation.work import work_until_idle

IDLE_SECONDS = 5.0


class Command(BaseCommand):
    help = "Simulated labelers claim, write, rank and submit like people, until Ctrl-C or until nothing is open."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--labelers", type=int, default=12, help="of the training cohort")
        parser.add_argument("--held-out", type=int, default=0, help="of the held-out cohort, who judge")
        parser.add_argument("--seed", type=int, default=1, help="whose taste and mistakes they have")
        parser.add_argument("--until-idle", action="store_true", help="end when nothing is open for any of them")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["labelers"] < 0 or options["held_out"] < 0 or not options["labelers"] + options["held_out"]:
            raise CommandError("There must be at least one labeler; give --labelers or --held-out a number above 0.")
        people = population(training=options["labelers"], held_out=options["held_out"], seed=options["seed"])
        console = Console()
        made = 0

        def count() -> None:
            nonlocal made
            made += 1
            status.update(f"{made} labels")

        with console.status("0 labels") as status:
            try:
                while work_until_idle(people, on_label=count) or not options["until_idle"]:
                    time.sleep(0 if options["until_idle"] else IDLE_SECONDS)
            except KeyboardInterrupt:
                pass
        self.stdout.write(f"{len(people)} simulated labelers made {made} labels.")
