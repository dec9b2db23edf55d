"""Numbers of Ouyang et al. 2022, to stand beside one's own; always shown as the paper's. Shares with half their 95 %
intervals. They are of 175B models on other prompts, judged by other people: a mark for reference, not a target."""

from typing import NamedTuple


class Mark(NamedTuple):
    label: str
    value: float
    half: float | None
    where: str
    against: str = ""  # the kind of policy that it was held against


PREFERENCE = (
    Mark("175B InstructGPT against the 175B SFT", 0.734, 0.02, "§4.1", "sft"),
    Mark("175B T0 against the 175B SFT", 0.268, 0.02, "§4.1", "sft"),
    Mark("175B FLAN against the 175B SFT", 0.298, 0.02, "§4.1", "sft"),
    Mark("175B InstructGPT against the 175B GPT-3", 0.85, 0.03, "§4.1", "base"),
    Mark("175B InstructGPT against GPT-3 with few-shot prompts", 0.71, 0.04, "§4.1", "base"),
)
FLAGS = {
    "hallucination": (
        Mark("InstructGPT, on closed-domain tasks", 0.21, None, "§1"),
        Mark("GPT-3, on closed-domain tasks", 0.41, None, "§1"),
    )
}
# Table 14, 175B, few-shot: GPT-3, SFT, PPO, PPO-ptx.
TAX = (
    ("SQuADv2 (F1)", (69.75, 65.90, 51.95, 69.93)),
    ("DROP (F1)", (35.27, 35.85, 27.78, 33.34)),
    ("QuAC (F1)", (45.38, 48.77, 36.00, 46.99)),
    ("HellaSwag (accuracy)", (0.791, 0.741, 0.759, 0.820)),
    ("WMT15 fr-en (BLEU)", (39.93, 35.07, 26.58, 36.76)),
)
