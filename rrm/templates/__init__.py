"""Prompts and the reading of answers: a sample goes in as messages, an answer comes back as a verdict."""
