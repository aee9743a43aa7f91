"""Regular expressions as scripts write them: one parser, one emitter for each engine."""
