"""Plain admin pages. Rows that only a domain function may write are shown, not edited: a change past the door would
leave the queue's counts wrong or a label without its history."""

from labeling.admin import labels, people, work

__all__ = ["labels", "people", "work"]
