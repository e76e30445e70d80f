"""Our classes inside verl 0.9.1, one per extension point: trainer, agent loop, reward manager."""
