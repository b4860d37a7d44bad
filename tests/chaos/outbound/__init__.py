"""Experiments on what we send to Edu-iX: P1 to P12."""
