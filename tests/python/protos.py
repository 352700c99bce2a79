"""Compiles the protos into a folder and makes them importable."""

import importlib.resources
import pathlib
import sys

from grpc_tools import protoc


def compile_protos(protos: pathlib.Path, into: pathlib.Path) -> None:
    """After this, `from article6.backoffice.v1 import message_service_pb2` and the like work."""
    into.mkdir(parents=True, exist_ok=True)
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    files = sorted(str(path.relative_to(protos)) for path in protos.rglob("*.proto"))
    arguments = ["protoc", f"-I{protos}", f"-I{well_known}", f"--python_out={into}", f"--grpc_python_out={into}"]
    if protoc.main(arguments + files) != 0:
        raise SystemExit("the protos do not compile")
    sys.path.insert(0, str(into))
