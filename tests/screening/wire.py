"""Requests as bytes on a socket, which no client library tidies up."""

import json
import socket
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any

from tests.screening.processes import DEADLINE_S

CHUNK_BYTES = 8192


@dataclass(frozen=True)
class WireResponse:
    """Status and text of a response."""

    status: int
    text: str
    content_type: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)


class Connection:
    """One connection, kept open for several requests."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)

    def post(self, path: str, body: bytes, headers: dict[str, str], *, is_chunked: bool = False) -> WireResponse:
        """POST in chunks, or with Content-Length."""
        framing = {"Transfer-Encoding": "chunked"} if is_chunked else {"Content-Length": str(len(body))}
        lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in (headers | framing).items()]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self.socket.sendall(in_chunks(body) if is_chunked else body)
        response = HTTPResponse(self.socket, method="POST")
        response.begin()
        return WireResponse(response.status, response.read().decode(), response.headers["Content-Type"])


def in_chunks(body: bytes) -> bytes:
    """A body in the chunked transfer coding (RFC 9112, 7.1)."""
    chunks = [body[start : start + CHUNK_BYTES] for start in range(0, len(body), CHUNK_BYTES)]
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


def photo_form(photo: bytes, boundary: str = "wire", **fields: str) -> tuple[bytes, str]:
    """Body and Content-Type of a multipart form with a photograph."""
    lines = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="photo"; filename="eye.jpg"\r\n\r\n'
    body = "".join(lines).encode() + head.encode() + photo + f"\r\n--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"
