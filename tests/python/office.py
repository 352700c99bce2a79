"""A back office: one connection to a daemon's back-office door. Import it after the protos are compiled."""

import base64
import pathlib

import grpc
from article6.backoffice.v1 import message_pb2 as messages
from article6.backoffice.v1 import message_service_pb2 as api
from article6.backoffice.v1 import message_service_pb2_grpc as door
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status

SERVICE = "article6.backoffice.v1.MessageService"
# How long an answer or an item of a feed may take, in seconds. Nothing is concluded from being faster.
PATIENCE = 25


class Refused(Exception):
    """A refusal with its google.rpc error details."""

    def __init__(self, error: grpc.RpcError):
        self.code = error.code()
        self.info = error_details_pb2.ErrorInfo()
        self.request = error_details_pb2.BadRequest()
        for detail in rpc_status.from_call(error).details:
            for known in (self.info, self.request):
                if detail.Is(known.DESCRIPTOR):
                    detail.Unpack(known)
        super().__init__(f"{self.code} {self.info.reason} {self.fields()}")

    def fields(self) -> list[tuple[str, str]]:
        """Path and code of each wrong field."""
        return [(violation.field, violation.reason) for violation in self.request.field_violations]


class Office:
    """Calls a daemon as one of its clients, for one official."""

    def __init__(self, address: str, keys: pathlib.Path, official: str, client: str = "client-backoffice"):
        self.keys = keys
        self.metadata = [("article6-official", official)] if official else []
        credentials = grpc.ssl_channel_credentials(
            (keys / "backoffice-ca.pem").read_bytes(),
            (keys / f"{client}.key").read_bytes(),
            (keys / f"{client}.pem").read_bytes(),
        )
        self.channel = grpc.secure_channel(address, credentials)
        self.service = door.MessageServiceStub(self.channel)

    def __enter__(self):
        grpc.channel_ready_future(self.channel).result(timeout=PATIENCE)
        return self

    def __exit__(self, *_):
        self.channel.close()

    def health(self, service: str) -> int:
        request = health_pb2.HealthCheckRequest(service=service)
        return health_pb2_grpc.HealthStub(self.channel).Check(request, timeout=PATIENCE).status

    def services(self) -> list[str]:
        return list(ProtoReflectionDescriptorDatabase(self.channel).get_services())

    def submit(self, request_id: str, submission) -> messages.Message:
        request = api.SubmitMessageRequest(request_id=request_id, submission=submission)
        return self._call(self.service.SubmitMessage, request).message

    def validate(self, submission) -> None:
        self._call(self.service.ValidateMessage, api.ValidateMessageRequest(submission=submission))

    def get(self, name: str, **how) -> messages.Message:
        return self._call(self.service.GetMessage, api.GetMessageRequest(name=name, **how)).message

    def all(self, **conditions) -> list[messages.Message]:
        found, token = [], ""
        while True:
            request = api.ListMessagesRequest(page_token=token, **conditions)
            page = self._call(self.service.ListMessages, request)
            found, token = found + list(page.messages), page.next_page_token
            if not token:
                return found

    def acknowledge(self, **what) -> None:
        self._call(self.service.AcknowledgeMessages, api.AcknowledgeMessagesRequest(**what))

    def watch(self, count: int, **how) -> list[api.WatchMessagesResponse]:
        """The next items of the feed; waits until there are so many."""
        stream = self.service.WatchMessages(
            api.WatchMessagesRequest(**how), timeout=PATIENCE, metadata=self.metadata
        )
        items = []
        try:
            for item in stream:
                if item.HasField("message"):
                    items.append(item)
                if len(items) == count:
                    return items
        except grpc.RpcError as error:
            raise Refused(error) if rpc_status.from_call(error) else error
        finally:
            stream.cancel()
        raise AssertionError(f"the feed ended after {len(items)} of {count} items")

    def own(self, name: str) -> pathlib.Path:
        return self.keys / name

    def counterparty_ledger_key(self) -> bytes:
        return base64.b64decode((self.keys / "counterparty-ledger.pub").read_text())

    def _call(self, method, request):
        try:
            return method(request, timeout=PATIENCE, metadata=self.metadata)
        except grpc.RpcError as error:
            if rpc_status.from_call(error) is None:
                raise
            raise Refused(error) from None


def refusal(call, *arguments, **keywords) -> Refused:
    """The refusal that a call must be answered with."""
    try:
        call(*arguments, **keywords)
    except Refused as refused:
        return refused
    raise AssertionError("the call was not refused")
