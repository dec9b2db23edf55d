"""The prompts that a proposal makes, written out by hand."""

from labeling.proposals.render import as_texts


def test_a_plain_one_is_itself() -> None:
    assert as_texts("Name a river.") == ["Name a river."]


def test_k_pairs_make_k_prompts_each_with_the_others_worked_out() -> None:
    pairs = [
        {"query": "Go.", "response": "Please go."},
        {"query": "Stop.", "response": "Please stop."},
        {"query": "Sit.", "response": "Please sit."},
    ]
    assert as_texts("Say it politely.", pairs) == [
        "Say it politely.\n\n"
        "Query: Stop.\nResponse: Please stop.\n\n"
        "Query: Sit.\nResponse: Please sit.\n\n"
        "Query: Go.\nResponse:",
        "Say it politely.\n\n"
        "Query: Go.\nResponse: Please go.\n\n"
        "Query: Sit.\nResponse: Please sit.\n\n"
        "Query: Stop.\nResponse:",
        "Say it politely.\n\n"
        "Query: Go.\nResponse: Please go.\n\n"
        "Query: Stop.\nResponse: Please stop.\n\n"
        "Query: Sit.\nResponse:",
    ]


def test_no_prompt_gives_its_own_answer_away() -> None:
    pairs = [{"query": f"q{n}", "response": f"answer {n}"} for n in range(8)]
    for number, text in enumerate(as_texts("Do it.", pairs)):
        assert f"answer {number}" not in text
        assert text.count("answer") == 7
