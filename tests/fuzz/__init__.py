"""Hostile input: a seeded, mutating fuzzer over everything that strangers can reach."""
