"""What others may want to hear of labelers."""

from django.dispatch import Signal

# A labeler was at work and is not any more (`labeler`). Sent inside the transaction of the change: what the queue does
# about it is stored with it or not at all.
stopped_work = Signal()
