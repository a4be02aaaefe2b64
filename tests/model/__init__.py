"""A model of everything around the bot, in virtual time, that drives the bot's own code through storms.

`world` is time, and what runs in it; `queue`, `table` and `facebook` are the other sides; `cloud` is where the bot's
calls arrive, and where `faults` strike them; `system` puts it all together; `storm` draws a storm and judges what came
of it.
"""
