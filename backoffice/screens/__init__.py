"""What every list and form shares. Floor: it imports no app, every app's admin may import it."""
