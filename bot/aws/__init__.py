"""What the bot uses of AWS: a signed client, and the queues, ledger and secrets on top of it."""
