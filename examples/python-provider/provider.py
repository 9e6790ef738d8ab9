#!/usr/bin/python3
"""A provider in Python: it reads the text layer of plain receipts by two regular expressions.

Debian packages: python3-grpcio python3-protobuf python3-cryptography. To run it, link or copy this file into PLUGIN_DIR as
smarket-provider-python, with provider.v1.binpb (the protocol, from providers/proto) beside the real file. docs/providers.md says
what the server expects of a process; the numbers below are those of its list.
"""

import base64
import datetime
import json
import os
import re
import sys
import tempfile
import threading
from concurrent import futures
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

NAME, VERSION, MODEL = "python", "1.0.0", "regular-expressions-1"


def messages():
    """The messages of the protocol, made from its description: no generated code is needed."""
    files = descriptor_pb2.FileDescriptorSet()
    files.ParseFromString((Path(__file__).resolve().parent / "provider.v1.binpb").read_bytes())
    found = message_factory.GetMessages(files.file)
    return lambda name: found["provider.v1." + name]


M = messages()
ERROR_UNSUPPORTED, BLAME_HOST, TASK_EXTRACT, FINISH_STOP = 11, 3, 1, 1
LINE = re.compile(r"^(?P<name>.+?)\s+(?P<quantity>\d+(?:,\d+)?)\s*x\s*(?P<price>\d+,\d\d)\s+(?P<total>\d+,\d\d)$", re.M)
DUE = re.compile(r"^TOTAL R\$\s*(?P<due>\d+,\d\d)$", re.M)


def number(text):
    """A number as the server wants it: a string with a decimal point."""
    return text.replace(".", "").replace(",", ".")


def receipt(text):
    """What can be read goes in; "" and nothing else stands for what cannot."""
    due = DUE.search(text)
    amount = number(due["due"]) if due else ""
    blank = dict.fromkeys(("code", "gtin", "unit", "discount"), "")
    items = [
        {**blank, "description": m["name"], "quantity": number(m["quantity"]), "unit_price": number(m["price"]),
         "total": number(m["total"]), "uncertain": False}
        for m in LINE.finditer(text)
    ]
    fields = ("access_key", "number", "series", "issued_at", "protocol", "issuer_cnpj", "consumer_cpf", "item_count", "products",
              "discount", "freight", "insurance", "other", "change")
    return {**dict.fromkeys(fields, ""), "issuer_name": text.strip().split("\n")[0], "items": items, "due": amount,
            "payments": [], "test": False}


class Provider:
    """The three methods of provider.v1.ProviderService."""

    def describe(self, request, context):
        return M("DescribeResponse")(description=M("Description")(
            name=NAME, version=VERSION, model=MODEL, media_types=["text/plain"], tasks=[TASK_EXTRACT], local=True))

    def check(self, request, context):
        return M("CheckResponse")()

    def generate(self, request, context):
        pages = request.pages
        if request.task != TASK_EXTRACT or not all(page.text for page in pages):
            yield self.outcome(error=M("Error")(kind=ERROR_UNSUPPORTED, blame=BLAME_HOST, message="it reads receipts' text alone"))
            return
        reply = json.dumps(receipt("\n".join(page.text for page in pages)), ensure_ascii=False)
        yield M("GenerateResponse")(delta=reply)
        yield self.outcome()

    @staticmethod
    def outcome(error=None):
        result = M("Result")(model=MODEL, finish_reason=0 if error else FINISH_STOP, usage=M("Usage")())
        return M("GenerateResponse")(outcome=M("Outcome")(result=result, error=error))


def handlers(provider, stop):
    """4. The provider, the health of the process, and the order to end."""

    def unary(request, method):
        return grpc.unary_unary_rpc_method_handler(method, M(request).FromString, lambda m: m.SerializeToString())

    def shutdown(request, context):
        stop.set()
        return b""

    return (
        grpc.method_handlers_generic_handler("provider.v1.ProviderService", {
            "Describe": unary("DescribeRequest", provider.describe),
            "Check": unary("CheckRequest", provider.check),
            "Generate": grpc.unary_stream_rpc_method_handler(
                provider.generate, M("GenerateRequest").FromString, lambda m: m.SerializeToString()),
        }),
        # HealthCheckResponse{status: SERVING} and an empty message, as bytes.
        grpc.method_handlers_generic_handler("grpc.health.v1.Health", {
            "Check": grpc.unary_unary_rpc_method_handler(lambda request, context: b"\x08\x01")}),
        grpc.method_handlers_generic_handler("plugin.GRPCController", {
            "Shutdown": grpc.unary_unary_rpc_method_handler(shutdown)}),
    )


def certificate():
    """3. A certificate of this start, for localhost: its key never leaves the process."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.utcnow()
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1)).not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem, made


def main():
    if os.environ.get("SMARKET_PROVIDER_PLUGIN") != "8f1d0f0c-2c0e-4f6a-9a3e-6a1f5a0b7c11":  # 1
        sys.exit("This is a plugin of smarket, which starts it. See docs/providers.md.")
    stop = threading.Event()
    limit = 16 << 20
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), handlers=handlers(Provider(), stop), options=[
        ("grpc.max_receive_message_length", limit), ("grpc.max_send_message_length", limit)])
    key, cert = certificate()
    credentials = grpc.ssl_server_credentials(
        [(key, cert.public_bytes(serialization.Encoding.PEM))],
        root_certificates=os.environ["PLUGIN_CLIENT_CERT"].encode(), require_client_auth=True)
    socket = os.path.join(tempfile.mkdtemp(dir=os.environ["PLUGIN_UNIX_SOCKET_DIR"]), "s")  # 2
    server.add_secure_port("unix:" + socket, credentials)
    server.start()
    der = base64.b64encode(cert.public_bytes(serialization.Encoding.DER)).decode().rstrip("=")
    print(f"1|1|unix|{socket}|grpc|{der}", flush=True)  # 5
    stop.wait()
    server.stop(grace=1).wait()


if __name__ == "__main__":
    main()
