"""The process that runs a script: it has no authority and knows no operation."""
