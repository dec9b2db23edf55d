"""A policy as lm-evaluation-harness sees one: its requests answered from packed rows and by our sampler.

The choices of a question share their context, so a context is read once, however many answers are scored on it, and
no padding is read at all. What is asked is the harness's own: it cuts contexts and answers into tokens.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

import torch
from lm_eval.api.model import TemplateLM
from lm_eval.models.utils import handle_stop_sequences, normalize_gen_kwargs
from lm_eval.utils import get_rolling_token_windows, make_disjoint_window
from transformers import PreTrainedModel

from training.contract.run_dir import RunError
from training.rlhf.causal_lm import context_length, project, token_logprobs
from training.rlhf.harness.until import sample_until
from training.rlhf.packed import packed_states
from training.rlhf.packing import micro_batches
from training.rlhf.trees import Tree, pack

SAMPLING = {"do_sample", "temperature", "top_p"}
Scored = tuple[float, bool]  # log-probability of an answer in nats, and whether it is what greedy decoding would give


class PolicyLM(TemplateLM):
    """`after_batch(done, total)` is called between batches, with requests counted; it may raise to end the work."""

    def __init__(
        self,
        policy: PreTrainedModel,
        tokenizer: Any,
        *,
        max_tokens: int,
        batch_size: int,
        seed: int,
        after_batch: Callable[[int, int], None],
    ) -> None:
        super().__init__()
        self.policy, self.tokenizer, self.seed, self.after_batch = policy, tokenizer, seed, after_batch
        self.max_tokens = max_tokens  # in one forward pass
        self.batch_size = batch_size  # texts sampled at a time
        self.max_length = context_length(policy)
        self.max_gen_toks = 256  # where a task does not say: the harness's own default
        self._device = next(policy.parameters()).device

    @property
    def eot_token_id(self) -> int:
        return self.tokenizer.eos_token_id

    @property
    def prefix_token_id(self) -> int:
        """What stands before an answer that has no context."""
        bos = self.tokenizer.bos_token_id
        return self.eot_token_id if bos is None else bos

    @property
    def tokenizer_name(self) -> str:
        return self.tokenizer.name_or_path

    def tok_encode(self, string: str, add_special_tokens: bool | None = None, **kwargs: Any) -> list[int]:
        if add_special_tokens is None:  # a chat template may have written the begin token already
            add_special_tokens = not string.startswith(self.tokenizer.decode(self.prefix_token_id))
        return self.tokenizer.encode(string, add_special_tokens=add_special_tokens)

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        """A conversation as the recipes write prompts: by the chat template, else each text and a newline."""
        if self.tokenizer.chat_template:
            return self.tokenizer.apply_chat_template(
                chat_history,
                tokenize=False,
                add_generation_prompt=add_generation_prompt,
                continue_final_message=not add_generation_prompt,
            )
        text = (self.tokenizer.bos_token or "") + "\n".join(message["content"] for message in chat_history)
        return text + "\n" if add_generation_prompt else text

    def loglikelihood(self, requests: Sequence[Any], disable_tqdm: bool = True) -> list[Scored]:
        return super().loglikelihood(requests, disable_tqdm=disable_tqdm)  # without its bars in log.txt

    @torch.no_grad()
    def _loglikelihood_tokens(
        self, requests: Sequence[tuple[Any, list[int], list[int]]], **kwargs: Any
    ) -> list[Scored]:
        """Requests are (texts, context, answer). A context that is too long loses its beginning, as in the harness."""
        questions: dict[tuple[int, ...], list[int]] = {}
        for number, (_, context, answer) in enumerate(requests):
            if len(answer) > self.max_length:
                raise RunError(f"An answer has {len(answer)} tokens, the model reads {self.max_length} at most.")
            # An answer's last token is predicted and never read.
            room = self.max_length + 1 - len(answer)
            questions.setdefault(tuple(context[-room:]), []).append(number)
        contexts = [list(context) for context in questions]
        answers = [[requests[number][2] for number in numbers] for numbers in questions.values()]
        sizes = [len(context) + sum(map(len, of)) for context, of in zip(contexts, answers, strict=True)]
        scored: list[Scored] = []
        order: list[int] = []
        for group in micro_batches(sizes, self.max_tokens):
            scored += self._score([contexts[index] for index in group], [answers[index] for index in group])
            order += [number for index in group for number in list(questions.values())[index]]
            self.after_batch(len(scored), len(requests))
        return [one for _, one in sorted(zip(order, scored, strict=True))]

    def _score(self, contexts: list[list[int]], answers: list[list[list[int]]]) -> list[Scored]:
        """Every answer on its context, in their order. In a packed row all contexts stand before all answers."""
        read = [[answer[:-1] for answer in of if len(answer) > 1] for of in answers]
        trees = [Tree(context, branches) for context, branches in zip(contexts, read, strict=True)]
        last, first = -1, sum(map(len, contexts))  # position of a context's last token, of an answer's first
        predictors: list[int] = []
        targets: list[int] = []
        for context, of in zip(contexts, answers, strict=True):
            last += len(context)
            for answer in of:
                predictors += [last, *range(first, first + len(answer) - 1)]
                targets += answer
                first += len(answer) - 1
        at = torch.tensor(predictors, device=self._device)
        logits = project(self.policy, packed_states(self.policy, pack(trees, self._device), at))
        wanted = torch.tensor(targets, device=self._device)
        lengths = [len(answer) for of in answers for answer in of]
        logprobs = token_logprobs(logits, wanted).split(lengths)
        greedy = (logits.argmax(-1) == wanted).split(lengths)
        return [(float(p.double().sum()), bool(g.all())) for p, g in zip(logprobs, greedy, strict=True)]

    def loglikelihood_rolling(self, requests: Sequence[Any], disable_tqdm: bool = True) -> list[float]:
        """Log-probability of each whole text, in windows where it is longer than what the model reads."""
        windows: list[tuple[Any, list[int], list[int]]] = []
        counts: list[int] = []
        for request in requests:
            ids = self.tok_encode(request.args[0])
            pairs = get_rolling_token_windows(ids, self.prefix_token_id, self.max_length, context_len=1)
            before = len(windows)
            windows += [(None, *make_disjoint_window(pair)) for pair in pairs]
            counts.append(len(windows) - before)
        scored = iter(self._loglikelihood_tokens(windows))
        return [sum(next(scored)[0] for _ in range(count)) for count in counts]

    def generate_until(self, requests: Sequence[Any], disable_tqdm: bool = True) -> list[str]:
        """Requests are (context, settings); those with the same settings are sampled together."""
        texts: dict[int, str] = {}
        together: dict[str, list[int]] = {}
        for number, request in enumerate(requests):
            together.setdefault(json.dumps(request.args[1], sort_keys=True), []).append(number)
        for numbers in together.values():
            contexts = [self.tok_encode(requests[number].args[0]) for number in numbers]
            found = self._sample(contexts, requests[numbers[0]].args[1], len(texts), len(requests))
            texts.update(zip(numbers, found, strict=True))
            self.after_batch(len(texts), len(requests))
        return [texts[number] for number in range(len(requests))]

    def _sample(self, contexts: list[list[int]], settings: dict[str, Any], done: int, total: int) -> list[str]:
        settings = normalize_gen_kwargs(settings, self.max_gen_toks)
        ends = handle_stop_sequences(settings.pop("until"), eos=self.tokenizer.decode(self.eot_token_id))
        longest = settings.pop("max_gen_toks")
        if unknown := settings.keys() - SAMPLING:
            raise RunError(f"A task sets {', '.join(sorted(unknown))}, which our sampler does not have.")
        room = self.max_length - longest
        if room <= 0:
            raise RunError(f"A task lets a text have {longest} tokens, and the model reads {self.max_length} at most.")
        return sample_until(
            self.policy,
            self.tokenizer,
            [context[-room:] for context in contexts],
            ends=ends,
            longest=longest,
            temperature=settings.get("temperature", 1.0) if settings["do_sample"] else 0.0,
            top_p=settings.get("top_p", 1.0),
            seed=self.seed,
            batch_size=self.batch_size,
            between_batches=lambda _: self.after_batch(done, total),
        )
