"""The bot: exactly what is deployed. The zip holds this package and nothing else."""
