"""Programs of the experiments that run in processes of their own, with Django set up."""
