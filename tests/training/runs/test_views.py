"""The runs' pages: who may see and press what, what they show, and what it costs to show it."""

import csv
import io
import json
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from labeling.models import Labeler, User
from tests.training.runs.test_watch import make_run, word
from training import storage
from training.models import Checkpoint, Dataset, Run, RunInput
from training.runs.folder import Wanted, samples_of

pytestmark = pytest.mark.django_db
WARNING = {
    "name": "kl_runaway", "title": "KL runs away", "sentence": "objective/kl is 31 nats.", "step": 12,
    "curve": "objective/kl", "advice": "Stop it.", "source": "Gao et al. 2023",
}  # fmt: skip


@pytest.fixture(autouse=True)
def artifacts(settings: Any, tmp_path: Path) -> None:
    settings.ARTIFACT_ROOT = tmp_path


@pytest.fixture
def office(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


def rows_in(run: Run, *rows: dict[str, Any], file: str = "metrics.jsonl") -> None:
    (storage.run_folder(run.pk) / file).write_text("".join(json.dumps(row) + "\n" for row in rows))


def text_of(client: Client, name: str, *arguments: object, query: str = "") -> str:
    response = client.get(reverse(name, args=arguments) + query)
    assert response.status_code == 200
    return str(response.content.decode())


# ── Who may ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["run-detail", "run-control", "run-log", "run-log-file", "run-samples", "run-curves"])
def test_a_labeler_finds_no_run(client: Client, labeler: Labeler, name: str) -> None:
    run = make_run()
    (storage.run_folder(run.pk) / "log.txt").write_text("secret")
    client.force_login(labeler.user)
    assert client.get(reverse(name, args=[run.pk])).status_code == 404


@pytest.mark.parametrize("name", ["run-stop", "run-resume", "run-retry"])
def test_a_labeler_stops_nothing(client: Client, labeler: Labeler, name: str) -> None:
    run = make_run(state=Run.State.STOPPED if name != "run-stop" else Run.State.RUNNING)
    client.force_login(labeler.user)
    assert client.post(reverse(name, args=[run.pk])).status_code == 404
    assert not run.requests.exists()


# ── Stop, resume, try again ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_researcher_stops_and_resumes_and_the_page_says_who(office: Client, researcher: User) -> None:
    run = make_run(state=Run.State.QUEUED)
    office.post(reverse("run-stop", args=[run.pk]))
    run.refresh_from_db()
    assert run.state == Run.State.STOPPED
    page = text_of(office, "run-detail", run.pk)
    assert f"stopped by {researcher.name}" in page
    assert "Resume</button>" in page
    office.post(reverse("run-resume", args=[run.pk]))
    run.refresh_from_db()
    assert run.state == Run.State.QUEUED


def test_a_stop_that_comes_too_late_is_told(office: Client) -> None:
    run = make_run(state=Run.State.DONE)
    response = office.post(reverse("run-stop", args=[run.pk]), follow=True)
    assert "had ended before it could be stopped" in response.content.decode()


def test_the_buttons_stay_while_nothing_changes(office: Client) -> None:
    """Exchanged every two seconds, one of them might be gone between press and release."""
    run = make_run()
    address = reverse("run-control", args=[run.pk])
    assert office.get(address + "?seen=running-0-0").status_code == 204
    assert b"Stop</button>" in office.get(address + "?seen=queued-0-0").content


def test_a_failed_run_is_tried_again_with_other_settings(office: Client) -> None:
    run = make_run(state=Run.State.FAILED, spec={"epochs": 4, "lr": 0.1}, error="The loss is NaN.")
    address = reverse("run-retry", args=[run.pk])
    assert 'name="spec-epochs"' in office.get(address).content.decode()
    office.post(address, {"spec-epochs": "4", "spec-lr": "1e-5", "spec-precision": "fp32", "from": "beginning"})
    run.refresh_from_db()
    assert (run.state, run.spec) == (Run.State.QUEUED, {"epochs": 4, "lr": 1e-5})
    request = run.requests.get()
    assert (request.changed, request.anew) == ({"lr": [0.1, 1e-5]}, True)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [("epochs", "-1", "epochs is -1"), ("epochs", "many", "is &#x27;many&#x27;"), ("lr", '"x"', "must be a number")],
)
def test_settings_that_cannot_work_come_back_with_a_sentence(
    office: Client, name: str, value: str, sentence: str
) -> None:
    run = make_run(state=Run.State.FAILED, spec={"epochs": 4})
    response = office.post(reverse("run-retry", args=[run.pk]), {f"spec-{name}": value})
    assert response.status_code == 422
    assert sentence in response.content.decode()
    run.refresh_from_db()
    assert run.state == Run.State.FAILED


