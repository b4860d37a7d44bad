"""Processes that are asked to do a measured piece of work, one line of JSON at a time."""
