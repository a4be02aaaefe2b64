"""AWS resources, treated as Pulumi's AWS provider treats them: a module for each service, a class for each type.

An engine looks a class up in ``sandbox.provider.catalog`` and drives it: ``check``, ``diff``, then ``create``,
``read``, ``update`` or ``delete``. What the real provider does is data, with its sources, in ``facts.json``.
"""