# ── Curves ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_curves_come_as_an_overview_and_then_what_is_new(office: Client) -> None:
    run = make_run()
    rows = [{"step": step, "time": 60.0 * step, "loss": 1.0 * step} for step in range(1, 4)]
    rows_in(run, *rows)
    address = reverse("run-curves", args=[run.pk])
    first = office.get(address).json()
    assert first["live"] is True
    assert first["curves"] == {"loss": {"points": 3, "x": [1, 2, 3], "y": [1, 2, 3]}}
    assert office.get(address, {"after": first["mark"]}).json()["rows"] == []
    rows.append({"step": 4, "time": 240.0, "loss": None})
    rows_in(run, *rows)
    news = office.get(address, {"after": first["mark"]}).json()
    assert news["rows"] == [rows[-1]]
    assert office.get(address, {"after": "1-99"}).json()["again"] is True


@pytest.mark.parametrize("query", ["after=x", "x=loss", "low=a&high=2", "smooth=1", "smooth=nan", "buckets=x"])
def test_an_address_that_cannot_be_read_is_refused(office: Client, query: str) -> None:
    assert office.get(reverse("run-curves", args=[make_run().pk]) + f"?{query}").status_code == 422


def test_the_table_says_what_the_plot_shows(office: Client) -> None:
    run = make_run()
    rows_in(run, {"step": 1, "time": 1.0, "loss": 4.0}, {"step": 2, "time": 2.0, "loss": None})
    page = text_of(office, "run-detail", run.pk)
    assert "(1 no number)" in page
    assert '<td class="right num">4</td>' in page


def test_all_points_as_csv(office: Client) -> None:
    first, second = make_run(name="a, b"), make_run(name="c")
    rows_in(first, {"step": 1, "time": 5.0, "loss": 0.5}, {"step": 2, "time": 6.0, "loss": None})
    rows_in(second, {"step": 7, "time": 8.0, "lr": 0.25})
    response = office.get(reverse("curves-csv") + f"?run={first.pk}&run={second.pk}")
    found = list(csv.DictReader(io.StringIO(b"".join(response).decode())))  # type: ignore[call-overload]
    assert [(row["run"], row["curve"], row["step"], row["value"]) for row in found] == [
        ("a, b", "loss", "1", "0.5"),
        ("a, b", "loss", "2", ""),
        ("c", "lr", "7", "0.25"),
    ]


