"""The questions of both surveys, after Tables 12 and 13 of Ouyang et al. (2022), in words of our own.

Every question may be left out, and every one about the person has 'I would rather not say'. There is no free text: a
sentence could tell who wrote it. Nationality is asked by region of the world, for the same reason: few people share a
country, and what few share is not shown.
"""

from typing import TypedDict

AGREEMENT = [
    ("5", "Strongly agree"),
    ("4", "Agree"),
    ("3", "Neither agree nor disagree"),
    ("2", "Disagree"),
    ("1", "Strongly disagree"),
]
NOT_SAID = ("not-said", "I would rather not say")


class Question(TypedDict):
    """As stored with a survey. `choices` are pairs of key and words, in order where `is_ordered`."""

    key: str
    text: str
    choices: list[tuple[str, str]]
    is_ordered: bool
    is_multiple: bool


def _statement(key: str, text: str) -> Question:
    return {"key": key, "text": text, "choices": AGREEMENT, "is_ordered": True, "is_multiple": False}


def _about(key: str, text: str, choices: str, *, is_ordered: bool = False, is_multiple: bool = False) -> Question:
    """`choices`: key=words, separated by semicolons."""
    pairs = [tuple(choice.strip().split("=")) for choice in choices.split(";")]
    said = [(key, words) for key, words in pairs]
    return {
        "key": key,
        "text": text,
        "choices": [*said, NOT_SAID],
        "is_ordered": is_ordered,
        "is_multiple": is_multiple,
    }


SATISFACTION = [
    _statement("clear", "The instructions told me clearly what to do."),
    _statement("enjoyable", "I enjoyed the work."),
    _statement("repetitive", "The work was repetitive."),
    _statement("fair-pay", "My pay for the work was fair."),
    _statement("glad", "On the whole I am glad that I did this work."),
]

DEMOGRAPHICS = [
    _about("gender", "Which gender do you identify with?", "female=Female; male=Male; other=Another, or none"),
    _about(
        "ethnicity",
        "Which of these describe your origin? Several may.",
        "black=Black or African; east-asian=East Asian; southeast-asian=Southeast Asian; south-asian=South Asian; "
        "middle-east=Middle Eastern or North African; latin=Latin American; indigenous=Indigenous or Pacific Islander; "
        "white=White or European; other=Another",
        is_multiple=True,
    ),
    _about(
        "nationality",
        "In which region of the world is the country of your nationality?",
        "africa-north=North Africa; africa=Africa south of the Sahara; america-north=North America; "
        "america-latin=Latin America and the Caribbean; asia-east=East Asia; asia-southeast=Southeast Asia; "
        "asia-south=South Asia; asia-west=West and Central Asia; europe-east=Eastern Europe; "
        "europe=Northern, Southern or Western Europe; oceania=Oceania",
    ),
    _about(
        "age",
        "How old are you?",
        "18-24=18 to 24; 25-34=25 to 34; 35-44=35 to 44; 45-54=45 to 54; 55-64=55 to 64; 65=65 or older",
        is_ordered=True,
    ),
    _about(
        "education",
        "What is the highest degree that you have?",
        "less=Less than secondary school; secondary=Secondary school; undergraduate=Bachelor or equivalent; "
        "master=Master or equivalent; doctor=Doctorate",
        is_ordered=True,
    ),
]

BY_KIND: dict[str, list[Question]] = {"satisfaction": SATISFACTION, "demographics": DEMOGRAPHICS}
