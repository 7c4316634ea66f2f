"""One event's life by its uuid: every state, with the evidence for it."""
