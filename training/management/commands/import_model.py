"""`manage.py import_model EleutherAI/pythia-160m`: queue the run that takes in a model from elsewhere."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from training.contract.spec import SpecError
from training.runs.launch import queue_run


class Command(BaseCommand):
    help = "Queues a run that makes a checkpoint from a model of the Hugging Face hub, or from a folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", help="a hub id, or the absolute path of a folder that from_pretrained opens")
        parser.add_argument("--revision", default="", help="branch, tag or commit on the hub")

    def handle(self, *args: Any, model: str, revision: str, **options: Any) -> None:
        spec = {"model": model, "revision": revision}
        try:
            run = queue_run(recipe="import_model", name=model[-100:], spec=spec, seed=0, inputs={}, parents={})
        except SpecError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Queued run {run.pk}: {model} becomes a checkpoint once a worker has taken it in.")
