"""How a command ends when it is asked to: a signal stops it as Ctrl-C does, so that nothing is left half done."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

STOPPED: Final = "Stopped. What was complete before stays as it was."


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
    numbers = [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None]
    # One that is ignored stays so: `nohup` asks for that.
    before = [number for number in numbers if signal.getsignal(number) == signal.SIG_DFL]
    for number in before:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number in before:
            signal.signal(number, signal.SIG_DFL)


def _end(number: int, _: object) -> None:
    # A second one while things are being tidied up must not leave them half done.
    signal.signal(number, signal.SIG_IGN)
    raise Ended(number)
