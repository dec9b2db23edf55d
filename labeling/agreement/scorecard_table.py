"""Scorecards as one table, a figure a row: the CSV file."""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Any

from labeling.agreement.scorecard_words import Said

HEAD = ["labeler", "cohort", "figure", "of", "value", "low", "high", "others_median", "count", "note"]


def as_csv(cards: Iterable[Said]) -> str:
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(HEAD)
    for said in cards:
        writer.writerows([said["labeler"], said["cohort"], *row] for row in _rows(said))
    return text.getvalue()


def _rows(said: Said) -> Iterator[list[Any]]:
    yield ["rankings", "", said["rankings"], None, None, None, said["rankings"], ""]
    for line in said["figures"]:
        yield [line["key"], "", line["value"], line["low"], line["high"], line["others"], "", line["why"]]
    note = "" if said["reliability_is_current"] else "of earlier rankings: the present ones are being computed"
    yield ["reliability", "", said["reliability"], None, None, None, "", note]
    for position in said["positions"]:
        yield ["won_at_position", position["at"], position["won"], None, None, None, position["pairs"], ""]
    speed = said["speed"]
    if speed:
        yield ["median_minutes", "", speed["median"], None, None, speed["others_median"], speed["pieces"], ""]
        for at, share in enumerate(speed["shares"]):
            low, middle, high = (speed[name][at] if speed[name] else None for name in ("low", "middle", "high"))
            yield [
                "share_of_minutes",
                speed["bins"][at],
                share,
                low,
                high,
                middle,
                "",
                "low and high: the others' quartiles",
            ]
    if said["skips"]:
        yield ["skips", "", said["skips"]["share"], None, None, said["skips"]["others"], said["skips"]["pieces"], ""]
        for kind in ("reasons", "topics"):
            for one in said["skips"][kind]:
                yield [f"skips_by_{kind.removesuffix('s')}", one["label"], None, None, None, None, one["pieces"], ""]
    for week in said["weeks"]:
        yield ["with_others", week["since"], week["value"], week["low"], week["high"], None, week["rankings"], "a week"]
        yield ["median_minutes", week["since"], week["minutes"], None, None, None, week["rankings"], "a week"]
    for flag in said["flags"]:
        yield ["flag", flag["key"], None, None, None, None, "", flag["sentence"]]
    for answer in said["known_answers"]:
        note = f"pairs ordered as known, on {answer['on']}"
        yield [f"{answer['kind']}_item", answer["item"], answer["right"], None, None, None, answer["pairs"], note]
