"""What `make_examples.py` makes the example school year with."""
