"""Every error a user can mend: what was found, where, and what to do next.

Each class is a kind of fault and carries the exit code the command line ends with. A message names files, rows,
columns and rules; it never holds a value of a person's record.
"""


class AgeingWellError(Exception):
    """The base of every error a user can mend.

    >>> str(SourceError("gp_patients.csv: column `sex` is missing", "add it, or map it in agencies.toml"))
    'gp_patients.csv: column `sex` is missing. What to do: add it, or map it in agencies.toml.'
    """

    exit_code = 1

    def __init__(self, found: str, remedy: str | None = None) -> None:
        self.found = found.rstrip(".")
        self.remedy = None if remedy is None else remedy.rstrip(".")
        stop = "" if self.found.endswith(("?", "!")) else "."
        super().__init__(self.found if remedy is None else f"{self.found}{stop} What to do: {self.remedy}.")


class ConfigError(AgeingWellError):
    """A settings file has mistakes; all of them are in the message."""

    exit_code = 3


class SourceError(AgeingWellError):
    """A file or database table cannot be read as its contract says."""

    exit_code = 4


class LimitError(SourceError):
    """A file is larger, deeper, wider or slower to read than any file of its kind; the message names the limit.

    >>> LimitError.exit_code
    26
    """

    exit_code = 26


class RefusedRowsError(AgeingWellError):
    """Too many rows broke their contract, or any row of the permissions table did."""

    exit_code = 5


class NotPermittedError(AgeingWellError):
    """The ledger does not permit a source for this purpose and recipient, or the entry has lapsed."""

    exit_code = 6


class KeyFileError(AgeingWellError):
    """A key file is missing, too short, weak, or readable by others."""

    exit_code = 7


class BundleError(AgeingWellError):
    """A model bundle is damaged, or does not match the features or the data."""

    exit_code = 8


class FrameError(BundleError, ValueError):
    """A frame given to a model, or an array given to a measure, is not what it can take; also a `ValueError`."""

    exit_code = 13


class ArgumentError(AgeingWellError, ValueError):
    """A function was given something it cannot take, such as a day in another form; also a `ValueError`."""

    exit_code = 18


class MissingExtraError(AgeingWellError, ImportError):
    """What was asked for needs a library that is not installed; the message names the extra. Also an `ImportError`."""

    exit_code = 19


class PublishError(AgeingWellError):
    """A place to write to cannot be written, be it the temporary folder; the last published night is still current."""

    exit_code = 9


class TooFewEventsError(AgeingWellError):
    """There are too few people or events to train on."""

    exit_code = 10


class UnknownPersonError(AgeingWellError):
    """The person asked for is not among the people scored."""

    exit_code = 11


class NoComparisonError(AgeingWellError):
    """A change was asked for without comparable people beside it, so that it would say nothing about the visits."""

    exit_code = 12


class ChangeError(AgeingWellError):
    """The records changed more than they can in a night; the last list stays current until a person accepts it."""

    exit_code = 14


class EngineError(AgeingWellError):
    """The work did not come to an end: a process was ended by the system, or Spark could not do a part."""

    exit_code = 15


class WithdrawalError(AgeingWellError):
    """Nobody can say who is to come off the current list: it is marked *do not use*."""

    exit_code = 16


class NotCurrentError(AgeingWellError):
    """The night was made and is complete, and another one is the current list."""

    exit_code = 30


class AccountingError(AgeingWellError):
    """The rows of a table do not add up: some were neither used nor accounted for, so nothing was published."""

    exit_code = 27


class StatusError(AgeingWellError):
    """The last night did not happen, or its list is not to be relied on: each fault found, and what to do."""

    exit_code = 17


class DecisionFileError(AgeingWellError):
    """A file with decisions cannot be read, or is no list of a night in this folder."""

    exit_code = 20


class LedgerError(AgeingWellError):
    """The ledger of decisions is damaged, was changed, or cannot be written."""

    exit_code = 21


class RejectedRowsError(AgeingWellError):
    """Rows of a list are to be mended; the others were recorded, and a fix file holds these."""

    exit_code = 22


class ClashError(AgeingWellError):
    """Recipients disagree about somebody; the others were recorded, and the chair has to say which holds."""

    exit_code = 23


class AuditError(AgeingWellError):
    """The audit log was changed or cut, or cannot be written: nothing is done without it."""

    exit_code = 24


class KeepingError(AgeingWellError):
    """What is kept of people cannot be deleted or told, or nobody can say any more who asked to be forgotten."""

    exit_code = 25


class LotError(AgeingWellError):
    """What a lot gave is told in two ways by the files of the nights, so that nothing may be worked out from it."""

    exit_code = 31


class ReidentifyError(AgeingWellError):
    """Names are not put beside this list: no reason, too many people, a register too large, or nobody approved."""

    exit_code = 28


class SignoffError(AgeingWellError):
    """Papers cannot be drawn, signed or compared: the run is not what was signed, or a signature does not hold."""

    exit_code = 32


class LockedError(AgeingWellError):
    """Another run is writing to the same output folder."""

    # EX_TEMPFAIL of sysexits.h: a job scheduler may try again.
    exit_code = 75
