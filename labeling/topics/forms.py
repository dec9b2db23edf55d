"""A labeler's wishes, a researcher's topics, and words to tag prompts by."""

from django import forms

from labeling.models import Topic
from labeling.prompts import topics
from labeling.topics import edit


class ChooseForm(forms.Form):
    """What a labeler does not want, of the topics there are."""

    unwanted = forms.MultipleChoiceField(required=False)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        unwanted = self.fields["unwanted"]
        assert isinstance(unwanted, forms.MultipleChoiceField)
        unwanted.choices = [(topic.slug, topic.name) for topic in topics.known()]


class TopicForm(forms.Form):
    """What a topic is called, and what is meant by it."""

    name = forms.CharField(max_length=edit.NAME)
    description = forms.CharField(
        max_length=edit.DESCRIPTION,
        help_text="What labelers read before they decide.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class TagForm(forms.Form):
    """Which prompts get which topic."""

    topic = forms.ModelChoiceField(Topic.objects.all(), empty_label=None)
    words = forms.CharField(
        label="Words or phrases",
        strip=False,
        help_text="Between commas or one a line. A prompt with any of them counts, in capitals or not; “gun” is found "
        "in “a gun”, not in “begun”.",
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )
