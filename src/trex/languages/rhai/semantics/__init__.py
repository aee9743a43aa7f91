"""What operators, calls, indexing and errors mean; the run-time half of compiled scripts."""
