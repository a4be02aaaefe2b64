"""A model of everything around the bot, in virtual time, that drives the bot's own code through storms.

`world` is the time, and what runs in it. `queue`, `table` and `facebook` are the other sides. `cloud` takes the bot's
calls, and `faults` makes them fail. `system` puts it all together. `storm` draws a storm and judges what came of it.
"""
