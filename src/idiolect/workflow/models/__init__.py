"""From weights to a model that people talk to: measured, compared, published, exported again, made to forget."""
