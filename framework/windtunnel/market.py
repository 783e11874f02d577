"""What a plugin sees."""
