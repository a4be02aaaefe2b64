"""What all resource types have in common: defaults, names, validation, comparison, and the order of calls."""

import json
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pulumi
from botocore.exceptions import ClientError
from pulumi.runtime.rpc import UNKNOWN

from sandbox.errors import SandboxError
from sandbox.provider import archives
from sandbox.provider.account import Account, is_gone
from sandbox.provider.facts import Facts, facts

Inputs = Mapping[str, Any]
Json = Any
"""What JSON can hold."""
DEFAULTED = "__defaults"
"""The key under which checked inputs list those that the provider chose, as Pulumi's own providers do."""
NOT_ARGUMENTS = frozenset({DEFAULTED, "tagsAll", "region"})
SUFFIX_DIGITS = 7
EMPTY: tuple[object, ...] = (None, "", {}, [], False)


@dataclass(frozen=True)
class Existing:
    """A resource that exists.

    Attributes:
        id: the provider's id.
        inputs: its checked inputs.
        outputs: what the program may read beside them.
    """

    id: str
    inputs: Inputs
    outputs: Inputs = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """What an update has to do: bring the ``old`` resource to ``inputs``, of which those in ``changed`` differ."""

    old: Existing
    inputs: Inputs
    changed: frozenset[str]


@dataclass(frozen=True)
class Diff:
    """How new inputs differ from a resource.

    Attributes:
        changed: the arguments that differ.
        replaces: those of them that AWS cannot change in place.
        delete_first: whether the old resource has to go before its replacement is created.
    """

    changed: frozenset[str]
    replaces: frozenset[str]
    delete_first: bool


