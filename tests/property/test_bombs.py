"""Files that stand for more than a machine holds end with a sentence, within little memory, whoever reads them."""

import json
import sys
from pathlib import Path

import pytest
from helpers.evidence import counted
from helpers.running import helper_run

# 512 MB, the goal, for this process and for the one that reads for it.
MOST_MB = 512
# What is large and right: it is read, and nothing is said. Withdrawals read of their settings what can be understood.
READ = (
    "500,000 columns, to recognise",
    "a long text in each of 31 columns, as is right",
    "2,500 rows of one long text in Parquet",
)
# Far more than any takes: whoever hangs is ended, and counts.
SECONDS = 300


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is measured by /proc")
def test_a_file_that_stands_for_too_much_ends_with_a_sentence_within_512_mb(tmp_path: Path) -> None:
    # Built by a process of its own, so that what building takes does not count.
    helper_run("bombs", "build", tmp_path, timeout=SECONDS)

    ran = helper_run("bombs", "read", tmp_path, timeout=SECONDS)

    told = [json.loads(line) for line in ran.stdout.splitlines()]
    bad = [one for one in told if not _is_clean(one)]
    counted("S3.bombs", len(told), len(bad), note=f"within {MOST_MB} MB, with a sentence and an exit code")
    assert bad == []
    assert len(told) >= 20


def _is_clean(told: dict[str, object]) -> bool:
    is_read = told["name"] in READ or str(told["name"]).startswith("settings of withdrawals")
    is_told = told["code"] == 0 if is_read else told["code"] in (3, 4, 20, 26)
    return is_told and max(int(str(told["mb"])), int(str(told["readers_mb"]))) <= MOST_MB
