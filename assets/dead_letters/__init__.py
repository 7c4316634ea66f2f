"""Dead letters: their review, their topic, and the jobs that replay them."""
