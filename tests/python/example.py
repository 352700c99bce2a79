import pathlib
import sys
import uuid

import grpc
from article6.backoffice.v1 import message_pb2 as messages
from article6.backoffice.v1 import message_service_pb2 as api
from article6.backoffice.v1 import message_service_pb2_grpc as door

address, folder, official, what = sys.argv[1:]
keys = {name: pathlib.Path(folder, name).read_bytes() for name in
        ("backoffice-ca.pem", "client-backoffice.key", "client-backoffice.pem")}
channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(*keys.values()))
service = door.MessageServiceStub(channel)
call = {"metadata": [("article6-official", official)], "timeout": 30}

if what == "send":
    submission = api.Submission(case=f"cases/{uuid.uuid4()}", language="en")
    submission.body.consultation.thread_id = str(uuid.uuid4())
    submission.body.consultation.subject = "Working hours in December"
    submission.body.consultation.text = "May requests reach you between 24 December and 2 January?"
    # Kept with the case: whatever happens, the same request_id never sends the message twice.
    request_id = str(uuid.uuid4())
    answer = service.SubmitMessage(
        api.SubmitMessageRequest(request_id=request_id, submission=submission), **call)
    print(answer.message.name)
else:
    feed = service.WatchMessages(api.WatchMessagesRequest(
        view=messages.MESSAGE_VIEW_FULL, purpose=5, kinds=[api.FEED_KIND_RECEIVED]), **call)
    item = next(item for item in feed if item.HasField("message"))
    print(item.message.name)
    # Only now that it is stored at our side:
    service.AcknowledgeMessages(api.AcknowledgeMessagesRequest(cursor=item.cursor), **call)
