"""The languages that a worker can run. Each offers `execute` and `evaluate`."""
