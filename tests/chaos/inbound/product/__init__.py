"""The product as the experiments run it: processes, each a module, and what they change."""