def test_a_poll_of_a_long_run_costs_below_twenty_milliseconds_of_cpu(office: Client) -> None:
    """Views, log-in and database included; it is the same for 320,000 points as for ten."""
    run = make_run(total=30_000, step=20_000)
    curves = {f"metric/{index}": 0.123456789 for index in range(16)}
    line = json.dumps({"step": 1, "time": 1.0} | curves)
    lines = (line.replace('"step": 1', f'"step": {step}', 1) for step in range(1, 20_001))
    (storage.run_folder(run.pk) / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    address = reverse("run-curves", args=[run.pk])
    mark = office.get(address).json()["mark"]
    rows_in_addition = [{"step": 20_001, "time": 2.0, **curves}]
    with (storage.run_folder(run.pk) / "metrics.jsonl").open("a") as file:
        file.write("".join(json.dumps(row) + "\n" for row in rows_in_addition))

    def spent(*arguments: Any, **options: Any) -> float:
        began = time.process_time()
        assert office.get(*arguments, **options).status_code == 200
        return time.process_time() - began

    htmx = {"HX-Request": "true"}
    assert min(spent(address, {"after": mark}) for _ in range(10)) < 0.02
    assert min(spent(reverse("run-detail", args=[run.pk]), headers=htmx) for _ in range(10)) < 0.02
    assert office.get(address, {"after": mark}).json()["rows"] == rows_in_addition


# ── Samples and log ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_models_write_is_text_and_never_markup(office: Client) -> None:
    run = make_run()
    rows_in(run, {"step": 1, "prompt": "<b>p</b>", "completion": "<script>x()</script>", "score": 0.5,
                  "note": "<i>n</i>"}, file="samples.jsonl")  # fmt: skip
    (storage.run_folder(run.pk) / "log.txt").write_text("<script>log</script>")
    page = text_of(office, "run-detail", run.pk)
    assert "&lt;script&gt;x()&lt;/script&gt;" in page
    for markup in ("<script>x()", "<b>p</b>", "<i>n</i>", "<script>log"):
        assert markup not in page


def test_samples_by_step_words_and_reward(office: Client) -> None:
    run = make_run(state=Run.State.DONE)
    samples = [(1, "red fox", 0.1), (5, "blue fox", 0.9), (9, "green cat", 0.5)]
    rows_in(
        run,
        *({"step": step, "prompt": "Say it.", "completion": words, "score": score} for step, words, score in samples),
        file="samples.jsonl",
    )

    def found(query: str) -> list[str]:
        page = text_of(office, "run-samples", run.pk, query=query)
        return sorted((words for _, words, _ in samples if words in page), key=page.index)

    assert found("") == ["green cat", "blue fox", "red fox"]
    assert found("?low=2&high=8") == ["blue fox"]
    assert found("?words=FOX&order=highest") == ["blue fox", "red fox"]
    assert found("?order=lowest") == ["red fox", "green cat", "blue fox"]
    assert "No text fits" in text_of(office, "run-samples", run.pk, query="?words=dog")


def test_of_many_samples_the_newest_are_read_and_all_are_counted(office: Client) -> None:
    run = make_run(state=Run.State.DONE)
    said = [{"prompt": "p", "completion": f'no. {n} "completion"'} for n in range(50)]
    rows_in(run, {"step": 0}, *said, file="samples.jsonl")
    with (storage.run_folder(run.pk) / "samples.jsonl").open("a") as file:
        file.write('{"prompt": "p", "comp')  # it is being written
    every, narrowed = samples_of(run, Wanted()), samples_of(run, Wanted(words="no."))
    assert every == narrowed  # which reads them all
    assert every.found == 50
    assert [row["completion"] for row in every.rows] == [f'no. {n} "completion"' for n in range(49, 19, -1)]


def test_samples_are_sent_again_only_when_there_are_more(office: Client) -> None:
    run = make_run()
    rows_in(run, {"prompt": "p", "completion": "c"}, file="samples.jsonl")
    size = (storage.run_folder(run.pk) / "samples.jsonl").stat().st_size
    address = reverse("run-samples", args=[run.pk])
    assert office.get(f"{address}?seen={size}").status_code == 204
    assert office.get(f"{address}?seen={size - 1}").status_code == 200
    Run.objects.update(state=Run.State.DONE)
    assert office.get(f"{address}?seen={size}").status_code == 200  # it stops asking


def test_the_whole_log_is_a_file(office: Client) -> None:
    run = make_run()
    assert office.get(reverse("run-log-file", args=[run.pk])).status_code == 404
    (storage.run_folder(run.pk) / "log.txt").write_text("line\n" * 5000)
    response = office.get(reverse("run-log-file", args=[run.pk]))
    assert b"".join(response) == b"line\n" * 5000  # type: ignore[call-overload]
    assert "attachment" in response["Content-Disposition"]


# ── How it stands ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_rate_and_machine_are_said(office: Client) -> None:
    run = make_run(total=10, step=3, unit="iteration")
    word(run, device="cpu", processes=2)
    rows_in(run, *({"step": step, "time": 2.0 * step, "episode": 32.0 * step} for step in range(1, 5)))
    page = text_of(office, "run-detail", run.pk)
    assert "0.500 iterations a second" in page  # a row every two seconds, of 32 episodes each
    assert "16 episodes a second" in page
    assert "cpu, 2 processes" in page


def test_a_warning_stands_on_the_page_in_the_list_and_in_the_api(office: Client) -> None:
    run = make_run(warnings=[WARNING])
    make_run(name="well")
    assert 'data-step="12"' in text_of(office, "run-detail", run.pk)
    assert "1 warning" in text_of(office, "run-list")
    assert "well" not in text_of(office, "run-list", query="?warned=1")
    assert office.get(reverse("api-run", args=[run.pk])).json()["warnings"] == [WARNING]


# ── List and comparison ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_list_is_filtered(office: Client) -> None:
    make_run(name="first", recipe="sft", state=Run.State.DONE)
    ppo = make_run(name="second", recipe="ppo")
    for query in ("?recipe=ppo", "?state=running", "?q=SECO", f"?q={str(ppo.pk)[:8]}"):
        page = text_of(office, "run-list", query=query)
        assert "second</a>" in page
        assert "first</a>" not in page
    assert "No run fits" in text_of(office, "run-list", query="?q=third")


def test_tries_of_the_playground_are_listed_only_where_they_are_asked_for(office: Client) -> None:
    make_run(name="trained")
    make_run(name="tried", recipe="sample", queue=Run.Queue.PLAYGROUND)
    everything = text_of(office, "run-list")
    assert "trained</a>" in everything
    assert "tried</a>" not in everything
    tries = text_of(office, "run-list", query="?queue=playground")
    assert "tried</a>" in tries
    assert "trained</a>" not in tries


def test_datasets_that_only_the_playground_read_are_left_out(office: Client) -> None:
    made = {name: Dataset.objects.create(kind="prompts", sha256=name * 64, path=f"of-{name}", rows=1) for name in "abc"}
    queues = (("a", Run.Queue.PLAYGROUND), ("b", Run.Queue.PLAYGROUND), ("b", Run.Queue.TRAINING))
    for name, queue in queues:
        run = make_run(name=queue, queue=queue)
        RunInput.objects.create(run=run, name="prompts", dataset=made[name])
    page = text_of(office, "dataset-list")
    assert ["a" * 12 in page, "b" * 12 in page, "c" * 12 in page] == [False, True, True]  # nothing has read c yet


def test_a_run_leads_to_its_checkpoint_and_a_ppo_run_to_its_monitor(office: Client) -> None:
    ppo, sft = make_run(recipe="ppo"), make_run(recipe="sft")
    checkpoint = Checkpoint.objects.create(run=ppo, name="ppo", kind="policy", path=f"runs/{ppo.pk}/checkpoint")
    page = text_of(office, "run-detail", ppo.pk)
    assert f'href="{reverse("overoptimization", args=[ppo.pk])}"' in page
    assert f'href="{reverse("checkpoint-detail", args=[checkpoint.pk])}"' in page
    page = text_of(office, "run-detail", sft.pk)
    assert "Over-optimisation" not in page
    assert 'class="button small" href="/checkpoints/' not in page


def test_the_list_asks_no_more_for_many_runs_than_for_few(office: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            office.get(reverse("run-list"))
        return len(captured)

    make_run()
    few = queries()
    Run.objects.bulk_create(
        Run(recipe="sft", name=f"r{index}", spec={}, seed=1, warnings=[WARNING]) for index in range(200)
    )
    assert queries() <= few


def test_runs_are_compared_where_they_differ(office: Client) -> None:
    one = make_run(name="one", spec={"lr": 0.1, "epochs": 3}, result={"loss": 2.5})
    two = make_run(name="two", spec={"lr": 0.2, "epochs": 3, "lora_rank": 8})
    page = text_of(office, "run-compare", query=f"?run={one.pk}&run={two.pk}&run={one.pk}&run={uuid4()}&run=x")
    assert '<th scope="row">lr</th>' in page
    assert '<th scope="row">lora_rank</th>' in page
    assert '<th scope="row">epochs</th>' not in page
    assert "2.500" in page
    assert page.count("swatch hue-") == 2


def test_at_most_eight_runs_are_compared_each_in_a_color_of_its_own(office: Client) -> None:
    runs = [make_run(name=f"r{index}") for index in range(9)]
    query = "?" + "&".join(f"run={run.pk}" for run in runs)
    page = text_of(office, "run-compare", query=query)
    assert "1 more was asked for" in page
    assert all(f"swatch hue-{color}" in page for color in range(8))
    assert "No run is chosen" in text_of(office, "run-compare")


def test_a_run_keeps_its_color_when_the_order_changes(office: Client) -> None:
    from training.runs.compare import chosen

    runs = [make_run() for _ in range(5)]
    ids = [str(run.pk) for run in runs]
    colors = {one.run.pk: one.color for one in chosen(ids)[0]}
    assert {one.run.pk: one.color for one in chosen(ids[::-1])[0]} == colors
    assert len(set(colors.values())) == 5
