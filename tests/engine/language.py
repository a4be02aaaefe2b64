"""A language plugin for a Pulumi CLI without one: `pulumi import` starts one, and asks it only what it needs."""

import os
import time
from concurrent import futures

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2


class Language(language_pb2_grpc.LanguageRuntimeServicer):
    """Knows no program: it names no packages."""

    def GetPluginInfo(self, _: empty_pb2.Empty, __: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version="3.0.0")

    def GetRequiredPackages(
        self, _: language_pb2.GetRequiredPackagesRequest, __: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPackagesResponse:
        return language_pb2.GetRequiredPackagesResponse()


def main() -> None:
    """Serve until the CLI ends."""
    server = grpc.server(futures.ThreadPoolExecutor(2))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Language(), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.2)


if __name__ == "__main__":
    main()
