"""Rights, proven: what each action of each policy is for, shown by taking it away."""
