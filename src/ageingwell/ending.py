"""How a command ends when it is asked to: a signal stops it as Ctrl-C does, so that nothing is left half done."""

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

STOPPED: Final = "Stopped. What was complete before stays as it was."
# What asks a run to end; the first of them Python turns into an error by itself.
_NAMES: Final = ("SIGINT", "SIGTERM", "SIGHUP")
_ENDING: Final = [number for name in _NAMES if (number := getattr(signal, name, None)) is not None]


class Ended(KeyboardInterrupt):
    """The system or a job scheduler asked the command to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def exit_code(stop: KeyboardInterrupt) -> int:
    """128 and the number of the signal, as a shell tells it.

    >>> exit_code(KeyboardInterrupt()), exit_code(Ended(15))
    (130, 143)
    """
    return 128 + (stop.number if isinstance(stop, Ended) else signal.SIGINT)


@contextmanager
def ending_tidily() -> Iterator[None]:
    """Let SIGTERM, and SIGHUP of a terminal that closes, stop what runs here as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread may say what a signal does
        yield
        return
    # One that is ignored stays so: `nohup` asks for that.
    before = [number for number in _ENDING[1:] if signal.getsignal(number) == signal.SIG_DFL]
    for number in before:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number in before:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def unbroken() -> Iterator[None]:
    """Let a signal that ends the run wait for what runs here: a few steps that only make sense together.

    >>> done = []
    >>> try:
    ...     with ending_tidily(), unbroken():
    ...         signal.raise_signal(signal.SIGTERM)
    ...         done.append("all of it")
    ... except Ended as stop:
    ...     print(done, stop.number)
    ['all of it'] 15
    """
    if threading.current_thread() is not threading.main_thread():  # signals break into the main thread alone
        yield
        return
    came: list[int] = []
    # A signal that ends the process at once cannot be kept waiting.
    before = {number: act for number in _ENDING if callable(act := signal.getsignal(number))}
    try:
        # Each is put back whatever happens; that of Ctrl-C last, for a second one may come at once.
        with ExitStack() as put_back:
            for number, act in before.items():
                put_back.callback(signal.signal, number, act)
                signal.signal(number, lambda number, _: came.append(number))
            yield
    finally:
        for number in dict.fromkeys(came):
            signal.raise_signal(number)


def _end(number: int, _: object) -> None:
    # A second one while things are being tidied up must not leave them half done.
    signal.signal(number, signal.SIG_IGN)
    raise Ended(number)
