"""The sandbox's provider as a plugin of the real Pulumi engine: ``pulumi-resource-aws``.

The engine starts it, reads the port that it prints, and calls it over gRPC (pulumi/pulumi,
proto/pulumi/provider.proto, v3.274.1). The region, the access key and the endpoint are those of Pulumi's AWS provider:
``aws:region``, ``aws:accessKey``, ``aws:secretKey``, ``aws:token`` and ``aws:endpoints``, or else AWS's own environment
variables.
"""

import json
import os
from collections.abc import Iterator, Mapping
from concurrent import futures
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import grpc
from botocore.exceptions import BotoCoreError, ClientError
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc
from pulumi.runtime.rpc import UNKNOWN

from sandbox.aws.clients import Clients
from sandbox.aws.cloud import OWNER
from sandbox.configuration import DEFAULT_REGION
from sandbox.engine.program import Json, plain
from sandbox.errors import SandboxError
from sandbox.provider.account import Account
from sandbox.provider.archives import WiredArchive, is_wired
from sandbox.provider.catalog import resource_type
from sandbox.provider.lookups import look_up
from sandbox.provider.resource import Existing, ResourceType, ignoring_changes

WATCH_SECONDS = 0.5
STOP_SECONDS = 30.0
WORKERS = 16
MESSAGE_BYTES = 400 * 1024 * 1024  # as Pulumi's own (pulumi/pulumi, sdk/go/common/util/rpcutil/serve.go)


def received(struct: struct_pb2.Struct) -> dict[str, Any]:
    """What the engine sent, with whole numbers as ``int`` and archives as such."""
    found: dict[str, Any] = _with_archives(plain(json_format.MessageToDict(struct)))
    return found


def _with_archives(value: Json) -> Json:
    if isinstance(value, dict):
        return WiredArchive(value) if is_wired(value) else {key: _with_archives(item) for key, item in value.items()}
    return [_with_archives(item) for item in value] if isinstance(value, list) else value


def sent(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Values for the engine."""
    struct = struct_pb2.Struct()
    struct.update({key: value.wire if isinstance(value, WiredArchive) else value for key, value in values.items()})
    return struct


def account(config: Mapping[str, Any]) -> Account:
    """The account that the provider's configuration names.

    Args:
        config: the provider's arguments, as text; what is not text as JSON.

    Raises:
        SandboxError: it names no endpoint, so it would mean the real AWS.
    """
    endpoints = json.loads(config.get("endpoints") or "[]")
    url = next((url for each in endpoints for url in each.values()), os.environ.get("AWS_ENDPOINT_URL"))
    if not url:
        raise SandboxError(
            "The sandbox's provider needs aws:endpoints or AWS_ENDPOINT_URL: it never reaches the real AWS."
        )
    region = config.get("region") or os.environ.get("AWS_REGION", DEFAULT_REGION)
    names = {
        "accessKey": "AWS_ACCESS_KEY_ID",
        "secretKey": "AWS_SECRET_ACCESS_KEY",
        "token": "AWS_SESSION_TOKEN",
    }
    key = tuple(filter(None, (config.get(name) or os.environ.get(variable) for name, variable in names.items())))
    return Account(url, region, Clients(url, region, key), Clients(url, region, OWNER))


def _type(urn: str) -> ResourceType:
    return resource_type(urn.split("::")[2].rpartition("$")[2])


def _properties(resource: Existing) -> struct_pb2.Struct:
    return sent({**resource.inputs, **resource.outputs})


@contextmanager
def _refusals(context: grpc.ServicerContext) -> Iterator[None]:
    """Pass on to the engine why AWS or the sandbox refuses."""
    try:
        yield
    except (SandboxError, BotoCoreError, ClientError) as error:
        context.abort(grpc.StatusCode.UNKNOWN, str(error))


class Plugin(provider_pb2_grpc.ResourceProviderServicer):
    """Answers the engine's calls, each with a class of ``sandbox.provider``."""

    _account: Account

    def GetPluginInfo(self, _: empty_pb2.Empty, __: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=version("pulumi-aws"))

    def CheckConfig(self, request: provider_pb2.CheckRequest, _: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, _: provider_pb2.DiffRequest, __: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        with _refusals(context):
            self._account = account(json_format.MessageToDict(request.args))
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Invoke(self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:
        with _refusals(context):
            found = sent(look_up(self._account, request.tok))
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(found)  # the field has the name of a keyword
        return response

    def Check(self, request: provider_pb2.CheckRequest, _: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        name, news = request.urn.rpartition("::")[2], received(request.news)
        try:
            kind = _type(request.urn)
            kind.refuse_defaults(news)
            checked = kind.check(name, news, received(request.olds) or None)
        except SandboxError as error:
            return provider_pb2.CheckResponse(failures=[provider_pb2.CheckFailure(reason=str(error))])
        return provider_pb2.CheckResponse(inputs=sent(checked))

    def Diff(self, request: provider_pb2.DiffRequest, _: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        # A refresh asks with what was found as the old inputs, and leaves it to the provider to ignore changes.
        old, news = received(request.old_inputs), received(request.news)
        diff = _type(request.urn).diff(old, ignoring_changes(request.ignoreChanges, old, news))
        kinds = provider_pb2.DiffResponse
        return provider_pb2.DiffResponse(
            changes=kinds.DIFF_SOME if diff.changed else kinds.DIFF_NONE,
            diffs=sorted(diff.changed),
            replaces=sorted(diff.replaces),
            deleteBeforeReplace=diff.delete_first,
        )

    def Create(self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        if request.preview:
            return provider_pb2.CreateResponse(properties=request.properties)
        with _refusals(context):
            created = _type(request.urn).create(self._account, received(request.properties))
        return provider_pb2.CreateResponse(id=created.id, properties=_properties(created))

    def Read(self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        kind, inputs = _type(request.urn), received(request.inputs)
        with _refusals(context):
            known = Existing(request.id, inputs) if inputs else kind.imported(request.id)
            found = kind.read(self._account, known)
        if found is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(id=found.id, properties=_properties(found), inputs=sent(found.inputs))

    def Update(self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        outputs, inputs = received(request.olds), received(request.news)
        if request.preview:
            kind = _type(request.urn)
            changed = kind.diff(received(request.old_inputs), inputs).changed
            unknown = dict.fromkeys(kind.unknown_outputs(changed, inputs), UNKNOWN)
            return provider_pb2.UpdateResponse(properties=sent({**outputs, **inputs, **unknown}))
        with _refusals(context):
            old = Existing(request.id, received(request.old_inputs), outputs)
            updated = _type(request.urn).update(self._account, old, inputs)
        return provider_pb2.UpdateResponse(properties=_properties(updated))

    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        with _refusals(context):
            old = Existing(request.id, received(request.old_inputs), received(request.properties))
            _type(request.urn).delete(self._account, old)
        return empty_pb2.Empty()

    def Cancel(self, _: empty_pb2.Empty, __: grpc.ServicerContext) -> empty_pb2.Empty:
        return empty_pb2.Empty()


def main() -> None:
    """Serve until the engine ends."""
    options = [("grpc.max_receive_message_length", MESSAGE_BYTES), ("grpc.max_send_message_length", MESSAGE_BYTES)]
    server = grpc.server(futures.ThreadPoolExecutor(WORKERS), options=options)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Plugin(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    engine = os.getppid()
    try:
        while os.getppid() == engine:
            server.wait_for_termination(WATCH_SECONDS)
    except KeyboardInterrupt:  # how the engine ends a plugin
        server.stop(STOP_SECONDS).wait()


if __name__ == "__main__":
    main()
