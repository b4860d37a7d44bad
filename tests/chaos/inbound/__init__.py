"""Experiments on what Edu-iX tells us: N1 to N12, S14 and S15."""
