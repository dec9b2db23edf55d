"""What the training half tells whoever listens."""

from django.dispatch import Signal

# Sent when a run has come to its end, done, failed or stopped; `run` is its row. A doorbell: it may be missed.
run_ended = Signal()
