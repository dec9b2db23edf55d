"""Gold reward against distance (Gao et al. 2023) in the miniature world: `python -m benchmarks.overoptimization`.

The gold reward is the world's utility, without any labeler's noise or taste. Proxies are reward models, trained on
rankings by it of what the fine-tuned policy samples: of few prompts, and of many. Against each proxy, best of n and PPO
without a KL penalty; both rewards are measured on prompts that nothing was trained on, and the curves
d (alpha - beta d) and d (alpha - beta ln d), d = sqrt(KL), are fitted to the gold reward.

KL of best of n is log n - (n - 1)/n; of PPO, it is estimated on the samples. What is done lies in --root, and a study
that was ended goes on from there. Minutes; the larger share is the base model.
"""

import argparse
import math
import os
import shutil
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch

from benchmarks.lab import Input, Lab
from benchmarks.report import Measurement, append_lines, machine, table
from labeling.simulation.sizes import MINI
from labeling.simulation.world.prompts import Prompt
from labeling.simulation.world.utility import judge
from labeling.simulation.world.world import World
from training.contract.overoptimization import BEST_OF_N, PPO, Curve, best_of_n, fit
from training.contract.rows import read_rows
from training.rlhf.causal_lm import load_tokenizer
from training.rlhf.examples import Example
from training.rlhf.rollout import score_episodes
from training.rlhf.scalar_head import load_scalar_model
from training.rlhf.tokens import encode_prompts

CANDIDATES = 64  # samples of a prompt that best of n chooses among
KLS = (0.5, 1, 2, 4, 8, 16, 32)  # PPO is looked at when it first is as far as this, in nats
ITERATIONS = 200  # of PPO at most


class Point(NamedTuple):
    method: str
    rankings: int  # that the proxy was trained on
    kl: float
    proxy: float  # over the start's, as the gold reward is
    gold: float


def rows_of(prompts: Sequence[Prompt], split: str) -> list[dict[str, Any]]:
    return [
        {"prompt_id": f"p{number}", "prompt": prompt.text, "use_case": prompt.use_case, "split": split}
        for number, prompt in enumerate(prompts)
    ]


def gold_of(rows: Sequence[dict[str, Any]]) -> list[float]:
    return [judge(row["prompt"], row["completion"]).total for row in rows]


