"""Writing the next version of a guideline."""

from django import forms


class PublishForm(forms.Form):
    """The whole text, and the version that it was written from."""

    title = forms.CharField(max_length=200)
    body = forms.CharField(
        label="Text",
        strip=False,
        help_text="Markdown: ## for a title, - for a list, **bold**.",
        widget=forms.Textarea(attrs={"class": "writing", "rows": 22, "spellcheck": "true"}),
    )
    after = forms.IntegerField(widget=forms.HiddenInput)
