"""The chief: a gRPC server that hands out trials and tells other machines how the search ended."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc

# KerasTuner's own server cannot be stopped, and takes no further methods.
from keras_tuner.src import protos
from keras_tuner.src.distribute.oracle_chief import OracleServicer

from kerasclf.errors import UserError
from tuning.oracles import SearchOracle
from tuning.workers.address import Address
from tuning.workers.membership import ACCEPTED, METHOD, MIN_PING_MS, SERVICE

THREADS = 256
"""Each machine that has joined occupies one of them until the search ends."""
POLL_SECONDS = 1.0
STOP_SECONDS = 60.0
"""Maximum time for calls in progress to complete; usually they take milliseconds."""


@contextmanager
def serve(oracle: SearchOracle, fingerprint: str, address: Address) -> Iterator[None]:
    """Serves an oracle while the block runs.

    If the block ends without an error, the search has ended, and every machine that has joined is
    told so before this returns. If it fails, they are told that the chief stopped.

    Args:
        oracle: what proposes trials and records their results.
        fingerprint: of the search; machines with another one may not join.
        address: where to listen.

    Raises:
        UserError: the port has been taken meanwhile.
    """
    end = _End(fingerprint)
    server = grpc.server(
        ThreadPoolExecutor(max_workers=THREADS),
        options=[
            ("grpc.so_reuseport", 0),
            ("grpc.http2.min_ping_interval_without_data_ms", MIN_PING_MS),
        ],
    )
    protos.get_service_grpc().add_OracleServicer_to_server(OracleServicer(oracle), server)
    method = grpc.unary_stream_rpc_method_handler(end.join)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE, {METHOD: method}),)
    )
    try:
        server.add_insecure_port(str(address))
    except RuntimeError as error:
        raise UserError(f"cannot listen at {address}; give another --chief HOST:PORT") from error
    oracle.verbose = 0
    oracle.save()
    server.start()
    try:
        yield
        end.reached = True
    finally:
        end.known.set()
        server.stop(STOP_SECONDS).wait()


class _End:
    """The end of a search, which the machines that joined wait for."""

    def __init__(self, fingerprint: str):
        self._fingerprint = fingerprint.encode()
        self.known = threading.Event()
        self.reached = False

    def join(self, fingerprint: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        """Accepts a machine, then closes the stream when the search has ended."""
        if fingerprint != self._fingerprint:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "another search")
        yield ACCEPTED
        while not self.known.wait(POLL_SECONDS):
            if not context.is_active():
                return
        if not self.reached:
            context.abort(grpc.StatusCode.ABORTED, "the chief stopped")
