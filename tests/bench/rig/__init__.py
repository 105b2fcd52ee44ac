"""What the measurements of tests/bench/run are made of."""
