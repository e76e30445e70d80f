"""The API `RewardModelTraining`, written once: models, conditions, and the contract with the trainer."""
