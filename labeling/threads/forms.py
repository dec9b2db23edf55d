"""Asking, answering, announcing. What a text must be is said by the doors in talk.py."""

from django import forms


class MessageForm(forms.Form):
    """A question or an answer."""

    text = forms.CharField(
        label="Message",
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto", "spellcheck": "true"}),
    )


class AskForm(MessageForm):
    """A question, and the piece of work that it is about, where it is about one."""

    assignment = forms.UUIDField(required=False, widget=forms.HiddenInput)


class AnnounceForm(MessageForm):
    """Something for all labelers."""

    title = forms.CharField(max_length=200)
    field_order = ["title", "text"]
