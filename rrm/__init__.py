"""Reasoning reward models: datasets, templates, rewards, training and numbers."""