class Study:
    def __init__(self, root: Path, seed: int, documents: int, steps: int, asked: int) -> None:
        self.lab, self.seed, self.world = Lab(root), seed, World(seed)
        self.demonstrations = self._policy(documents, steps)
        self.held_out = self.lab.dataset("held_out", "prompts", rows_of(self.world.prompts("valid", asked), "valid"))
        self.candidates = self._sampled("candidates", self.held_out, CANDIDATES)
        self.start = statistics.fmean(gold_of(self.candidates))

    def _policy(self, documents: int, steps: int) -> Input:
        """The base and the fine-tuned policy that everything starts from."""
        texts = {
            "texts": self.lab.dataset("texts", "texts", ({"text": one} for one in self.world.corpus(documents))),
            "valid_texts": self.lab.dataset("valid", "texts", ({"text": one} for one in self.world.valid_texts(500))),
        }
        self.lab.run("base", "pretrain", MINI.pretrain | {"steps": steps, "threads": 1}, texts, {}, self.seed)
        people = [self.world.labeler(number, "train") for number in range(MINI.labelers)]
        rows = rows_of(self.world.prompts("train", MINI.demonstration_prompts), "train")
        for number, row in enumerate(rows):
            text = people[number % len(people)].write(row["prompt"])
            row |= {"demonstration_id": f"d{number}", "completion": text, "labeler": "l", "cohort": "training"}
        demonstrations = self.lab.dataset("demonstrations", "demonstrations", rows)
        inputs = {"demonstrations": demonstrations, "texts": texts["texts"]}
        self.lab.run("sft", "sft", MINI.sft, inputs, {"policy": "base"}, self.seed)
        return demonstrations

    def _sampled(self, name: str, prompts: Input, samples: int, policy: str = "sft") -> list[dict[str, Any]]:
        spec = MINI.sample | {"samples_per_prompt": samples}
        self.lab.run(name, "sample", spec, {"prompts": prompts}, {"policy": policy}, self.seed)
        return read_rows(self.lab.folder(name) / "samples.jsonl", "completions")

    def proxy(self, count: int) -> str:
        """A reward model of the gold order of the answers to `count` prompts."""
        asked = rows_of(self.world.prompts("train", count), "train")
        of_prompt: dict[str, list[str]] = {}
        prompts = self.lab.dataset(f"asked_{count}", "prompts", asked)
        for row in self._sampled(f"answers_{count}", prompts, MINI.samples_per_prompt):
            of_prompt.setdefault(row["prompt_id"], []).append(row["completion"])
        for row in asked:
            texts = of_prompt[row["prompt_id"]]
            golds = [judge(row["prompt"], text).total for text in texts]
            order = sorted(set(golds), reverse=True)
            row |= {"ranking_id": row["prompt_id"], "labeler": "l", "cohort": "training", "completions": texts}
            row["ranks"] = [1 + order.index(gold) for gold in golds]
        inputs = {
            "rankings": self.lab.dataset(f"rankings_{count}", "rankings", asked),
            "demonstrations": self.demonstrations,
        }
        name = f"proxy_{count}"
        self.lab.run(name, "reward_model", MINI.reward_model, inputs, {"policy": "sft"}, self.seed)
        return name

    def best_of_n(self, proxy: str, count: int) -> Iterator[Point]:
        rewards = self._rewards(proxy)
        golds = gold_of(self.candidates)
        start = statistics.fmean(rewards)
        for n in (2**power for power in range(1, int(math.log2(CANDIDATES)) + 1)):
            cuts = range(0, len(rewards), CANDIDATES)
            chosen = [best_of_n(rewards[cut : cut + CANDIDATES], golds[cut : cut + CANDIDATES], n) for cut in cuts]
            means = [statistics.fmean(values) for values in zip(*chosen, strict=True)]
            yield Point(BEST_OF_N, count, math.log(n) - (n - 1) / n, means[0] - start, means[1] - self.start)

    def _rewards(self, proxy: str) -> list[float]:
        """The proxy's reward of every candidate."""
        checkpoint = self.lab.checkpoint(proxy)
        tokenizer = load_tokenizer(checkpoint)
        model = load_scalar_model(checkpoint, tokenizer, torch.device("cpu"))
        prompts = encode_prompts(tokenizer, [row["prompt"] for row in self.candidates])
        examples = [
            Example(prompt + row["token_ids"], len(prompt))
            for prompt, row in zip(prompts, self.candidates, strict=True)
        ]
        finished = torch.tensor([row["finished"] for row in self.candidates])
        return score_episodes(model, examples, finished, tokenizer.eos_token_id, 8192).tolist()

    def ppo(self, proxy: str, count: int) -> Iterator[Point]:
        """One run, stopped at each distance, measured there, and gone on with from its saved state."""
        batch = MINI.ppo["batch_size"]
        spec = MINI.ppo | {"total_episodes": batch * ITERATIONS, "kl_coef": 0.0, "ema_decay": 0.0, "save_every": 1}
        asked = {
            "prompts": self.lab.dataset("ppo_prompts", "prompts", rows_of(self.world.prompts("train", 2000), "train"))
        }
        start, before = self._measured(proxy, "sft", count), None
        for kl in KLS:
            name = f"ppo_{count}_{kl}"
            if before is not None and not self.lab.folder(name).exists():
                shutil.copytree(self.lab.folder(before) / "state", self.lab.folder(name) / "state")
                shutil.copy(self.lab.folder(before) / "metrics.jsonl", self.lab.folder(name))
            parents = {"policy": "sft", "reward_model": proxy}
            result = self.lab.run(name, "ppo", spec | {"target_kl_stop": kl}, asked, parents, self.seed)
            found = self._measured(proxy, name, count)
            yield Point(PPO, count, found.kl, found.proxy - start.proxy, found.gold - start.gold)
            if result["episodes"] == spec["total_episodes"]:
                return  # it came no further
            before = name

    def _measured(self, proxy: str, policy: str, count: int) -> Point:
        """On samples of the held-out prompts: KL to the start, the proxy's reward, and the gold reward."""
        spec = MINI.evaluate | {"samples_per_prompt": 4}
        parents = {"policy": policy, "reference": "sft", "reward_model": proxy}
        found = self.lab.run(f"of_{policy}_{count}", "evaluate", spec, {"prompts": self.held_out}, parents, self.seed)
        rows = self._sampled(f"by_{policy}", self.held_out, 4, policy)
        return Point(PPO, count, found["kl"], found["reward"], statistics.fmean(gold_of(rows)))


