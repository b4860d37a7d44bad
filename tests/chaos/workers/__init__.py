"""What runs in child processes of experiments: these modules load the product."""