class ResourceType(ABC):
    """How the provider treats one resource type. A subclass makes the API calls; it keeps no state.

    Attributes:
        type_name: the provider's token, such as ``aws:sqs/queue:Queue``.
        import_format: the id that ``import`` takes, as the names of its parts.
        unreadable: arguments that AWS does not give back, or gives back otherwise: they stay as they were.
    """

    type_name: ClassVar[str]
    import_format: ClassVar[str] = "id"
    unreadable: ClassVar[frozenset[str]] = frozenset()

    @property
    def facts(self) -> Facts:
        """What the real provider does for this type."""
        return facts(self.type_name)

    def check(self, name: str, inputs: Inputs, old: Inputs | None = None) -> dict[str, Any]:
        """The inputs with the provider's defaults and name.

        Args:
            name: the resource's logical name.
            inputs: the program's, in camelCase; whole numbers are ``int``; unknown values are Pulumi's ``UNKNOWN``.
            old: the checked inputs of the resource that exists, if it is not to be replaced: it keeps its name.

        Raises:
            SandboxError: an argument is missing, unknown, or has a value that the provider refuses.
        """
        given = {key: value for key, value in inputs.items() if key not in NOT_ARGUMENTS and value is not None}
        top_level = {each for each in self.facts.arguments if "." not in each}
        if unknown := sorted(given.keys() - top_level):
            raise SandboxError(
                f"The sandbox does not know {', '.join(unknown)} of {self.type_name}: "
                "add it to sandbox/provider/facts.json and to its class."
            )
        checked = self._with_defaults(given)
        if (autoname := self.facts.autoname) and autoname["argument"] not in checked:
            argument = autoname["argument"]
            kept = old[argument] if old and argument in old.get(DEFAULTED, ()) else ""
            checked[argument] = kept or self._chosen_name(name, checked)
        checked[DEFAULTED] = sorted(checked.keys() - given.keys())
        self._validate(checked)
        return checked

    def refuse_defaults(self, inputs: Inputs) -> None:
        """Refuse inputs that leave to the provider what AWS itself would choose otherwise.

        Raises:
            SandboxError: the program has to set an argument.
        """
        for argument in self.facts.arguments.values():
            block, _, name = argument.name.rpartition(".")
            inside = inputs.get(block) if block else inputs
            if "awsDefault" in argument.facts and isinstance(inside, Mapping) and inside.get(name) is None:
                raise SandboxError(
                    f"{argument.name} of {self.type_name} is not set: the provider would send "
                    f"{argument.facts['default']}, and AWS's own default is {argument.facts['awsDefault']}. Set it."
                )

    def _with_defaults(self, given: Inputs) -> dict[str, Any]:
        checked = {key: dict(value) if isinstance(value, Mapping) else value for key, value in given.items()}
        for argument in self.facts.arguments.values():
            block, _, name = argument.name.rpartition(".")
            inside = checked.get(block) if block else checked
            if "default" in argument.facts and isinstance(inside, dict):
                inside.setdefault(name, argument.facts["default"])
        return checked

    def _chosen_name(self, name: str, checked: Inputs) -> str:
        autoname = self.facts.autoname or {}
        chosen = f"{name}-{secrets.token_hex(4)[:SUFFIX_DIGITS]}"
        if len(chosen) > autoname["limit"]:
            raise SandboxError(f"The name {chosen} has {len(chosen)} characters; {autoname['limit']} are allowed.")
        return chosen + "".join(end for flag, end in autoname.get("suffix", {}).items() if checked.get(flag))

    def _validate(self, checked: Inputs) -> None:
        for argument in self.facts.arguments.values():
            block, _, name = argument.name.rpartition(".")
            inside = checked.get(block) if block else checked
            if not isinstance(inside, Mapping):
                continue
            if name not in inside:
                if argument.facts.get("required"):
                    raise SandboxError(f"{argument.name} of {self.type_name} is missing.")
            elif (value := inside[name]) != UNKNOWN and (objection := argument.objection(value)):
                raise SandboxError(f"{argument.name} of {self.type_name} is {value!r}; it {objection}.")

    def diff(self, old: Inputs, inputs: Inputs) -> Diff:
        """Compare new checked inputs with those of the resource that exists."""
        arguments = self.facts.arguments
        before, after = self._comparable(old), self._comparable(inputs)
        changed = frozenset(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
        replaces = frozenset(key for key in changed if key in arguments and arguments[key].facts.get("replaces"))
        replaces |= self._also_replaces(old, inputs)
        name = (self.facts.autoname or {}).get("argument")
        keeps_its_name = bool(name) and name not in inputs.get(DEFAULTED, ()) and name not in changed
        return Diff(changed, replaces, self.facts.delete_first or keeps_its_name)

    def _also_replaces(self, old: Inputs, inputs: Inputs) -> frozenset[str]:  # noqa: ARG002 - for subclasses
        """Changed arguments that replace the resource only for some values."""
        return frozenset()

    def _comparable(self, inputs: Inputs) -> dict[str, Any]:
        return {key: self._value(key, value) for key, value in comparable(inputs).items() if key not in NOT_ARGUMENTS}

    def _value(self, key: str, value: Json) -> Json:
        known = self.facts.arguments[key].facts if key in self.facts.arguments else {}
        if known.get("json") and isinstance(value, str) and value not in {"", UNKNOWN}:
            return json.loads(value)
        if known.get("set") and isinstance(value, list):
            return sorted(value, key=repr)
        return value

    def create(self, account: Account, inputs: Inputs) -> Existing:
        """Create a resource of checked inputs, and read it back if the provider does.

        Raises:
            SandboxError: AWS would refuse it.
            ClientError: AWS refuses it.
        """
        known = Existing(self._create(account, inputs), inputs)
        return self._read_back(account, known) if self.facts.reads_back(self.facts.calls["create"]) else known

    def read(self, account: Account, known: Existing) -> Existing | None:
        """Read a resource: its actual inputs and outputs, or nothing if it is gone.

        Args:
            account: where.
            known: the resource as it was, or ``imported``.
        """
        try:
            found = self._read(account, known)
        except ClientError as error:
            if is_gone(error):
                return None
            raise
        if found is None:
            return None
        kept = {key: known.inputs[key] for key in (DEFAULTED, *self.unreadable) if key in known.inputs}
        is_imported = DEFAULTED not in known.inputs
        inputs = compact(found.inputs) if is_imported else self._as_far_as_set(found.inputs, known.inputs)
        return replace(found, inputs={**inputs, **kept})

    def _as_far_as_set(self, found: Inputs, known: Inputs, block: str = "") -> dict[str, Any]:
        """The inputs as AWS has them, without what the program leaves to AWS."""
        kept = {}
        for key, value in found.items():
            argument = self.facts.arguments.get(block + key)
            left_to_aws = argument is not None and argument.facts.get("computed")
            if key not in known:
                if value not in EMPTY and not left_to_aws:
                    kept[key] = value
            elif isinstance(value, Mapping) and f"{block}{key}." in "".join(self.facts.arguments):
                kept[key] = self._as_far_as_set(value, known[key] or {}, f"{block}{key}.")
            else:
                kept[key] = value
        return kept

    def update(self, account: Account, old: Existing, inputs: Inputs) -> Existing:
        """Bring a resource to other checked inputs, in place: tags first, then the rest.

        Raises:
            ClientError: AWS refuses.
        """
        changed = self.diff(old.inputs, inputs).changed
        if "tags" in changed:
            before, after = old.inputs.get("tags") or {}, inputs.get("tags") or {}
            if removed := sorted(before.keys() - after.keys()):
                self._untag(account, old, removed)
            if added := {key: value for key, value in after.items() if before.get(key) != value}:
                self._tag(account, old, added)
        known = replace(old, inputs=inputs)
        if changed - {"tags"} or self._updates_for_tags():
            known = replace(known, id=self._update(account, Change(old, inputs, changed)) or old.id)
        rows = [row["calls"] for row in self.facts.calls["update"] if changed & set(row["arguments"])]
        return self._read_back(account, known) if any(map(self.facts.reads_back, rows)) else known

    def delete(self, account: Account, old: Existing) -> None:
        """Delete a resource; if it is gone already, so much the better.

        Raises:
            ClientError: AWS refuses.
        """
        try:
            self._delete(account, old)
        except ClientError as error:
            if not is_gone(error):
                raise

    def imported(self, import_id: str) -> Existing:
        """A resource to be read by the id that ``import`` takes."""
        return self._parsed(import_id)

    def _parsed(self, import_id: str) -> Existing:
        separator = ":" if ":" in self.import_format else "/"
        names = self.import_format.split(separator)
        parts = dict(zip(names, import_id.split(separator, len(names) - 1), strict=True))
        resource_id = parts.pop("id", "")
        return Existing(resource_id or self._id(parts), parts)

    def verify(self, account: Account, existing: Existing) -> None:  # noqa: B027 - most types have nothing to check
        """Check what AWS would refuse only when the resource is used. Called once the whole stack exists.

        Raises:
            Refused: AWS would refuse it.
        """

    def unknown_outputs(self, changed: frozenset[str], inputs: Inputs) -> frozenset[str]:  # noqa: ARG002 - for subclasses
        """The outputs that an update of these arguments to these inputs will change to what only AWS knows."""
        return frozenset()

    def _read_back(self, account: Account, known: Existing) -> Existing:
        found = self._read(account, known)
        if found is None:
            raise SandboxError(f"{self.type_name} {known.id} cannot be read back.")
        return Existing(found.id, known.inputs, found.outputs)

    def _updates_for_tags(self) -> bool:
        """Whether a change of tags alone calls the update, too."""
        return False

    def _id(self, inputs: Inputs) -> str:
        """The id of a resource that is named by its inputs."""
        raise NotImplementedError

    @abstractmethod
    def _create(self, account: Account, inputs: Inputs) -> str:
        """Create it; return its id."""

    @abstractmethod
    def _read(self, account: Account, known: Existing) -> Existing | None:
        """Read it; nothing if it is gone without an error."""

    def _update(self, account: Account, change: Change) -> str | None:
        """Change all but tags; return its new id if it has one."""
        raise NotImplementedError

    @abstractmethod
    def _delete(self, account: Account, old: Existing) -> None:
        """Delete it."""

    def _tag(self, account: Account, old: Existing, tags: Mapping[str, str]) -> None:
        raise NotImplementedError

    def _untag(self, account: Account, old: Existing, keys: list[str]) -> None:
        raise NotImplementedError


def comparable(inputs: Inputs) -> dict[str, Any]:
    """Inputs as an engine keeps them: JSON, with an archive as the hash of its contents."""
    return {
        key: {"sha256": archives.content_hash(value)} if isinstance(value, pulumi.Archive) else value
        for key, value in inputs.items()
    }


def ignoring_changes(names: Iterable[str], old: Inputs, inputs: Inputs) -> dict[str, Any]:
    """Inputs whose values under some names stay as they were: the option ``ignoreChanges``."""
    ignored = set(names)
    rest = {key: value for key, value in inputs.items() if key not in ignored}
    return rest | {key: old[key] for key in ignored & old.keys()}


def compact(values: Inputs) -> dict[str, Any]:
    """The values without those that say nothing."""
    return {key: value for key, value in values.items() if value not in EMPTY}


def chosen(inputs: Inputs, names: Iterable[str]) -> dict[str, Any]:
    """Some of the inputs, those that are not set left out."""
    return {name: inputs[name] for name in names if inputs.get(name) is not None}


def pascal(value: Json, free: tuple[str, ...] = ()) -> Json:
    """Give camelCase keys as AWS's PascalCase, except below the keys in ``free``, which are the user's own."""
    if isinstance(value, Mapping):
        return {key[:1].upper() + key[1:]: item if key in free else pascal(item, free) for key, item in value.items()}
    return [pascal(item, free) for item in value] if isinstance(value, list) else value


def camel(value: Json, free: tuple[str, ...] = ()) -> Json:
    """AWS's PascalCase keys as camelCase, except below the keys in ``free`` (in camelCase)."""
    if isinstance(value, Mapping):
        keys = {key: key[:1].lower() + key[1:] for key in value}
        return {keys[key]: item if keys[key] in free else camel(item, free) for key, item in value.items()}
    return [camel(item, free) for item in value] if isinstance(value, list) else value


def text(value: object) -> str:
    """A value as AWS takes it where it takes texts only."""
    return value if isinstance(value, str) else json.dumps(value)


def tag_list(tags: Mapping[str, str] | None) -> list[dict[str, str]]:
    """Tags as most services take them."""
    return [{"Key": key, "Value": value} for key, value in (tags or {}).items()]


def tag_map(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Tags from how most services give them."""
    return {each["Key"]: each["Value"] for each in tags}