def plot(points: Sequence[Point], curves: dict[tuple[str, int], Curve], path: Path) -> None:
    from plotly import graph_objects

    figure = graph_objects.Figure()
    for (method, count), curve in curves.items():
        own = [point for point in points if (point.method, point.rankings) == (method, count)]
        distances = [math.sqrt(max(0.0, point.kl)) for point in own]
        name = f"{method}, {count} rankings"
        fine = [max(distances) * step / 100 for step in range(101)]
        figure.add_scatter(x=distances, y=[point.gold for point in own], mode="markers", name=f"{name}: gold")
        figure.add_scatter(x=fine, y=[curve.gold(one**2) for one in fine], mode="lines", name=f"{name}: fitted")
        figure.add_scatter(x=distances, y=[point.proxy for point in own], line={"dash": "dot"}, name=f"{name}: proxy")
    figure.update_layout(
        xaxis_title="square root of the KL to the start, in nats", yaxis_title="reward over the start's"
    )
    figure.write_html(path, include_plotlyjs=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overoptimization", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("var/overoptimization"), help="where its runs lie")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--documents", type=int, default=MINI.documents)
    parser.add_argument("--steps", type=int, default=MINI.pretrain["steps"], help="of pretraining")
    parser.add_argument("--rankings", type=int, nargs="+", default=[100, 2400], help="of each proxy")
    parser.add_argument("--prompts", type=int, default=200, help="held-out prompts")
    parser.add_argument("--plot", type=Path, help="write the curves to this HTML file")
    parser.add_argument("--json", type=Path, help="append the points to this file, one JSON object a line")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    print(f"{machine()}; {options}", flush=True)
    study = Study(options.root / str(options.seed), options.seed, options.documents, options.steps, options.prompts)
    points: list[Point] = []
    for count in options.rankings:
        proxy = study.proxy(count)
        points += [*study.best_of_n(proxy, count), *study.ppo(proxy, count)]
    print(f"gold reward of the start: {study.start:.3f}")
    head = ["method", "rankings", "KL", "proxy gained", "gold gained"]
    print(
        table(head, ([p.method, str(p.rankings), f"{p.kl:.2f}", f"{p.proxy:+.2f}", f"{p.gold:+.2f}"] for p in points))
    )
    curves = {}
    for key in dict.fromkeys((point.method, point.rankings) for point in points):
        own = [point for point in points if (point.method, point.rankings) == key]
        curves[key] = fit(key[0], [point.kl for point in own], [point.gold for point in own])
    rows = []
    for (method, count), curve in curves.items():
        peak = curve.peak()
        turn = (f"{peak.kl:.2f}", f"{peak.gold:+.2f}") if peak else ("never", "")
        rows.append([method, str(count), f"{curve.alpha:.3f}", f"{curve.beta:.3f}", *turn])
    print(table(["fit", "rankings", "alpha", "beta", "peak at KL", "gold there"], rows))
    if options.plot:
        plot(points, curves, options.plot)
    if options.json:
        settings = {"seed": options.seed, "steps": options.steps}
        append_lines(
            options.json,
            (
                Measurement(f"overoptimization.{p.method}", settings | p._asdict(), p.gold, "gold reward")
                for p in points
            ),
        )


if __name__ == "__main__":
    main()
